import dnsPacket from 'dns-packet';
import type { DnsCheckDeps, DnsTarget } from '../../src/checks/dns/context.js';
import { refusePrivate } from '../../src/checks/dns/reachable.js';
import type { DesiredRecord, RecordData, Stage } from '../../src/dns/record.js';
import { mtaStsId } from '../../src/dns/records/mta-sts.js';
import { decodeReply } from '../../src/dns/resolver/decode.js';
import {
  createAuthoritativeResolver,
  createRecursiveResolver,
  type Query,
} from '../../src/dns/resolver/index.js';
import { createResponder, type ServerOptions } from './dns-server.js';

export interface LabOptions {
  /** Lines of zone example.org beside its SOA, NS and name server addresses. */
  records: readonly string[];
  /** What ns2 has instead. */
  records2?: readonly string[];
  /** Lines that only the resolver knows: reverse zones, other people's domains. */
  world?: readonly string[];
  /** Lines of the parent zone, `org`. */
  parent?: readonly string[];
  ns1?: Partial<ServerOptions>;
  ns2?: Partial<ServerOptions>;
  resolver?: Partial<ServerOptions>;
  privateNetwork?: boolean;
  /** Round-trip time of every query, in (fake) milliseconds. */
  rttMs?: number;
  deps?: Partial<DnsCheckDeps>;
}

export const resolverAddress = '198.51.100.53';
const apex = [
  'example.org SOA ns1.example.org hostmaster.example.org 7 600',
  'example.org NS ns1.example.org',
  'example.org NS ns2.example.org',
  'ns1.example.org A 198.51.100.2',
  'ns1.example.org AAAA 2001:db8::2',
  'ns2.example.org A 198.51.100.3',
  'ns2.example.org AAAA 2001:db8::3',
];

export interface Lab {
  deps: DnsCheckDeps;
  /** `name type` of every query, by server address. */
  queries: Map<string, string[]>;
}

/** example.org on two name servers, its parent, and a resolver that knows all of it and a world besides; no sockets. */
export function openDnsLab(options: LabOptions): Lab {
  const first = [...apex, ...options.records];
  const second = [...apex, ...(options.records2 ?? options.records)];
  const parent = [
    'org SOA a.nic.org hostmaster.nic.org 1 900',
    'org NS a.nic.org',
    'a.nic.org A 198.51.100.5',
    'example.org NS ns1.example.org',
    'example.org NS ns2.example.org',
    ...(options.parent ?? []),
  ];
  const everything = { '': options.world ?? [], org: parent, 'example.org': first };
  const servers: [readonly string[], ServerOptions][] = [
    [['198.51.100.2', '2001:db8::2'], { zones: { 'example.org': first }, ...options.ns1 }],
    [['198.51.100.3', '2001:db8::3'], { zones: { 'example.org': second }, ...options.ns2 }],
    [['198.51.100.5'], { zones: { org: parent } }],
    [[resolverAddress], { zones: everything, recursive: true, ...options.resolver }],
  ];
  const queries = new Map<string, string[]>();
  const responders = new Map<string, ReturnType<typeof createResponder>>();
  for (const [addresses, server] of servers) {
    const asked: string[] = [];
    const respond = createResponder(server, asked);
    for (const address of addresses) {
      queries.set(address, asked);
      responders.set(address, respond);
    }
  }
  const query = createMemoryQuery(responders, options.rttMs ?? 0);
  const recursive = createRecursiveResolver({ servers: [{ address: resolverAddress, port: 53 }], query });
  const privateNetwork = options.privateNetwork ?? true;
  const authoritative = createAuthoritativeResolver({
    recursive,
    query,
    anchors: ['example.org'],
    allowAddress: refusePrivate(privateNetwork),
    remember: true,
  });
  const now = () => Date.UTC(2026, 10, 24);
  return { deps: { authoritative, recursive, now, privateNetwork, ...options.deps }, queries };
}

function createMemoryQuery(
  responders: ReadonlyMap<string, ReturnType<typeof createResponder>>,
  rttMs: number,
): Query {
  return async (server, name, type, options = {}) => {
    if (rttMs > 0) await new Promise((resolve) => setTimeout(resolve, rttMs));
    const respond = responders.get(server.address);
    if (!respond) return { ok: false, reason: 'timeout', detail: `nobody at ${server.address}` };
    const flags = options.checkingDisabled === true ? dnsPacket.CHECKING_DISABLED : 0;
    const question = {
      type: type as dnsPacket.RecordType,
      name: name === '' ? '.' : name,
      class: 'IN',
    } as const;
    const message = dnsPacket.encode({ type: 'query', id: 1, flags, questions: [question] });
    const [bytes] = respond(message, options.transport === 'tcp');
    const reply = bytes && decodeReply(bytes, { id: 1, name, type });
    if (reply === undefined) return { ok: false, reason: 'timeout', detail: 'no reply' };
    return reply === 'malformed' ? { ok: false, reason: 'malformed', detail: 'malformed' } : reply;
  };
}

