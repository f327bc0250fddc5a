import { makeDigitalOceanWorld } from './digitalocean-world.js';
import { describeConformance } from './suite.js';

describeConformance('DigitalOcean, against the emulator', () => makeDigitalOceanWorld());
