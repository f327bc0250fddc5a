import type { Lock } from '../config/lock.js';
import { isWithin } from '../dns/canonical.js';
import { parseTagList, tagValue } from '../dns/parse/tag-list.js';
import type { DnsRecord } from '../dns/record.js';
import type { DkimInput } from '../dns/records/input.js';
import { isSpfRecord } from '../dns/spf/index.js';
import type { PublicAddresses } from './choose-addresses.js';

export interface LockFacts {
  hostname: string;
  addresses: PublicAddresses;
  /** By domain, the signing selector first. */
  dkim: ReadonlyMap<string, readonly DkimInput[]>;
  /** The zones as they stand after the apply. */
  zones: readonly { name: string; records: readonly DnsRecord[] }[];
  /** Milliseconds since the epoch. */
  now: number;
}

/** The lock file with what is known now about one server and its domains. Pure; other servers' entries stay. */
export function makeLock(before: Lock, { hostname, addresses, dkim, zones, now }: LockFacts): Lock {
  const { ipv4, ipv6 } = addresses;
  const domains = { ...before.domains };
  for (const [name, keys] of dkim) {
    const zone = [...zones]
      .filter((candidate) => isWithin(name, candidate.name))
      .sort((a, b) => b.name.length - a.name.length)[0];
    const spf = textAt(zone?.records ?? [], name, isSpfRecord);
    const dmarc = textAt(zone?.records ?? [], `_dmarc.${name}`, isDmarc);
    domains[name] = {
      dkim: keys.flatMap(({ selector, publicKey }) =>
        publicKey === undefined ? [] : [{ selector, publicKey }],
      ),
      ...(zone === undefined ? {} : { zone: zone.name }),
      ...(spf === undefined ? {} : { spf }),
      ...(dmarc === undefined
        ? {}
        : {
            dmarc,
            dmarcSince: before.domains[name]?.dmarcSince ?? new Date(now).toISOString().slice(0, 10),
          }),
    };
  }
  return {
    version: 1,
    servers: {
      ...before.servers,
      [hostname]: { ...(ipv4 === undefined ? {} : { ipv4 }), ...(ipv6 === undefined ? {} : { ipv6 }) },
    },
    domains,
  };
}

function textAt(
  records: readonly DnsRecord[],
  name: string,
  matches: (text: string) => boolean,
): string | undefined {
  const texts = records.flatMap((record) =>
    record.name === name && record.data.type === 'TXT' && matches(record.data.text) ? [record.data.text] : [],
  );
  return texts[0];
}

function isDmarc(text: string): boolean {
  const list = parseTagList(text);
  return list.ok && tagValue(list.tags, 'v') === 'DMARC1';
}
