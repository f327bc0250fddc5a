import { rrsetKey, typeOf } from '../canonical.js';
import { applyChanges, recordsOfSet } from '../diff.js';
import type { Change } from '../providers/provider.js';
import type { LiveRecord, Stage } from '../record.js';
import type { PlannedChange } from '../zone-plan.js';

/** A decided change before it has its place in the plan. */
export type ChangeDraft = Omit<PlannedChange, 'id' | 'rrsetBefore'>;

/** The provider's form of a planned change. */
export function toChange(planned: Pick<PlannedChange, 'op' | 'before' | 'after' | 'mark'>): Change {
  const mark = planned.mark === undefined ? {} : { mark: planned.mark };
  if (planned.op === 'create' && planned.after !== undefined)
    return { op: 'create', after: planned.after, ...mark };
  if (planned.op === 'update' && planned.before !== undefined && planned.after !== undefined) {
    return { op: 'update', before: planned.before, after: planned.after, ...mark };
  }
  if (planned.op === 'delete' && planned.before !== undefined)
    return { op: 'delete', before: planned.before };
  throw new TypeError(`planned ${planned.op} without its record`);
}

const opOrder = { delete: 0, update: 1, create: 2 } as const;

/** Sorts by the given order of stages, names each change and gives it the set as it stands before its stage. */
export function sequenceChanges(
  live: readonly LiveRecord[],
  drafts: readonly ChangeDraft[],
  order: readonly Stage[],
): PlannedChange[] {
  const seen = new Map<string, number>();
  const changes: PlannedChange[] = [];
  let state = live;
  for (const stage of order) {
    const ofStage = drafts
      .filter((draft) => draft.stage === stage)
      .sort((a, b) => opOrder[a.op] - opOrder[b.op]);
    for (const draft of ofStage) {
      const record = draft.after ?? draft.before;
      if (record === undefined) continue;
      const base = `${draft.role}:${record.name}:${typeOf(record.data)}`;
      const count = (seen.get(base) ?? 0) + 1;
      seen.set(base, count);
      changes.push({
        ...draft,
        id: count === 1 ? base : `${base}:${count}`,
        rrsetBefore: recordsOfSet(state, rrsetKey(record)),
      });
    }
    state = applyChanges(state, ofStage.map(toChange));
  }
  return changes;
}
