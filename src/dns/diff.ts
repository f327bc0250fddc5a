import { recordKey, rrsetKey } from './canonical.js';
import type { Change, WantedRecord } from './providers/provider.js';
import type { DnsRecord, LiveRecord } from './record.js';

/** Records compared by meaning, and changes tried out in memory. */

/** The members of one set. */
export function recordsOfSet<T extends DnsRecord>(records: readonly T[], key: string): T[] {
  return records.filter((record) => rrsetKey(record) === key);
}

/** Where `wanted` stands in `records`: the provider's id if that still means the same, else the same meaning. */
export function indexOfRecord(records: readonly LiveRecord[], wanted: LiveRecord): number {
  const key = recordKey(wanted);
  const byId = records.findIndex(
    (record) => wanted.id !== undefined && record.id === wanted.id && recordKey(record) === key,
  );
  return byId >= 0 ? byId : records.findIndex((record) => recordKey(record) === key);
}

/** Same members by meaning, and the same proxy state; TTLs may differ (providers round them). */
export function sameSet(a: readonly LiveRecord[], b: readonly LiveRecord[]): boolean {
  const keys = (set: readonly LiveRecord[]): string =>
    set
      .map((record) => `${recordKey(record)} ${record.proxied === true}`)
      .sort()
      .join('\n');
  return keys(a) === keys(b);
}

/** The record that an update leaves behind: the id stays, the proxy goes, the mark changes only when one is given. */
function updated(before: LiveRecord, after: WantedRecord, mark: string | undefined): LiveRecord {
  const { proxied: _proxied, ...rest } = before;
  return {
    ...rest,
    ...after,
    ...(mark === undefined ? {} : { mark }),
  };
}

/** What stands there after the changes; a change whose `before` is gone does nothing, nor one that creates what is there. Pure. */
export function applyChanges(records: readonly LiveRecord[], changes: readonly Change[]): LiveRecord[] {
  const result = [...records];
  for (const change of changes) {
    if (change.op === 'create') {
      // RFC 2181, section 5: a set has no duplicates. A value learnt during the apply may turn out to be there.
      if (result.some((record) => recordKey(record) === recordKey(change.after))) continue;
      result.push({ ...change.after, ...(change.mark === undefined ? {} : { mark: change.mark }) });
      continue;
    }
    const index = indexOfRecord(result, change.before);
    const before = result[index];
    if (before === undefined) continue;
    if (change.op === 'delete') result.splice(index, 1);
    else result[index] = updated(before, change.after, change.mark);
  }
  return result;
}

/** Whether the zone shows a change as done: the value, and where only TTL or proxy change, those. */
export function isInEffect(change: Change, records: readonly LiveRecord[]): boolean {
  if (change.op === 'delete') return indexOfRecord(records, change.before) < 0;
  const there = records.filter((record) => recordKey(record) === recordKey(change.after));
  if (change.op === 'create') return there.length > 0;
  const sameValue = recordKey(change.before) === recordKey(change.after);
  return there.some(
    (record) =>
      (change.after.proxied === true) === (record.proxied === true) &&
      (!sameValue || change.before.ttl === change.after.ttl || record.ttl === change.after.ttl),
  );
}
