import { Exit, SetupError } from '../../errors.js';
import { sanitizeLine } from '../../lib/sanitize.js';
import type { DnsRecord } from '../record.js';
import { textToBytes } from '../txt.js';
import { auditByCapabilities, auditTargets } from './audit-record.js';
import type { Capabilities, DnsProvider, ProviderContext, ProviderDefinition } from './provider.js';
import { Route53Api } from './route53/api.js';
import { defaultEndpoint, openClient } from './route53/open-client.js';
import { readAwsProfile } from './route53/profile.js';
import { createWriter } from './route53/writer.js';
import { writeChanges } from './write-changes.js';

/**
 * https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/ResourceRecordTypes.html (types, forms of values) and DNSLimitations.html
 * (1,000 values and 32,000 characters in a request, 400 values in a set, five requests a second), read 2026-11
 */
const capabilities: Capabilities = {
  types: new Set(['A', 'AAAA', 'CNAME', 'NS', 'PTR', 'MX', 'TXT', 'SRV', 'CAA', 'TLSA']),
  unit: 'rrset',
  // A change batch is one transaction, but its bad members are then told apart by writing the others one by one.
  atomic: false,
  marks: 'none',
  minTtl: 0,
  maxTtl: 2_147_483_647,
  // A batch has 1,000 records at most, counted as deleted and as created.
  batchMax: 200,
  maxTxt: 4000,
  nullMx: true,
};

const rights =
  'route53:ListHostedZonesByName, GetHostedZone, ListResourceRecordSets and ChangeResourceRecordSets on the hosted zone';
const tokenUrl = 'https://console.aws.amazon.com/iam/home#/security_credentials';

/**
 * Amazon Route 53, through the official SDK. Keys are given, in the environment or in the profile that AWS_PROFILE names;
 * roles, single sign-on and the metadata service are not asked.
 */
export const route53: ProviderDefinition = {
  id: 'route53',
  title: 'Amazon Route 53',
  nameServers: [/^ns-\d+\.awsdns-\d+\.(com|net|org|co\.uk)$/],
  credentials: [
    { key: 'accessKeyId', label: 'AWS access key id', secret: false, env: ['AWS_ACCESS_KEY_ID'] },
    { key: 'secretAccessKey', label: 'AWS secret access key', secret: true, env: ['AWS_SECRET_ACCESS_KEY'] },
    {
      key: 'sessionToken',
      label: 'AWS session token',
      secret: true,
      optional: true,
      env: ['AWS_SESSION_TOKEN'],
      help: 'of temporary credentials',
    },
    {
      key: 'hostedZoneId',
      label: 'hosted zone id, where several zones have one name',
      secret: false,
      optional: true,
      env: ['AWS_HOSTED_ZONE_ID'],
    },
  ],
  tokenUrl,
  rights,
  capabilities,
  baseUrlEnv: 'AWS_ENDPOINT_URL_ROUTE_53',
  profile: { ways: ['AWS_PROFILE (a profile that holds access keys)'], read: readAwsProfile },
  open: openRoute53,
};

async function openRoute53(context: ProviderContext): Promise<DnsProvider> {
  const { accessKeyId = '', secretAccessKey = '' } = context.credentials;
  if (!/^[A-Z0-9]{16,128}$/.test(accessKeyId) || !/^\S{16,}$/.test(secretAccessKey)) {
    throw new SetupError({
      code: 'E_DNS_TOKEN',
      exit: Exit.usage,
      what: 'The AWS access key does not look like one.',
      evidence: ['A key id has 16 or more capital letters and digits, a secret 40 characters.'],
      fix: [
        `Make an access key at ${tokenUrl} with ${rights}.`,
        'A role or single sign-on: eval "$(aws configure export-credentials --format env)"',
      ],
    });
  }
  const endpoint = context.baseUrl ?? defaultEndpoint;
  if (endpoint !== defaultEndpoint) context.log(`Route 53 endpoint: ${sanitizeLine(endpoint, 200)}`);
  const api = new Route53Api(await openClient(context, endpoint), context, [
    `Make an access key at ${tokenUrl} with ${rights}.`,
    'Pass it in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN, if temporary).',
  ]);
  return {
    verify: () => api.verify(),
    findZone: (name) => api.findZone(name),
    list: (zone) => api.list(zone),
    audit: auditRecord,
    apply: (zone, changes) => writeChanges(createWriter(api, auditRecord), zone, changes),
  };
}

function auditRecord(record: DnsRecord): string[] {
  const reasons = [...auditByCapabilities('Route 53', capabilities, record), ...auditTargets(record.data)];
  const { data } = record;
  if (data.type === 'TXT' && textToBytes(data.text).length === 0) {
    reasons.push('Route 53 takes no empty TXT record.');
  }
  return reasons;
}
