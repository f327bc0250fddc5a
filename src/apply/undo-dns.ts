import { type DnsJournal, type UndoPlan, undoOrder } from '../dns/journal.js';
import type { DnsLane } from './dns-lane.js';

/** Takes back what `undoDns` found, latest stage first, and closes the chapter in the journal. Returns records written. */
export async function applyDnsUndo(
  lane: DnsLane,
  plan: UndoPlan,
  journal: DnsJournal,
  zone: string,
  clock: () => Date,
): Promise<number> {
  let written = 0;
  for (const stage of undoOrder) written += (await lane.applyStage(stage, plan.changes)).written;
  if (plan.changes.length > 0) await journal.append(zone, [{ kind: 'undone', at: clock().toISOString() }]);
  return written;
}
