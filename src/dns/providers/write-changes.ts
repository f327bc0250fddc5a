import { SetupError } from '../../errors.js';
import { sameData, sameRecord } from '../canonical.js';
import type { DnsRecord, LiveRecord } from '../record.js';
import type { Applied, Change, ProviderContext, Zone } from './provider.js';
import { maxTries, waitToRetry } from './retry.js';

/** Why a write did not land. `conflict`: the zone was not as it was read; it is judged again, once. */
export interface WriteFailure {
  kind: 'transient' | 'token' | 'conflict' | 'refused';
  text: string;
  /** Seconds that the service asked for. */
  retryAfter?: number;
}

/** A change that a look at the zone has shown to be needed, and the record it touches. */
export interface NeededChange {
  /** Position in the caller's list. */
  index: number;
  change: Change;
  /** What stands there now, for updates and deletions. */
  current?: LiveRecord;
}

/** Changes that are written by one request. */
export interface WriteUnit {
  needed: readonly NeededChange[];
  /** What stands there afterwards, by position in `needed`; rejects when nothing of the unit was written. */
  run(): Promise<readonly (LiveRecord | undefined)[]>;
}

/** What a provider adds to the common way of writing. */
export interface ZoneWriter {
  context: ProviderContext;
  list(zone: Zone): Promise<LiveRecord[]>;
  audit(record: DnsRecord): string[];
  /** Groups changes into requests, in the order in which they should be sent. */
  toUnits(zone: Zone, needed: readonly NeededChange[], live: readonly LiveRecord[]): readonly WriteUnit[];
  /** Tells failures apart; throws what is no failure of a write. */
  classify(error: unknown): WriteFailure;
}

const codes = {
  transient: 'E_DNS_UNREACHABLE',
  token: 'E_DNS_TOKEN',
  conflict: 'E_DNS_DRIFT',
  refused: 'E_DNS_API',
} as const;

/**
 * Writes changes through a provider. Before every try, the first included, the zone is read and each change is judged by
 * what stands there: a write whose answer was lost is not repeated (R19), and a record that someone else has changed is
 * left alone (R17). When a request with several changes is refused, its changes are written one by one.
 */
export async function writeChanges(
  writer: ZoneWriter,
  zone: Zone,
  changes: readonly Change[],
): Promise<Applied[]> {
  const results: (Applied | undefined)[] = changes.map(() => undefined);
  const alone = new Set<number>();
  const conflicted = new Set<number>();
  let last: WriteFailure | undefined;
  let tries = 0;
  const settle = (needed: readonly NeededChange[], result: Applied): void => {
    for (const { index } of needed) results[index] = result;
  };
  while (results.includes(undefined)) {
    const live = await readAgain(writer, zone, results, last !== undefined);
    if (!live) break;
    const needed = judgeAll(writer, changes, results, live);
    // Alone means with a fresh look at the zone before each: the one before may have changed the same set.
    const single = needed.find(({ index }) => alone.has(index));
    const units = writer.toUnits(zone, single ? [single] : needed, live);
    for (const unit of units) {
      try {
        const written = await unit.run();
        unit.needed.forEach(({ index }, at) => {
          const record = written[at];
          results[index] = { ok: true, ...(record ? { record } : {}) };
        });
        tries = 0;
      } catch (error) {
        if (writer.context.signal.aborted) throw error;
        const failure = writer.classify(error);
        last = failure;
        const fresh = unit.needed.filter(({ index }) => !conflicted.has(index));
        if (failure.kind === 'token') {
          settle(
            needed.filter(({ index }) => !results[index]),
            failed(failure),
          );
        } else if (failure.kind === 'transient') {
          tries += 1;
          if (tries < maxTries) {
            const { text: reason, retryAfter } = failure;
            await waitToRetry(writer.context, tries, {
              reason,
              ...(retryAfter === undefined ? {} : { retryAfter }),
            });
          } else {
            settle(
              needed.filter(({ index }) => !results[index]),
              failed(failure),
            );
          }
        } else if (failure.kind === 'conflict' && fresh.length > 0) {
          for (const { index } of fresh) conflicted.add(index);
        } else if (unit.needed.length > 1) {
          for (const { index } of unit.needed) alone.add(index);
        } else {
          settle(unit.needed, failed(failure));
        }
        break;
      }
    }
  }
  return results.map((result) => result ?? failed(last));
}

