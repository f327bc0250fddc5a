import { formatRecord, sameData } from '../canonical.js';
import type { LiveRecord } from '../record.js';
import type { DomainInput } from '../records/input.js';
import type { Conflict } from '../zone-plan.js';
import type { PlanBuilder } from './builder.js';

/** `*.example.org` stands for one left-most label (RFC 8461 section 4.1). */
export function stsPatternMatches(pattern: string, host: string): boolean {
  const lower = pattern.toLowerCase().replace(/\.$/, '');
  if (!lower.startsWith('*.')) return lower === host;
  return host.slice(host.indexOf('.') + 1) === lower.slice(2);
}

function stsBlock(b: PlanBuilder, domain: DomainInput): Conflict | undefined {
  const name = `_mta-sts.${domain.name}`;
  const foreign = [...b.set(name, 'TXT'), ...b.set(name, 'CNAME')].filter(
    (record) =>
      !b.isOurs(record) &&
      !b.input.desired.some((own) => own.name === name && sameData(own.data, record.data)),
  );
  if (foreign.length === 0) return undefined;
  const policy = b.input.evidence?.stsPolicy?.[domain.name] ?? 'unknown';
  if (policy !== 'unknown') {
    if (policy.mode === 'none') return undefined;
    if (policy.mx.some((pattern) => stsPatternMatches(pattern, domain.host))) return undefined;
  }
  return {
    code: 'E_MX_STS_POLICY',
    role: 'mx',
    what:
      policy === 'unknown'
        ? `${domain.name} announces an MTA-STS policy that could not be read; it may forbid delivery to ${domain.host}.`
        : `The MTA-STS policy of ${domain.name} does not list ${domain.host}: senders would refuse to deliver there.`,
    evidence: [
      ...foreign.map(formatRecord),
      ...(policy === 'unknown' ? [] : policy.mx.map((mx) => `policy mx: ${mx}`)),
    ],
    fix: [
      ...(policy === 'unknown'
        ? [
            `Look at https://mta-sts.${domain.name}/.well-known/mta-sts.txt; if nobody serves it any more, delete the record.`,
          ]
        : []),
      `Add "mx: ${domain.host}" to the policy, or set it to "mode: none", and change its id.`,
      'Then wait for the max_age of the old policy: senders keep it that long, up to a year.',
    ],
  };
}

function tlsaBlock(b: PlanBuilder, domain: DomainInput): Conflict | undefined {
  const name = `_25._tcp.${domain.host}`;
  const wanted = b.input.desired.filter((record) => record.name === name);
  const foreign = b
    .set(name, 'TLSA')
    .filter((record) => !b.isOurs(record) && !wanted.some((own) => sameData(own.data, record.data)));
  if (foreign.length === 0) return undefined;
  return {
    code: 'E_MX_TLSA_FOREIGN',
    role: 'mx',
    what: `A TLSA record at ${name} is not of this server: senders that know DANE would refuse to deliver.`,
    evidence: foreign.map(formatRecord),
    fix: ['Delete it at the DNS provider and wait for two of its TTLs.'],
  };
}

function implicitMxBlock(
  b: PlanBuilder,
  domain: DomainInput,
  set: readonly LiveRecord[],
): Conflict | undefined {
  const address = b.input.evidence?.implicitMx?.[domain.name];
  const host = b.input.input.hosts.find(({ name }) => name === domain.host);
  if (set.length > 0 || address === undefined || address === host?.ipv4 || address === host?.ipv6)
    return undefined;
  return {
    code: 'E_MX_IMPLICIT',
    role: 'mx',
    what: `${domain.name} has no MX, but its own address answers on port 25: mail is delivered there today (RFC 5321 section 5.1).`,
    evidence: [`${domain.name} leads to ${address}, port 25 answers`],
    fix: [
      'If mail shall stay there: publish an MX for that server, and set "mail: send-only" for the domain in smtp-setup.yaml.',
      'If nobody reads mail there: stop its mail server or close port 25, then run this again.',
    ],
  };
}

/** What makes an MX to this server lose mail, whatever the user allowed (A2). */
export function mxBlocks(b: PlanBuilder, domain: DomainInput, set: readonly LiveRecord[]): Conflict[] {
  return [implicitMxBlock(b, domain, set), stsBlock(b, domain), tlsaBlock(b, domain)].filter(
    (conflict) => conflict !== undefined,
  );
}
