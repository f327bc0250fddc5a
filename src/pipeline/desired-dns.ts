import type { DomainWeb } from '../components/model.js';
import type { Lock } from '../config/lock.js';
import type { Config, DomainConfig } from '../config/schema.js';
import { isWithin } from '../dns/canonical.js';
import { findOtherSenders } from '../dns/other-senders.js';
import type { DesiredRecord, DnsRecord } from '../dns/record.js';
import { desiredRecords } from '../dns/records/index.js';
import type { DkimInput, HostInput, RecordsInput } from '../dns/records/input.js';
import { mtaStsPolicy } from '../dns/records/mta-sts.js';
import { foreignWebLabels, type WebLabel, webLabels } from '../dns/records/web-labels.js';
import { isSpfRecord, parseSpf } from '../dns/spf/index.js';
import { type ConfiguredRelay, relayFor, relaysOf } from '../relay/relays-of.js';
import { domainsOf } from './survey.js';

export interface DnsIntent {
  input: RecordsInput;
  desired: DesiredRecord[];
  /** What the host serves over HTTPS, by domain. */
  web: ReadonlyMap<string, DomainWeb>;
}

export interface HostAddresses {
  ipv4?: string;
  ipv6?: string;
}

/** What every server of the profile `mailboxes` serves (RFC 6186, RFC 8314); plain IMAP and POP3 are not offered. */
const offered = { submissions: true, submission: true, imaps: true };

/**
 * What should stand in DNS for one server and its domains. Pure. `live` are all records of the zones, if they were
 * read; `dkim` gives each domain's selectors, with the public key once the server has made it; `issuer` is the CA that an
 * existing CAA set has to let in; `tlsa` the digests of the key in use and the next one, where DANE is possible.
 */
export function intendDns(
  config: Config,
  lock: Lock,
  hostname: string,
  addresses: HostAddresses,
  dkim: ReadonlyMap<string, readonly DkimInput[]>,
  live: readonly DnsRecord[] | undefined,
  issuer?: string,
  tlsa?: readonly (string | undefined)[],
): DnsIntent {
  const domains = domainsOf(config, hostname);
  const relays = relaysOf(config, hostname);
  const ttl = domains[0]?.[1].ttl ?? 3600;
  const home = domains.find(([name]) => isWithin(hostname, name)) ?? domains[0];
  const host: HostInput = {
    name: hostname,
    ttl,
    ...addresses,
    ...(home === undefined ? {} : { records: home[1].records }),
    features: {
      ...(issuer === undefined ? {} : { caa: { issuer } }),
      ...(tlsa === undefined ? {} : { tlsa: { zoneSigned: true, renewalsReuseKey: true, digests: tlsa } }),
    },
  };
  const web = new Map(
    domains.flatMap(([name, domain]): [string, DomainWeb][] => {
      // Without the zone's records at hand, what the last apply found holds.
      const foreign =
        live === undefined ? (lock.domains[name]?.elsewhere ?? []) : foreignWebLabels(name, host, live);
      const served = serveDomain(domain, hostname, foreign);
      return served === undefined ? [] : [[name, served]];
    }),
  );
  const input: RecordsInput = {
    hosts: [host],
    domains: domains.map(([name, domain]) => {
      const pinned = lock.domains[name];
      const includes = relayIncludes(relays, name);
      const withdrawn = (pinned?.spfIncludes ?? []).filter((include) => !includes.includes(include));
      const elsewhere = live === undefined ? (pinned?.elsewhere ?? []) : [];
      const policyText = web.get(name)?.policy;
      return {
        name,
        host: hostname,
        ...(domain.backup === undefined ? {} : { backup: domain.backup }),
        mail: domain.mail,
        ttl: domain.ttl,
        dkim: dkim.get(name) ?? [],
        dmarc: {
          ...(domain.dmarc.policy === undefined ? {} : { policy: domain.dmarc.policy }),
          ...(domain.dmarc.rua === undefined ? {} : { rua: domain.dmarc.rua }),
        },
        records: { ...domain.records, ...Object.fromEntries(elsewhere.map((label) => [label, false])) },
        features: {
          srv: offered,
          autoconfig: true,
          // Published only once it was seen to be served: the apply looks before it writes the record (R16).
          ...(policyText === undefined ? {} : { mtaSts: { policyText, served: true } }),
          // As with DMARC, postmaster is there in any case; without reports nobody could tell when to enforce.
          tlsRpt:
            domain.tlsRpt === undefined
              ? { rua: [`postmaster@${name}`] }
              : { rua: domain.tlsRpt.rua, firm: true },
          ...(issuer === undefined || !web.has(name) ? {} : { caa: { issuer } }),
        },
        ...(includes.length === 0 ? {} : { spfIncludes: includes }),
        ...(withdrawn.length === 0 ? {} : { withdrawnIncludes: withdrawn }),
        otherSenders:
          findOtherSenders(name, host, live ?? [], domain.backup, [...includes, ...withdrawn]).length > 0,
        pinned: {
          ...(pinned?.spf === undefined ? {} : { spf: pinned.spf }),
          ...(pinned?.dmarc === undefined ? {} : { dmarc: pinned.dmarc }),
          ...(pinned?.mtaSts?.id === undefined ? {} : { mtaSts: pinned.mtaSts.id }),
        },
      };
    }),
    parked: domains.flatMap(([, domain]) => (domain.parked ?? []).map((name) => ({ name, ttl: domain.ttl }))),
  };
  return { input, desired: desiredRecords(input), web };
}

/** What a domain's web names serve; nothing for a domain whose mail goes elsewhere, or whose names do. */
function serveDomain(
  { mail, backup, records, mtaSts = { mode: 'testing' } }: DomainConfig,
  hostname: string,
  foreign: readonly WebLabel[],
): DomainWeb | undefined {
  if (mail === 'send-only') return undefined;
  const wanted = new Set(
    webLabels.filter(
      (label) => !foreign.includes(label) && records[label === 'mta-sts' ? 'mta-sts-host' : label] !== false,
    ),
  );
  if (wanted.size === 0) return undefined;
  return {
    autoconfig: wanted.has('autoconfig'),
    autodiscover: wanted.has('autodiscover'),
    ...(wanted.has('mta-sts')
      ? { policy: mtaStsPolicy(mtaSts, backup === undefined ? [hostname] : [hostname, backup]) }
      : {}),
  };
}

function relayIncludes(relays: readonly ConfiguredRelay[], domain: string): string[] {
  const include = relayFor(relays, domain)?.spfInclude;
  return include === undefined ? [] : [include];
}

/**
 * By domain, the includes in its SPF that are ours to take away again: those of an earlier apply, and those that are
 * wanted and did not stand there before this one. Pure.
 */
export function ownIncludes(
  { input }: DnsIntent,
  lock: Lock,
  live: readonly DnsRecord[],
): ReadonlyMap<string, readonly string[]> {
  return new Map(
    input.domains.map(({ name, spfIncludes = [] }) => {
      const before = lock.domains[name]?.spfIncludes ?? [];
      return [name, spfIncludes.filter((one) => before.includes(one) || !standsInSpf(live, name, one))];
    }),
  );
}

function standsInSpf(live: readonly DnsRecord[], name: string, include: string): boolean {
  return live.some(({ name: at, data }) => {
    if (at !== name || data.type !== 'TXT' || !isSpfRecord(data.text)) return false;
    const parsed = parseSpf(data.text);
    return (
      parsed.ok &&
      parsed.record.mechanisms.some(
        (term) => term.name === 'include' && term.domainSpec?.toLowerCase() === include,
      )
    );
  });
}
