import { sanitizeLine } from '../../lib/sanitize.js';
import type { DnsRecord } from '../record.js';
import { quoteTxt } from '../txt.js';
import { auditByCapabilities, auditTargets } from './audit-record.js';
import { DigitalOceanApi } from './digitalocean/api.js';
import { createWriter } from './digitalocean/writer.js';
import type { Capabilities, DnsProvider, ProviderContext, ProviderDefinition } from './provider.js';
import { requireToken } from './require-token.js';
import { writeChanges } from './write-changes.js';

/**
 * https://docs.digitalocean.com/reference/api/digitalocean/#tag/Domain-Records and its source, specification/resources/domains/ in
 * github.com/digitalocean/openapi (read 2026-11): types, fields, pages of at most 200. The reference names no TTL floor and no
 * length of TXT; 30 seconds and 512 characters are what the API itself refuses.
 */
const capabilities: Capabilities = {
  types: new Set(['A', 'AAAA', 'CNAME', 'NS', 'MX', 'TXT', 'SRV', 'CAA']),
  unit: 'record',
  atomic: false,
  marks: 'none',
  minTtl: 30,
  maxTtl: 2_147_483_647,
  batchMax: 100,
  // The limit is counted on the quoted form, in which two pieces take five characters more.
  maxTxt: 504,
  nullMx: false,
};

const tokenUrl = 'https://cloud.digitalocean.com/account/api/tokens';
const rights = 'the custom scopes domain:read, domain:create, domain:update and domain:delete';
const defaultBaseUrl = 'https://api.digitalocean.com';

/** DigitalOcean. */
export const digitalocean: ProviderDefinition = {
  id: 'digitalocean',
  title: 'DigitalOcean',
  nameServers: [/^ns\d\.digitalocean\.com$/],
  credentials: [
    {
      key: 'token',
      label: 'DigitalOcean API token',
      secret: true,
      env: ['DIGITALOCEAN_TOKEN', 'DIGITALOCEAN_ACCESS_TOKEN', 'DO_AUTH_TOKEN'],
      help: `Needs ${rights}.`,
    },
  ],
  tokenUrl,
  rights,
  capabilities,
  baseUrlEnv: 'DIGITALOCEAN_API_URL',
  open: openDigitalOcean,
};

async function openDigitalOcean(context: ProviderContext): Promise<DnsProvider> {
  const makeToken = [`Make a token at ${tokenUrl} with ${rights}.`, 'Pass it in DIGITALOCEAN_TOKEN.'];
  const token = requireToken('DigitalOcean', context.credentials.token, makeToken);
  const baseUrl = context.baseUrl ?? defaultBaseUrl;
  if (baseUrl !== defaultBaseUrl) context.log(`DigitalOcean API endpoint: ${sanitizeLine(baseUrl, 200)}`);
  const api = new DigitalOceanApi(context, `${baseUrl.replace(/\/+$/, '')}/v2`, token, makeToken);
  return {
    verify: () => api.verify(),
    findZone: (name) => api.findZone(name),
    list: (zone) => api.list(zone),
    audit: auditRecord,
    apply: (zone, changes) => writeChanges(createWriter(api, auditRecord), zone, changes),
  };
}

/** Beside what it declares: the refusals that DNSControl's integration tests found (dnscontrol#370 and others). */
function auditRecord(record: DnsRecord): string[] {
  const reasons = [
    ...auditByCapabilities('DigitalOcean', capabilities, record),
    ...auditTargets(record.data),
  ];
  const { data } = record;
  if (data.type === 'TXT') {
    if (data.text === '') reasons.push('DigitalOcean takes no empty TXT record.');
    if (/[^ -[\]-~]/.test(data.text)) {
      reasons.push('DigitalOcean takes only printable ASCII without backslashes in a TXT record.');
    } else if (data.text.length <= 504 && quoteTxt(data.text).length > 509) {
      reasons.push('DigitalOcean takes at most 509 characters in a TXT record, each quote counted twice.');
    }
  }
  if (data.type === 'CAA' && (/[;\s]/.test(data.value) || !/^(issue|issuewild|iodef)$/.test(data.tag))) {
    reasons.push('DigitalOcean takes only issue, issuewild and iodef in CAA, without parameters.');
  }
  if (data.type === 'SRV' && data.port < 1) reasons.push('DigitalOcean takes no SRV record with port 0.');
  return reasons;
}
