import type { DkimRotation, Lock } from '../config/lock.js';
import { isWithin } from '../dns/canonical.js';
import { isStsRecord, parseStsRecord } from '../dns/parse/mta-sts.js';
import { parseTagList, tagValue } from '../dns/parse/tag-list.js';
import type { DnsRecord } from '../dns/record.js';
import type { DkimInput } from '../dns/records/input.js';
import { tlsaName } from '../dns/records/tlsa.js';
import { foreignWebLabels } from '../dns/records/web-labels.js';
import { isSpfRecord } from '../dns/spf/index.js';
import type { PublicAddresses } from './choose-addresses.js';

export interface LockFacts {
  hostname: string;
  addresses: PublicAddresses;
  /** By domain, the signing selector first. */
  dkim: ReadonlyMap<string, readonly DkimInput[]>;
  /** What Rspamd signs with now. */
  signing?: readonly { domain: string; selector: string }[];
  /** The zones as they stand after the apply. */
  zones: readonly { name: string; nameServers?: readonly string[]; records: readonly DnsRecord[] }[];
  /** By domain, the SPF includes that are ours to take away again. */
  spfIncludes?: ReadonlyMap<string, readonly string[]>;
  /** Digests of the server's keys, the one in use first. */
  digests?: readonly string[];
  /** MTA-STS modes as configured and the ids of their policies, by domain. */
  mtaSts?: ReadonlyMap<string, { mode: 'testing' | 'enforce' | 'none'; id: string }>;
  /** Records that the merge rules leave out (`findLeftOut`). */
  leftOut?: readonly string[];
  /** Milliseconds since the epoch. */
  now: number;
}

/** The lock file with what is known now about one server and its domains. Pure; other servers' entries stay. */
export function makeLock(before: Lock, facts: LockFacts): Lock {
  const { hostname, addresses, dkim, zones, now } = facts;
  const { ipv4, ipv6 } = addresses;
  const { [hostname]: _before, ...otherTlsa } = before.tlsa ?? {};
  const published = publishedDigests(facts);
  const tlsa = published.length === 0 ? otherTlsa : { ...otherTlsa, [hostname]: published };
  const domains = { ...before.domains };
  for (const [name, keys] of dkim) {
    const zone = [...zones]
      .filter((candidate) => isWithin(name, candidate.name))
      .sort((a, b) => b.name.length - a.name.length)[0];
    const spf = textAt(zone?.records ?? [], name, isSpfRecord);
    const dmarc = textAt(zone?.records ?? [], `_dmarc.${name}`, isDmarc);
    const spfIncludes = [...(facts.spfIncludes?.get(name) ?? [])];
    const elsewhere = foreignWebLabels(name, { name: hostname, ...addresses }, zone?.records ?? []);
    const mtaSts = followPolicy(before.domains[name]?.mtaSts, name, facts);
    const rotation = followRotation(before.domains[name]?.rotation, name, facts);
    const signs = facts.signing?.find(({ domain }) => domain === name)?.selector;
    const sorted = [...keys].sort((a, b) => Number(b.selector === signs) - Number(a.selector === signs));
    domains[name] = {
      ...(rotation === undefined ? {} : { rotation }),
      ...(elsewhere.length === 0 ? {} : { elsewhere }),
      ...(mtaSts === undefined ? {} : { mtaSts }),
      dkim: sorted.flatMap(({ selector, publicKey }) =>
        publicKey === undefined ? [] : [{ selector, publicKey }],
      ),
      ...(zone === undefined ? {} : { zone: zone.name }),
      ...(zone?.nameServers?.length ? { nameServers: [...zone.nameServers].sort() } : {}),
      ...(spf === undefined ? {} : { spf }),
      ...(spfIncludes.length === 0 ? {} : { spfIncludes }),
      ...(dmarc === undefined
        ? {}
        : {
            dmarc,
            dmarcSince: before.domains[name]?.dmarcSince ?? new Date(now).toISOString().slice(0, 10),
          }),
    };
  }
  const { tlsa: _all, leftOut: _left, ...rest } = before;
  const { [hostname]: _mine, ...otherLeftOut } = before.leftOut ?? {};
  const own = [...(facts.leftOut ?? [])];
  const leftOut = own.length === 0 ? otherLeftOut : { ...otherLeftOut, [hostname]: own };
  return {
    ...rest,
    version: 1,
    servers: {
      ...before.servers,
      [hostname]: { ...(ipv4 === undefined ? {} : { ipv4 }), ...(ipv6 === undefined ? {} : { ipv6 }) },
    },
    ...(Object.keys(tlsa).length === 0 ? {} : { tlsa }),
    ...(Object.keys(leftOut).length === 0 ? {} : { leftOut }),
    domains,
  };
}

/** Of the server's keys, those that the zone announces. */
function publishedDigests({ hostname, zones, digests = [] }: LockFacts): string[] {
  const announced = zones.flatMap(({ records }) =>
    records.flatMap(({ name, data }) =>
      name === tlsaName(hostname) && data.type === 'TLSA' ? [data.data.toLowerCase()] : [],
    ),
  );
  return digests.filter((digest) => announced.includes(digest));
}

/** The moment at which the new key was first seen to sign is written down once. */
function followRotation(
  rotation: DkimRotation | undefined,
  name: string,
  { signing = [], now }: LockFacts,
): DkimRotation | undefined {
  if (rotation === undefined || rotation.switched !== undefined) return rotation;
  const signs = signing.some(({ domain, selector }) => domain === name && selector === rotation.to);
  return signs ? { ...rotation, switched: new Date(now).toISOString() } : rotation;
}

/** The day on which a mode was first seen announced: what is tried out is to be ended some day. */
function followPolicy(
  known: Lock['domains'][string]['mtaSts'],
  name: string,
  { mtaSts, zones, now }: LockFacts,
): Lock['domains'][string]['mtaSts'] {
  const wanted = mtaSts?.get(name);
  const [announced] = zones.flatMap(({ records }) => textAt(records, `_mta-sts.${name}`, isStsRecord) ?? []);
  if (wanted === undefined || announced === undefined) return undefined;
  const { mode } = wanted;
  const record = parseStsRecord(announced);
  // Somebody else's record, which stays, is none of ours.
  const id = [wanted.id, known?.id].find((own) => record.ok && record.id === own);
  const since = known?.mode === mode ? known.since : new Date(now).toISOString().slice(0, 10);
  return { mode, since, ...(id === undefined ? {} : { id }) };
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
