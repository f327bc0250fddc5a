import { makeHetznerWorld } from './hetzner-world.js';
import { describeConformance } from './suite.js';

describeConformance('Hetzner, against the emulator', () => makeHetznerWorld());
