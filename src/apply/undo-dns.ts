import { type DnsJournal, type UndoPlan, undoOrder } from '../dns/journal.js';
import type { Change } from '../dns/providers/provider.js';
import type { DnsLane } from './dns-lane.js';

/** Takes back what `undoDns` found, latest stage first, and closes the chapter in the journal. */
export async function applyDnsUndo(
  lane: DnsLane,
  plan: UndoPlan,
  journal: DnsJournal,
  zone: string,
  clock: () => Date,
): Promise<{ written: number; byHand: readonly Change[] }> {
  let written = 0;
  const byHand: Change[] = [];
  for (const stage of undoOrder) {
    const done = await lane.applyStage(stage, plan.changes);
    written += done.written;
    byHand.push(...done.byHand);
  }
  if (plan.changes.length > 0) await journal.append(zone, [{ kind: 'undone', at: clock().toISOString() }]);
  return { written, byHand };
}
