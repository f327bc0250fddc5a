import { formatRecord, rrsetKey } from '../dns/canonical.js';
import { applyChanges, indexOfRecord, isInEffect, recordsOfSet, sameSet } from '../dns/diff.js';
import { toChange } from '../dns/merge/sequence.js';
import type { Change } from '../dns/providers/provider.js';
import type { LiveRecord, Stage } from '../dns/record.js';
import type { PlannedChange } from '../dns/zone-plan.js';
import { Exit, SetupError } from '../errors.js';

/** A planned change on its way to the provider. */
export interface WriteItem {
  planned: PlannedChange;
  change: Change;
  key: string;
}

/** Where the writes go. */
export interface WriteTarget {
  /** Zone apex. */
  zone: string;
  stage: Stage;
  /** A CNAME at the apex does not exclude other records (Cloudflare). */
  flattensApexCname: boolean;
}

export const recordOf = (change: Change) => (change.op === 'delete' ? change.before : change.after);
export const lineOf = (change: Change): string => `${change.op} ${formatRecord(recordOf(change))}`;

export function toItem(planned: PlannedChange): WriteItem {
  const change = toChange(planned);
  return { planned, change, key: rrsetKey(recordOf(change)) };
}

export function bySet(items: readonly WriteItem[]): WriteItem[][] {
  const sets = new Map<string, WriteItem[]>();
  for (const item of items) sets.set(item.key, [...(sets.get(item.key) ?? []), item]);
  return [...sets.values()];
}

function driftError({ zone, stage }: WriteTarget, what: string, found: readonly LiveRecord[]): SetupError {
  return new SetupError({
    code: 'E_DNS_DRIFT',
    exit: Exit.busy,
    what: `Somebody changed the zone ${zone} since the plan was made; nothing of the stage "${stage}" was written.`,
    evidence: [
      what,
      ...(found.length > 0 ? found.map((record) => `now: ${formatRecord(record)}`) : ['now: no such record']),
    ],
    fix: ['Run the command again: the new plan starts from what stands there now.'],
  });
}

/**
 * What is left to do for one set, or drift (R17). Whatever of the plan is already there counts as done; doing the rest
 * must lead exactly to the planned set.
 */
export function remainingOf(
  items: readonly WriteItem[],
  live: readonly LiveRecord[],
  target: WriteTarget,
): WriteItem[] {
  const [first] = items;
  if (first === undefined) return [];
  const actual = recordsOfSet(live, first.key);
  const expected = applyChanges(
    first.planned.rrsetBefore,
    items.map(({ change }) => change),
  );
  const remaining = items.filter(({ change }) => !isInEffect(change, actual));
  const reached = applyChanges(
    actual,
    remaining.map(({ change }) => change),
  );
  if (!sameSet(reached, expected)) throw driftError(target, `the records of ${first.key} differ`, actual);
  const name = recordOf(first.change).name;
  const apexAllowed = target.flattensApexCname && name === target.zone;
  const cnames = first.key.endsWith(' CNAME') || apexAllowed ? [] : recordsOfSet(live, `${name} CNAME`);
  if (cnames.length > 0 && remaining.some(({ change }) => change.op === 'create')) {
    throw driftError(target, `a CNAME stands at ${name} now`, cnames);
  }
  return remaining;
}

/** With the provider's present ids. */
export function refreshed(change: Change, live: readonly LiveRecord[]): Change {
  if (change.op === 'create') return change;
  return { ...change, before: live[indexOfRecord(live, change.before)] ?? change.before };
}

/** Whole sets stay together, so that an atomic provider switches each in one go (R18). */
export function toBatches(items: readonly WriteItem[], max: number): WriteItem[][] {
  const batches: WriteItem[][] = [];
  for (const set of bySet(items)) {
    for (let i = 0; i < set.length; i += max) {
      const piece = set.slice(i, i + max);
      const last = batches.at(-1);
      if (last !== undefined && last.length + piece.length <= max) last.push(...piece);
      else batches.push(piece);
    }
  }
  return batches;
}