function failed(failure: WriteFailure | undefined): Applied {
  return failure
    ? { ok: false, code: codes[failure.kind], error: failure.text }
    : { ok: false, code: 'E_DNS_API', error: 'The provider did not write the record.' };
}

/** The zone as it is now. Once something may have been written, a failing read must not hide what was. */
async function readAgain(
  { list, context }: ZoneWriter,
  zone: Zone,
  results: (Applied | undefined)[],
  mayHaveWritten: boolean,
): Promise<LiveRecord[] | undefined> {
  try {
    return await list(zone);
  } catch (error) {
    const untouched = !mayHaveWritten && results.every((result) => result?.ok !== true);
    if (untouched || !(error instanceof SetupError) || context.signal.aborted) throw error;
    const text = `not known whether it was written: ${[error.message, ...error.evidence].join(' ')}`;
    results.forEach((result, index) => {
      results[index] = result ?? { ok: false, error: text, code: error.code };
    });
    return undefined;
  }
}

/** Settles what needs no write, and returns what does. */
function judgeAll(
  writer: ZoneWriter,
  changes: readonly Change[],
  results: (Applied | undefined)[],
  live: readonly LiveRecord[],
): NeededChange[] {
  const needed: NeededChange[] = [];
  changes.forEach((change, index) => {
    if (results[index]) return;
    const verdict = judge(writer, change, live);
    if ('done' in verdict) results[index] = verdict.done;
    else needed.push({ index, change, ...verdict });
  });
  return needed;
}

type Verdict = { done: Applied } | { current?: LiveRecord };

const refuse = (code: string, error: string): Verdict => ({ done: { ok: false, code, error } });

function judge(writer: ZoneWriter, change: Change, live: readonly LiveRecord[]): Verdict {
  if (change.op === 'create') {
    const same = live.find((record) => sameRecord(record, change.after));
    if (same) return { done: { ok: true, record: same } };
    return judgeContent(writer, change.after) ?? {};
  }
  const { before } = change;
  const current =
    live.find((record) => record.id !== undefined && record.id === before.id) ??
    live.find((record) => sameRecord(record, before));
  if (change.op === 'delete' && !current) return { done: { ok: true } };
  if (change.op === 'update') {
    const there = live.find((record) => isUnchanged(record, change.after));
    if (there && (!current || there === current)) return { done: { ok: true, record: there } };
  }
  if (!current) return refuse('E_DNS_DRIFT', 'The record is gone since the plan was made.');
  if (current.readOnly) return refuse('E_DNS_READ_ONLY', 'The provider manages this record itself.');
  if (!isUnchanged(current, before)) {
    return refuse('E_DNS_DRIFT', 'Someone has changed the record since the plan was made.');
  }
  if (change.op === 'delete') return { current };
  if (before.data.type !== change.after.data.type || before.name !== change.after.name) {
    return refuse('E_DNS_AUDIT', 'A record cannot change its name or type; delete it and create the other.');
  }
  return judgeContent(writer, change.after) ?? { current };
}

function judgeContent(writer: ZoneWriter, record: DnsRecord): Verdict | undefined {
  const reasons = writer.audit(record);
  return reasons.length > 0 ? refuse('E_DNS_AUDIT', reasons.join(' ')) : undefined;
}

function isUnchanged(current: LiveRecord, planned: DnsRecord): boolean {
  return current.name === planned.name && sameData(current.data, planned.data) && current.ttl === planned.ttl;
}
