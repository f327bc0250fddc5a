import type { Lock } from '../config/lock.js';
import type { Config } from '../config/schema.js';
import { findOtherSenders } from '../dns/other-senders.js';
import type { DesiredRecord, DnsRecord } from '../dns/record.js';
import { desiredRecords } from '../dns/records/index.js';
import type { DkimInput, RecordsInput } from '../dns/records/input.js';
import { domainsOf } from './survey.js';

export interface DnsIntent {
  input: RecordsInput;
  desired: DesiredRecord[];
}

export interface HostAddresses {
  ipv4?: string;
  ipv6?: string;
}

/**
 * What should stand in DNS for one server and its domains. Pure. `live` are all records of the zones; `dkim` gives each
 * domain's selectors, with the public key once the server has made it.
 */
export function intendDns(
  config: Config,
  lock: Lock,
  hostname: string,
  addresses: HostAddresses,
  dkim: ReadonlyMap<string, readonly DkimInput[]>,
  live: readonly DnsRecord[],
): DnsIntent {
  const domains = domainsOf(config, hostname);
  const ttl = domains[0]?.[1].ttl ?? 3600;
  const host = { name: hostname, ttl, ...addresses };
  const input: RecordsInput = {
    hosts: [host],
    domains: domains.map(([name, domain]) => {
      const pinned = lock.domains[name];
      return {
        name,
        host: hostname,
        mail: domain.mail,
        ttl: domain.ttl,
        dkim: dkim.get(name) ?? [],
        dmarc: {
          ...(domain.dmarc.policy === undefined ? {} : { policy: domain.dmarc.policy }),
          ...(domain.dmarc.rua === undefined ? {} : { rua: domain.dmarc.rua }),
        },
        records: domain.records,
        otherSenders: findOtherSenders(name, host, live).length > 0,
        pinned: {
          ...(pinned?.spf === undefined ? {} : { spf: pinned.spf }),
          ...(pinned?.dmarc === undefined ? {} : { dmarc: pinned.dmarc }),
        },
      };
    }),
  };
  return { input, desired: desiredRecords(input) };
}
