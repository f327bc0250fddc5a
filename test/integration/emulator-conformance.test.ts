import { afterAll, beforeAll, describe } from 'vitest';
import type { ZoneBackend } from '../../src/sandbox/cloudflare/zone-backend.js';
import { createUpdateBackend } from '../../src/sandbox/cloudflare/zone-backend.js';
import { makeDigitalOceanWorld } from '../conformance/digitalocean-world.js';
import { makeHetznerWorld } from '../conformance/hetzner-world.js';
import type { RealDaemon } from '../conformance/real-daemon.js';
import { secret, startKnot } from '../conformance/rfc2136-world.js';
import { makeRoute53World } from '../conformance/route53-world.js';
import { describeConformance } from '../conformance/suite.js';
import type { World } from '../conformance/world.js';

/** The emulators write through to knotd, so that what a provider claims is compared with what a server answers. */
describe('provider emulators over a real, signed zone in knotd', () => {
  let daemon: RealDaemon;
  beforeAll(async () => {
    daemon = await startKnot();
  });
  afterAll(() => daemon?.close());

  const overKnot = (): { zone: ZoneBackend; served: World['served'] } => ({
    zone: createUpdateBackend(
      {
        address: '127.0.0.1',
        port: 53,
        key: { name: 'client', algorithm: 'hmac-sha256', secret },
      },
      async (script) => {
        const { code, stdout, stderr } = await daemon.exec(['nsupdate', '-v', '-t', '60'], script);
        if (code !== 0) throw new Error(stdout + stderr);
      },
    ),
    served: async (name, type) => {
      const argv = ['dig', '@127.0.0.1', '+short', '+norec', '+tcp', '+nosplit', '+time=10', name, type];
      const { code, stdout, stderr } = await daemon.exec(argv);
      if (code !== 0) throw new Error(stdout + stderr);
      return stdout.split('\n').filter((line) => line.trim() !== '');
    },
  });

  describeConformance('Hetzner', () => makeHetznerWorld('example.test', overKnot()));
  describeConformance('Route 53', () => makeRoute53World('example.test', overKnot()));
  describeConformance('DigitalOcean', () => makeDigitalOceanWorld('example.test', overKnot()));
});
