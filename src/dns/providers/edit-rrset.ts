import { recordKey, rrsetKey, sameRecord } from '../canonical.js';
import type { LiveRecord } from '../record.js';
import type { NeededChange } from './write-changes.js';

/** A record set before and after the changes to it: what an API that replaces whole sets must be given. */
export interface RrsetEdit {
  name: string;
  type: string;
  /** Seconds; one for all members (RFC 2181 section 5.2). */
  ttl: number;
  before: readonly LiveRecord[];
  /** Foreign members included; empty: the set goes. */
  after: readonly LiveRecord[];
  needed: readonly NeededChange[];
}

/**
 * Merges changes into the sets that stand there, so that foreign members survive. The set's TTL stays (R13) unless an
 * update asks for another, or nothing of the old set is left.
 */
export function editRrsets(needed: readonly NeededChange[], live: readonly LiveRecord[]): RrsetEdit[] {
  const bySet = new Map<string, NeededChange[]>();
  for (const item of needed) {
    const { change } = item;
    const key = rrsetKey(change.op === 'delete' ? change.before : change.after);
    bySet.set(key, [...(bySet.get(key) ?? []), item]);
  }
  return [...bySet].map(([key, items]) => editRrset(key, items, live));
}

function editRrset(key: string, needed: readonly NeededChange[], live: readonly LiveRecord[]): RrsetEdit {
  const before = live.filter((record) => rrsetKey(record) === key);
  let after = [...before];
  let wanted: number | undefined;
  for (const { change, current } of needed) {
    if (change.op !== 'create')
      after = after.filter((record) => current === undefined || !sameRecord(record, current));
    if (change.op === 'update' && change.after.ttl !== change.before.ttl) wanted ??= change.after.ttl;
    if (change.op === 'delete') continue;
    const { name, ttl, data } = change.after;
    const mark = change.mark ?? (change.op === 'update' ? current?.mark : undefined);
    after.push({ name, ttl, data, ...(mark === undefined ? {} : { mark }) });
  }
  const kept = before.filter((record) => after.includes(record));
  const updated = needed.find(({ change }) => change.op === 'update');
  const ttl = wanted ?? kept[0]?.ttl ?? updated?.current?.ttl ?? after[0]?.ttl ?? 0;
  const [name = '', type = ''] = splitKey(key);
  const unique = new Map(after.map((record) => [recordKey(record), { ...record, ttl }]));
  return { name, type, ttl, before, after: [...unique.values()], needed };
}

function splitKey(key: string): [string, string] {
  const at = key.lastIndexOf(' ');
  return [key.slice(0, at), key.slice(at + 1)];
}

/** What an edit leaves of each change, in the order of `needed`. */
export function recordsAfter({ needed, after }: RrsetEdit): (LiveRecord | undefined)[] {
  return needed.map(({ change }) =>
    change.op === 'delete' ? undefined : after.find((record) => sameRecord(record, change.after)),
  );
}
