import { formatRecord, recordKey, sameRecord } from './canonical.js';
import { indexOfRecord, isInEffect } from './diff.js';
import { isDmarcRecord } from './dmarc.js';
import { type ChangeDraft, sequenceChanges } from './merge/sequence.js';
import type { Change, WantedRecord } from './providers/provider.js';
import { type LiveRecord, type Stage, stages } from './record.js';
import { isSpfRecord } from './spf/parse.js';
import type { PlannedChange } from './zone-plan.js';

/** The client's memory of what it wrote to a zone. Entries are only ever appended. */
export type JournalEntry =
  /** Written *before* the provider is asked, so that a killed client leaves no unknown write. */
  | { kind: 'write'; id: string; at: string; stage: Stage; role: string; change: Change }
  /** What the read-back said. */
  | { kind: 'result'; id: string; at: string; ok: boolean; error?: string }
  /** Everything before this line was taken back. */
  | { kind: 'undone'; at: string };

/** Where journal, zone backups and the lock live (src/dns/journal-file.ts on disk; memory in tests). */
export interface DnsJournal {
  append(zone: string, entries: readonly JournalEntry[]): Promise<void>;
  read(zone: string): Promise<JournalEntry[]>;
  /** Saves the zone as it stands (JSON and zone file); returns where. */
  saveZone(zone: string, at: Date, records: readonly LiveRecord[]): Promise<string[]>;
  /** One apply per zone at a time. Throws SetupError E_DNS_BUSY, exit 6. */
  lock(zone: string): Promise<() => Promise<void>>;
}

export interface UndoPlan {
  /** Latest stage first, the way out of the sync points of docs/architecture.md. */
  changes: readonly PlannedChange[];
  /** What is left as it is, and why. */
  skipped: readonly { line: string; reason: string }[];
}

/** Stages in the order of taking back. */
export const undoOrder: readonly Stage[] = [...stages].reverse();

interface WorkRecord {
  record: LiveRecord;
  /** Index in the live list; missing on a record that comes back. */
  origin?: number;
  why: Pick<ChangeDraft, 'stage' | 'role'>;
}

type Write = Extract<JournalEntry, { kind: 'write' }>;

function writesSinceUndo(entries: readonly JournalEntry[]): Write[] {
  const start = entries.findLastIndex((entry) => entry.kind === 'undone') + 1;
  const recent = entries.slice(start);
  const failed = new Set(recent.flatMap((entry) => (entry.kind === 'result' && !entry.ok ? [entry.id] : [])));
  return recent.filter((entry) => entry.kind === 'write').filter((entry) => !failed.has(entry.id));
}

/** A second SPF or DMARC record at a name would void both, so a deleted one cannot simply come back beside another. */
function standsInTheWay(back: LiveRecord, work: readonly WorkRecord[]): string | undefined {
  const there = work.map(({ record }) => record).filter(({ name }) => name === back.name);
  if (there.some((record) => sameRecord(record, back))) return 'It stands there again.';
  if (there.some(({ data }) => data.type === 'CNAME') || (back.data.type === 'CNAME' && there.length > 0)) {
    return 'A CNAME and other records exclude each other.';
  }
  const text = back.data.type === 'TXT' ? back.data.text : '';
  const single = [isSpfRecord, isDmarcRecord].find((test) => test(text));
  if (single !== undefined && there.some(({ data }) => data.type === 'TXT' && single(data.text))) {
    return 'Another record of its kind stands there now.';
  }
  return undefined;
}

/**
 * A record that we wrote before, that somebody changed, and that a later apply put right: taking the first write back is
 * enough, and what stood there in between is nobody's first state.
 */
function putRight(write: Write, older: readonly Write[]): boolean {
  const { change } = write;
  if (change.op !== 'update') return false;
  return older.some((one) => one.change.op !== 'delete' && sameRecord(one.change.after, change.after));
}

function takeBack(write: Write, work: WorkRecord[]): string | undefined {
  const { change } = write;
  const why = { stage: write.stage, role: write.role };
  const records = work.map(({ record }) => record);
  if (change.op === 'delete') {
    const obstacle = standsInTheWay(change.before, work);
    if (obstacle === undefined) work.push({ record: change.before, why });
    return obstacle;
  }
  if (!isInEffect(change, records)) return 'It no longer holds what was written.';
  const index = indexOfRecord(records, change.after);
  const found = work[index];
  if (found === undefined) return 'It no longer holds what was written.';
  if (change.op === 'create') work.splice(index, 1);
  else {
    const { proxied: _now, autoTtl: _auto, ...rest } = found.record;
    const record = { ...rest, ...stateOf(change.before) };
    work[index] = { ...found, record, why };
  }
  return undefined;
}

/** What an undo gives back: all but id and comment. */
function stateOf({ name, ttl, data, proxied, autoTtl }: LiveRecord): WantedRecord {
  return {
    name,
    ttl,
    data,
    ...(proxied === undefined ? {} : { proxied }),
    ...(autoTtl === undefined ? {} : { autoTtl }),
  };
}

function isChanged(a: LiveRecord, b: LiveRecord): boolean {
  return recordKey(a) !== recordKey(b) || a.ttl !== b.ttl || (a.proxied === true) !== (b.proxied === true);
}

/** The net difference, so that what was changed twice is put back once. */
function netChanges(
  live: readonly LiveRecord[],
  work: readonly WorkRecord[],
  writes: readonly Write[],
): ChangeDraft[] {
  const drafts: ChangeDraft[] = [];
  const reason = 'Back to what stood there before smtp-setup.';
  const byOrigin = new Map(
    work.flatMap((item) => (item.origin === undefined ? [] : [[item.origin, item] as const])),
  );
  for (const [index, before] of live.entries()) {
    const item = byOrigin.get(index);
    if (item === undefined) {
      const write = writes.find(({ change }) => change.op !== 'delete' && sameRecord(change.after, before));
      drafts.push({
        op: 'delete',
        before,
        stage: write?.stage ?? 'tail',
        role: write?.role ?? 'other',
        reason,
      });
    } else if (isChanged(before, item.record)) {
      drafts.push({ op: 'update', before, after: stateOf(item.record), ...item.why, reason });
    }
  }
  for (const { record, origin, why } of work) {
    if (origin !== undefined) continue;
    const { mark } = record;
    drafts.push({
      op: 'create',
      after: stateOf(record),
      ...(mark === undefined ? {} : { mark }),
      ...why,
      reason,
    });
  }
  return drafts;
}

/** The inverse of the journal, latest write first, only where our value still stands (R20). Pure. */
export function undoDns(entries: readonly JournalEntry[], live: readonly LiveRecord[]): UndoPlan {
  const writes = writesSinceUndo(entries);
  const work: WorkRecord[] = live.map((record, origin) => ({
    record,
    origin,
    why: { stage: 'tail', role: 'other' },
  }));
  const skipped: { line: string; reason: string }[] = [];
  for (const [index, write] of [...writes.entries()].reverse()) {
    if (putRight(write, writes.slice(0, index))) continue;
    const obstacle = takeBack(write, work);
    const record = write.change.op === 'delete' ? write.change.before : write.change.after;
    if (obstacle !== undefined) skipped.push({ line: formatRecord(record), reason: obstacle });
  }
  return { changes: sequenceChanges(live, netChanges(live, work, writes), undoOrder), skipped };
}
