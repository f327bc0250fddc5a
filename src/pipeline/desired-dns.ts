import type { Lock } from '../config/lock.js';
import type { Config } from '../config/schema.js';
import { isWithin } from '../dns/canonical.js';
import { findOtherSenders } from '../dns/other-senders.js';
import type { DesiredRecord, DnsRecord } from '../dns/record.js';
import { desiredRecords } from '../dns/records/index.js';
import type { DkimInput, HostInput, RecordsInput } from '../dns/records/input.js';
import { domainsOf } from './survey.js';

export interface DnsIntent {
  input: RecordsInput;
  desired: DesiredRecord[];
}

export interface HostAddresses {
  ipv4?: string;
  ipv6?: string;
}

/** What every server of the profile `mailboxes` serves (RFC 6186, RFC 8314); plain IMAP and POP3 are not offered. */
const offered = { submissions: true, submission: true, imaps: true };

/**
 * What should stand in DNS for one server and its domains. Pure. `live` are all records of the zones; `dkim` gives each
 * domain's selectors, with the public key once the server has made it; `issuer` the CA that an existing CAA set has to
 * let in.
 */
export function intendDns(
  config: Config,
  lock: Lock,
  hostname: string,
  addresses: HostAddresses,
  dkim: ReadonlyMap<string, readonly DkimInput[]>,
  live: readonly DnsRecord[],
  issuer?: string,
): DnsIntent {
  const domains = domainsOf(config, hostname);
  const ttl = domains[0]?.[1].ttl ?? 3600;
  const home = domains.find(([name]) => isWithin(hostname, name)) ?? domains[0];
  const host: HostInput = {
    name: hostname,
    ttl,
    ...addresses,
    ...(home === undefined ? {} : { records: home[1].records }),
    ...(issuer === undefined ? {} : { features: { caa: { issuer } } }),
  };
  const input: RecordsInput = {
    hosts: [host],
    domains: domains.map(([name, domain]) => {
      const pinned = lock.domains[name];
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
        records: domain.records,
        features: {
          srv: offered,
          ...(domain.tlsRpt === undefined ? {} : { tlsRpt: domain.tlsRpt }),
        },
        otherSenders: findOtherSenders(name, host, live, domain.backup).length > 0,
        pinned: {
          ...(pinned?.spf === undefined ? {} : { spf: pinned.spf }),
          ...(pinned?.dmarc === undefined ? {} : { dmarc: pinned.dmarc }),
        },
      };
    }),
    parked: domains.flatMap(([, domain]) => (domain.parked ?? []).map((name) => ({ name, ttl: domain.ttl }))),
  };
  return { input, desired: desiredRecords(input) };
}
