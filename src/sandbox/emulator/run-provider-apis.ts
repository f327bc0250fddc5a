import { readFileSync } from 'node:fs';
import { runWithInput } from '../cloudflare/run-process.js';
import { createUpdateBackend, type UpdateServer } from '../cloudflare/zone-backend.js';
import { DigitalOceanEmulator } from '../digitalocean/emulator.js';
import { HetznerEmulator } from '../hetzner/emulator.js';
import { Route53Emulator } from '../route53/emulator.js';
import { serveApi } from './serve-api.js';

/** What the process is started with: a JSON file. */
export interface ProviderApisConfig {
  host: string;
  ports: { hetzner: number; digitalocean: number; route53: number };
  zone: string;
  /** The zone's servers, as the parent delegates it. */
  nameServers: readonly string[];
  hetzner: { token: string };
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
  const hetzner = new HetznerEmulator({ backend, tokens: [{ value: config.hetzner.token }] });
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
