import { Exit, SetupError } from '../../errors.js';
import { sanitizeLine } from '../../lib/sanitize.js';
import { canonicalName } from '../canonical.js';
import { auditByCapabilities, auditTargets } from './audit-record.js';
import type { Capabilities, DnsProvider, ProviderContext, ProviderDefinition } from './provider.js';
import { UpdateClient, type UpdateServer } from './rfc2136/client.js';
import { readAlgorithm } from './rfc2136/tsig.js';
import { createWriter, findZone, listZone, verifyKey } from './rfc2136/zone.js';
import { writeChanges } from './write-changes.js';

const capabilities: Capabilities = {
  types: new Set(['A', 'AAAA', 'CNAME', 'NS', 'PTR', 'MX', 'TXT', 'SRV', 'CAA', 'TLSA']),
  unit: 'rrset',
  // One message is one transaction, but its bad members are then told apart by writing the others one by one.
  atomic: false,
  marks: 'none',
  minTtl: 0,
  maxTtl: 2_147_483_647,
  batchMax: 500,
  nullMx: true,
};

const rights = 'a TSIG key that may update and transfer the zone';

/** Any server that takes dynamic updates (RFC 2136) signed with TSIG (RFC 8945): BIND, Knot, PowerDNS, Windows. */
export const rfc2136: ProviderDefinition = {
  id: 'rfc2136',
  title: 'Dynamic update (RFC 2136)',
  // Anybody's servers may take updates.
  nameServers: [],
  credentials: [
    {
      key: 'server',
      label: 'primary name server, as HOST or HOST:PORT',
      secret: false,
      env: ['DNSUPDATE_NAMESERVER', 'RFC2136_NAMESERVER', 'DNS_UPDATE_SERVER'],
    },
    {
      key: 'keyName',
      label: 'TSIG key name',
      secret: false,
      env: ['DNSUPDATE_TSIG_KEY', 'RFC2136_TSIG_KEY', 'DNS_UPDATE_KEYNAME'],
    },
    {
      key: 'secret',
      label: 'TSIG secret (base64)',
      secret: true,
      env: ['DNSUPDATE_TSIG_SECRET', 'RFC2136_TSIG_SECRET', 'DNS_UPDATE_KEYSECRET'],
      help: 'made with: tsig-keygen NAME (BIND) or keymgr -t NAME (Knot)',
    },
    {
      key: 'algorithm',
      label: 'TSIG algorithm',
      secret: false,
      optional: true,
      env: ['DNSUPDATE_TSIG_ALGORITHM', 'RFC2136_TSIG_ALGORITHM', 'DNS_UPDATE_KEYALGORITHM'],
      help: 'hmac-sha256 when not given',
    },
    { key: 'port', label: 'port', secret: false, optional: true, env: ['DNS_UPDATE_PORT'] },
  ],
  tokenUrl: 'https://bind9.readthedocs.io/en/stable/chapter7.html#tsig',
  rights,
  capabilities,
  open: openRfc2136,
};

async function openRfc2136(context: ProviderContext): Promise<DnsProvider> {
  const server = readServer(context.credentials);
  context.log(`DNS updates go to ${sanitizeLine(server.host, 200)} port ${server.port}`);
  const client = new UpdateClient(server, context);
  const audit: DnsProvider['audit'] = (record) => [
    ...auditByCapabilities('The server', capabilities, record),
    ...auditTargets(record.data),
  ];
  const access = { client, context, keyName: server.key.name };
  return {
    verify: () => verifyKey(access),
    findZone: (name) => findZone(access, name),
    list: (zone) => listZone(access, zone),
    audit,
    apply: (zone, changes) => writeChanges(createWriter(access, audit), zone, changes),
  };
}

function readServer({
  server = '',
  port,
  keyName = '',
  secret = '',
  algorithm,
}: Readonly<Record<string, string>>): UpdateServer {
  const bracketed = /^\[([0-9a-fA-F:.]+)\](?::(\d{1,5}))?$/.exec(server);
  const plain = /^([^:\s/]+)(?::(\d{1,5}))?$/.exec(server);
  const bare = /^[0-9a-fA-F:.]+$/.test(server) ? server : undefined;
  const host = bracketed?.[1] ?? plain?.[1] ?? bare;
  const wantedPort = Number(bracketed?.[2] ?? plain?.[2] ?? port ?? 53);
  const wireName = readAlgorithm(algorithm ?? 'hmac-sha256');
  const problems = [
    ...(host === undefined || wantedPort < 1 || wantedPort > 65_535
      ? ['the name server is not HOST or HOST:PORT']
      : []),
    ...(/^[A-Za-z0-9._-]{1,253}$/.test(keyName) ? [] : ['the TSIG key name is not a domain name']),
    ...(/^[A-Za-z0-9+/]{8,}={0,2}$/.test(secret) ? [] : ['the TSIG secret is not base64']),
    ...(wireName === undefined
      ? ['the TSIG algorithm is none of hmac-sha256, -sha512, -sha384, -sha224, -sha1, -md5']
      : []),
  ];
  if (problems.length === 0 && host !== undefined && wireName !== undefined) {
    const key = { name: canonicalName(keyName), algorithm: wireName, secret: Buffer.from(secret, 'base64') };
    return { host, port: wantedPort, key };
  }
  throw new SetupError({
    code: 'E_DNS_ENDPOINT',
    exit: Exit.usage,
    what: 'The settings for dynamic updates cannot be used.',
    evidence: problems,
    fix: [
      'Set DNSUPDATE_NAMESERVER, DNSUPDATE_TSIG_KEY, DNSUPDATE_TSIG_SECRET and DNSUPDATE_TSIG_ALGORITHM.',
    ],
  });
}
