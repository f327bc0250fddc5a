import { auditByCapabilities, auditTargets } from './audit-record.js';
import { HetznerApi } from './hetzner/api.js';
import { openCloudHttp } from './hetzner/cloud-http.js';
import { createWriter } from './hetzner/writer.js';
import type { Capabilities, DnsProvider, ProviderContext, ProviderDefinition } from './provider.js';
import { writeChanges } from './write-changes.js';

/** https://docs.hetzner.cloud/reference/cloud#zone-rrsets (read 2026-11) */
const capabilities: Capabilities = {
  types: new Set(['A', 'AAAA', 'CNAME', 'NS', 'PTR', 'MX', 'TXT', 'SRV', 'CAA', 'TLSA']),
  unit: 'rrset',
  // Each record set is one request.
  atomic: false,
  marks: 'comment',
  minTtl: 60,
  maxTtl: 2_147_483_647,
  batchMax: 100,
  nullMx: true,
};

const tokenUrl = 'https://console.hetzner.com/projects';
const rights = 'Read & Write, made in the project that holds the zone (Security, API tokens)';

/** Hetzner DNS through the Cloud API; the old DNS Console API (dns.hetzner.com) was shut down in May 2026. */
export const hetzner: ProviderDefinition = {
  id: 'hetzner',
  title: 'Hetzner',
  nameServers: [/\.ns\.hetzner\.(com|de)$/],
  credentials: [
    {
      key: 'token',
      label: 'Hetzner Cloud API token',
      secret: true,
      env: ['HCLOUD_TOKEN', 'HETZNER_API_TOKEN'],
      help: `Needs ${rights}.`,
    },
  ],
  tokenUrl,
  rights,
  capabilities,
  baseUrlEnv: 'HCLOUD_ENDPOINT',
  open: openHetzner,
};

async function openHetzner(context: ProviderContext): Promise<DnsProvider> {
  const makeToken = [
    `Make a token at ${tokenUrl} with ${rights}.`,
    'Pass it in HCLOUD_TOKEN. A token of the old DNS Console does not work.',
  ];
  const api = new HetznerApi(openCloudHttp(context, makeToken));
  const audit: DnsProvider['audit'] = (record) => [
    ...auditByCapabilities('Hetzner', capabilities, record),
    ...auditTargets(record.data),
  ];
  return {
    verify: () => api.verify(),
    findZone: (name) => api.findZone(name),
    list: (zone) => api.list(zone),
    audit,
    apply: (zone, changes) => writeChanges(createWriter(api, audit), zone, changes),
  };
}
