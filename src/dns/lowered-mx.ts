import type { JournalEntry } from './journal.js';

/**
 * Seconds for which caches may still hold a domain's MX with the TTL it had before we lowered it: a copy taken just
 * before that write lives its old TTL from there. `now` in milliseconds since the epoch; 0 when nothing is held. Pure.
 */
export function readLoweredMx(entries: readonly JournalEntry[], domain: string, now: number): number {
  const start = entries.findLastIndex((entry) => entry.kind === 'undone') + 1;
  const recent = entries.slice(start);
  const failed = new Set(recent.flatMap((entry) => (entry.kind === 'result' && !entry.ok ? [entry.id] : [])));
  const seconds = recent.flatMap((entry) => {
    if (entry.kind !== 'write' || failed.has(entry.id) || entry.change.op !== 'update') return [];
    const { before, after } = entry.change;
    if (before.name !== domain || before.data.type !== 'MX' || after.ttl >= before.ttl) return [];
    return [before.ttl - (now - Date.parse(entry.at)) / 1000];
  });
  return Math.max(0, Math.ceil(Math.max(0, ...seconds)));
}
