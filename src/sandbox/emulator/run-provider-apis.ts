import { readFileSync } from 'node:fs';
import { runWithInput } from '../cloudflare/run-process.js';
import { createUpdateBackend, type UpdateServer, type ZoneBackend } from '../cloudflare/zone-backend.js';
import { DigitalOceanEmulator } from '../digitalocean/emulator.js';
import type { ReverseSink } from '../hetzner/address-routes.js';
import { HetznerEmulator } from '../hetzner/emulator.js';
import { reverseName } from '../layout.js';
import { Route53Emulator } from '../route53/emulator.js';
import { serveApi } from './serve-api.js';

/** What the process is started with: a JSON file. */
export interface ProviderApisConfig {
  host: string;
  ports: { hetzner: number; digitalocean: number; route53: number };
  zone: string;
  /** The zone's servers, as the parent delegates it. */
  nameServers: readonly string[];
  /** `addresses`: the project's, each with the reverse zone that it is in. */
  hetzner: { token: string; addresses: readonly { ip: string; reverseZone: string }[] };
  digitalocean: { token: string };
  route53: { keyId: string; secret: string };
  /** The name server to write through to, and the command that takes an nsupdate script on its standard input. */
  update: UpdateServer & { command: readonly string[] };
}

/** Serves an account of each provider, all with the same zone, until the process is ended. */
export async function runProviderApis(configFile: string): Promise<void> {
  const config = JSON.parse(readFileSync(configFile, 'utf8')) as ProviderApisConfig;
  const { host, ports, zone, nameServers } = config;
  const backend = createUpdateBackend(config.update, (script) => runWithInput(config.update.command, script));
  const hetzner = new HetznerEmulator({
    backend,
    reverse: createReverseSink(backend, config.hetzner.addresses),
    tokens: [{ value: config.hetzner.token }],
  });
  for (const { ip } of config.hetzner.addresses) hetzner.addresses.add(ip.includes(':') ? `${ip}/64` : ip);
  hetzner.addZone({ name: zone, nameServers: nameServers.map((server) => `${server}.`) });
  const digitalocean = new DigitalOceanEmulator({ backend, tokens: [{ value: config.digitalocean.token }] });
  digitalocean.addDomain(zone);
  const route53 = new Route53Emulator({
    backend,
    nameServers,
    keys: [{ id: config.route53.keyId, secret: config.route53.secret }],
  });
  route53.addZone(zone);
  await serveApi(hetzner, { host, port: ports.hetzner });
  await serveApi(digitalocean, { host, port: ports.digitalocean });
  await serveApi(route53, { host, port: ports.route53 });
}

function createReverseSink(
  backend: ZoneBackend,
  addresses: ProviderApisConfig['hetzner']['addresses'],
): ReverseSink {
  return {
    async setPtr(ip, name) {
      const zone = addresses.find((address) => address.ip === ip)?.reverseZone;
      if (zone === undefined) throw new Error(`no reverse zone for ${ip}`);
      const owner = { name: reverseName(ip).replace(/\.$/, ''), type: 'PTR' };
      // Without data it is the whole set that goes (RFC 2136 2.5.2).
      const remove = [{ ...owner, ttl: 0, rdata: '' }];
      await backend.update(zone, {
        remove,
        add: name === undefined ? [] : [{ ...owner, ttl: 300, rdata: `${name}.` }],
      });
    },
  };
}
