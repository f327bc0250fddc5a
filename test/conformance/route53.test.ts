import { makeRoute53World } from './route53-world.js';
import { describeConformance } from './suite.js';

describeConformance('Route 53, through the official SDK, against the emulator', () => makeRoute53World());
