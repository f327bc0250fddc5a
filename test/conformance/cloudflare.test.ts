import { makeCloudflareWorld } from './cloudflare-world.js';
import { describeConformance } from './suite.js';

describeConformance('Cloudflare, through the official SDK, against the emulator', () =>
  makeCloudflareWorld(),
);
