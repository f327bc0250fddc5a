import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Lab } from '../lab.js';
import { IPV4_REVERSE_ZONE, IPV6_REVERSE_ZONE } from '../layout.js';
import { findDaemonFile } from '../machine/daemon-file.js';
import { waitUntil } from '../machine/wait-until.js';
import type { ProviderApisConfig } from './run-provider-apis.js';

const ports = { hetzner: 8081, digitalocean: 8082, route53: 8083 };
const lastOfAddress = 60;

/** Accounts at providers beside Cloudflare inside the lab, all with the user's zone, served by the lab's name server. */
export interface LabProviderApis {
  /** Environment for the CLI, by provider id. */
  env: Readonly<Record<'hetzner' | 'digitalocean' | 'route53', Readonly<Record<string, string>>>>;
}

/** Starts the emulators as a host of their own. Their records are gone with the lab. */
export async function startProviderApis(lab: Lab, nameServers: readonly string[]): Promise<LabProviderApis> {
  const { dns, vps } = lab;
  const zoneName = (absolute: string): string => absolute.replace(/\.$/, '');
  const addresses = [
    { ip: vps.ipv4, reverseZone: zoneName(IPV4_REVERSE_ZONE) },
    ...(vps.ipv6 === undefined ? [] : [{ ip: vps.ipv6, reverseZone: zoneName(IPV6_REVERSE_ZONE) }]),
  ];
  const config: ProviderApisConfig = {
    host: '0.0.0.0',
    ports,
    zone: lab.domain,
    nameServers,
    hetzner: { token: 'hetzner0'.repeat(8), addresses },
    digitalocean: { token: `dop_v1_${'0123456789abcdef'.repeat(4)}` },
    route53: { keyId: 'AKIAIOSFODNN7EXAMPLE', secret: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' },
    update: {
      address: dns.host.ipv4,
      port: 53,
      key: dns.tsig,
      command: ['chroot', dns.host.root, 'nsupdate', '-t', '20'],
    },
  };
  const file = join(lab.directory, 'provider-apis.json');
  await writeFile(file, JSON.stringify(config), { mode: 0o600 });
  const daemon = await findDaemonFile('provider-apis', lab.directory);
  const host = await lab.startHost('apis', {
    last: lastOfAddress,
    program: { kind: 'process', argv: [process.execPath, daemon, file] },
  });
  await waitUntil(async () => (await host.tail()).includes('ready'), {
    what: 'the provider emulators to answer',
    timeoutMs: 120_000,
    evidence: () => host.tail(),
  });
  const origin = (port: number): string => `http://${host.ipv4}:${port}`;
  return {
    env: {
      hetzner: { HCLOUD_TOKEN: config.hetzner.token, HCLOUD_ENDPOINT: `${origin(ports.hetzner)}/v1` },
      digitalocean: {
        DIGITALOCEAN_TOKEN: config.digitalocean.token,
        DIGITALOCEAN_API_URL: origin(ports.digitalocean),
      },
      route53: {
        AWS_ACCESS_KEY_ID: config.route53.keyId,
        AWS_SECRET_ACCESS_KEY: config.route53.secret,
        AWS_ENDPOINT_URL_ROUTE_53: origin(ports.route53),
      },
    },
  };
}
