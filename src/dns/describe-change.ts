import { formatRecord, typeOf } from './canonical.js';
import type { PlannedChange } from './zone-plan.js';

/** The lines of a plan for one change, `-` before and `+` after; safe for terminals. */
export function describeChange(change: Pick<PlannedChange, 'before' | 'after' | 'pending'>): string[] {
  const lines: string[] = [];
  if (change.before !== undefined) lines.push(`- ${formatRecord(change.before)}`);
  if (change.after !== undefined && change.pending !== undefined) {
    const { name, ttl, data } = change.after;
    lines.push(`+ ${name}. ${ttl} IN ${typeOf(data)} (known after apply: ${change.pending})`);
  } else if (change.after !== undefined) {
    lines.push(`+ ${formatRecord(change.after)}`);
  }
  return lines;
}
