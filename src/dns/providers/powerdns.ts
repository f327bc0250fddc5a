import { sanitizeLine } from '../../lib/sanitize.js';
import { auditByCapabilities, auditTargets } from './audit-record.js';
import { editRrsets, recordsAfter } from './edit-rrset.js';
import { readEndpoint } from './endpoint.js';
import { PowerDnsApi, type PowerDnsRecord, renderEdit } from './powerdns/api.js';
import type { Capabilities, DnsProvider, ProviderContext, ProviderDefinition } from './provider.js';
import { writeChanges, type ZoneWriter } from './write-changes.js';

/**
 * https://doc.powerdns.com/authoritative/http-api/zone.html (read 2026-11, and tried on a real server): a PATCH replaces or
 * deletes whole sets, comments belong to the set, wrong data is answered with 422
 */
const capabilities: Capabilities = {
  types: new Set(['A', 'AAAA', 'CNAME', 'NS', 'PTR', 'MX', 'TXT', 'SRV', 'CAA', 'TLSA']),
  unit: 'rrset',
  // One PATCH is one transaction, but its bad members are then told apart by writing the others one by one.
  atomic: false,
  marks: 'comment',
  minTtl: 1,
  maxTtl: 2_147_483_647,
  batchMax: 1000,
  nullMx: true,
};

const rights = 'the API key of the server (api-key in pdns.conf; the API has no lesser rights)';

/** PowerDNS Authoritative Server, through its HTTP API. */
export const powerdns: ProviderDefinition = {
  id: 'powerdns',
  title: 'PowerDNS',
  // Anybody's servers may run it.
  nameServers: [],
  credentials: [
    {
      key: 'url',
      label: 'PowerDNS API address, such as https://ns1.example.org:8081',
      secret: false,
      env: ['PDNS_API_URL', 'PDNS_SERVER_URL'],
      help: 'webserver-address and webserver-port in pdns.conf',
    },
    { key: 'key', label: 'PowerDNS API key', secret: true, env: ['PDNS_API_KEY'] },
    {
      key: 'server',
      label: 'name of the server in the API',
      secret: false,
      optional: true,
      env: ['PDNS_SERVER_NAME'],
      help: 'localhost, unless a proxy stands in front of several servers',
    },
  ],
  tokenUrl: 'https://doc.powerdns.com/authoritative/http-api/',
  rights,
  capabilities,
  open: openPowerDns,
};

async function openPowerDns(context: ProviderContext): Promise<DnsProvider> {
  const url = readEndpoint(
    context.baseUrl ?? context.credentials.url ?? '',
    'PowerDNS',
    'Give it in PDNS_API_URL, such as https://ns1.example.org:8081',
  );
  context.log(`PowerDNS API endpoint: ${sanitizeLine(url.origin, 200)}`);
  if (url.protocol === 'http:' && !/^(127\.|localhost$|\[::1\])/.test(url.hostname)) {
    context.log('The PowerDNS API key is sent without encryption (http:).');
  }
  const api = new PowerDnsApi(context, url, context.credentials);
  const audit: DnsProvider['audit'] = (record) => {
    const reasons = [
      ...auditByCapabilities('PowerDNS', capabilities, record),
      // The API takes any label as a target and serves it.
      ...auditTargets(record.data),
    ];
    if (record.data.type === 'TXT' && record.data.text === '')
      reasons.push('PowerDNS takes no empty TXT record.');
    return reasons;
  };
  const list: DnsProvider['list'] = async (zone) =>
    (await api.listAll(zone)).filter((record) => !record.disabled);
  return {
    verify: () => api.verify(),
    findZone: (name) => api.findZone(name),
    list,
    audit,
    apply: (zone, changes) => writeChanges(createWriter(api, audit), zone, changes),
  };
}

function createWriter(api: PowerDnsApi, audit: DnsProvider['audit']): ZoneWriter {
  // A set is replaced whole, so the records that are switched off must be sent along.
  let disabled: PowerDnsRecord[] = [];
  return {
    context: api.http.context,
    audit,
    classify: (error) => api.http.classify(error),
    list: async (zone) => {
      const all = await api.listAll(zone);
      disabled = all.filter((record) => record.disabled);
      return all.filter((record) => !record.disabled);
    },
    toUnits: (zone, needed, live) => {
      if (needed.length === 0) return [];
      const edits = editRrsets(needed, live);
      return [
        {
          needed: edits.flatMap((edit) => edit.needed),
          run: async () => {
            await api.patch(
              zone,
              edits.map((edit) => renderEdit(edit, disabled)),
            );
            return edits.flatMap(recordsAfter);
          },
        },
      ];
    },
  };
}