export function desired(role: string, name: string, data: RecordData, stage: Stage = 'auth'): DesiredRecord {
  return { name, ttl: 3600, data, role, stage, rank: 'required', reason: role };
}

export const txt = (text: string): RecordData => ({ type: 'TXT', text });

/** TXT line with the value cut into strings of 255 bytes. */
export function txtLine(name: string, text: string): string {
  const parts = text.match(/[\s\S]{1,255}/g) ?? [''];
  return `${name} TXT ${parts.map((part) => `"${part.replace(/(["\\])/g, '\\$1')}"`).join(' ')}`;
}

/** Zone-file-like line for the lab. */
export function lineOf({ name, data }: Pick<DesiredRecord, 'name' | 'data'>): string {
  switch (data.type) {
    case 'A':
    case 'AAAA':
      return `${name} ${data.type} ${data.address}`;
    case 'CNAME':
    case 'NS':
    case 'PTR':
      return `${name} ${data.type} ${data.target}`;
    case 'MX':
      return `${name} MX ${data.preference} ${data.exchange || '.'}`;
    case 'TXT':
      return txtLine(name, data.text);
    case 'SRV':
      return `${name} SRV ${data.priority} ${data.weight} ${data.port} ${data.target || '.'}`;
    case 'CAA':
      return `${name} CAA ${data.flags} ${data.tag} "${data.value}"`;
    case 'TLSA':
      return `${name} TLSA ${data.usage} ${data.selector} ${data.matchingType} ${data.data}`;
    case 'OTHER':
      throw new Error('the lab has no such records');
  }
}

/** 2048 bits; made once for the tests. */
export const dkimPublicKey =
  'MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAptTsdeUJb/lWzWihmDpAwwfPatbZc6NEtw00s5n87Tec3hBuPuHiiDv4iVwLJUlzJxyjwKeEbvxgZRHHm2B9mX+aZDyuf5wKN+dxlrbMbU2h5EF9cPyakyOPNEed5BzObeF+jrBtkI/uU4ftOxhKCufQxC69K0yXCf+vRBHZg4+jxDktXhpLqix0CKMbAVI/4yir9VR98rLhOoiffg6DvpEhXFRyD8Tl6vXsamkE0G3M+wIVZaePEHZZJOOrkUGM2hAiOeMRua13h7XRfUo9LsHMCXX7zfaqekVgqIFiL7Emfy++xISBbBcXKDInajmydmCiDyhdrKRZLs7pvIipUQIDAQAB';

export const stsPolicy = 'version: STSv1\nmode: enforce\nmx: mail.example.org\nmax_age: 604800\n';

export const healthyPlan: readonly DesiredRecord[] = [
  desired('a', 'mail.example.org', { type: 'A', address: '198.51.100.25' }, 'host'),
  desired('host-spf', 'mail.example.org', txt('v=spf1 a -all')),
  desired('spf', 'example.org', txt('v=spf1 a:mail.example.org -all')),
  desired('dkim', 's202611._domainkey.example.org', txt(`v=DKIM1; k=rsa; p=${dkimPublicKey}`)),
  desired(
    'dmarc',
    '_dmarc.example.org',
    txt('v=DMARC1; p=quarantine; rua=mailto:postmaster@example.org'),
    'policy',
  ),
  desired('mx', 'example.org', { type: 'MX', preference: 10, exchange: 'mail.example.org' }, 'mx'),
  desired('mta-sts-host', 'mta-sts.example.org', { type: 'CNAME', target: 'mail.example.org' }, 'host'),
  desired('mta-sts', '_mta-sts.example.org', txt(`v=STSv1; id=${mtaStsId(stsPolicy)}`), 'tail'),
  desired('tls-rpt', '_smtp._tls.example.org', txt('v=TLSRPTv1; rua=mailto:postmaster@example.org'), 'tail'),
  desired(
    'tlsa',
    '_25._tcp.mail.example.org',
    { type: 'TLSA', usage: 3, selector: 1, matchingType: 1, data: 'ab'.repeat(32) },
    'tail',
  ),
  desired(
    'srv',
    '_imaps._tcp.example.org',
    { type: 'SRV', priority: 0, weight: 1, port: 993, target: 'mail.example.org' },
    'tail',
  ),
  desired(
    'srv',
    '_pop3._tcp.example.org',
    { type: 'SRV', priority: 0, weight: 0, port: 0, target: '' },
    'tail',
  ),
  desired('autoconfig', 'autoconfig.example.org', { type: 'CNAME', target: 'mail.example.org' }, 'tail'),
  desired('caa', 'example.org', { type: 'CAA', flags: 0, tag: 'issue', value: 'letsencrypt.org' }, 'tail'),
];

export const healthyWorld = ['25.100.51.198.in-addr.arpa PTR mail.example.org'];

export const healthyTarget: DnsTarget = {
  domain: 'example.org',
  host: 'mail.example.org',
  addresses: ['198.51.100.25'],
  mail: 'full',
  expected: healthyPlan,
  selectors: [],
  issuer: 'letsencrypt.org',
};
