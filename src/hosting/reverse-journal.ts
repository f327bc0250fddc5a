import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { appendLines, readLines } from '../dns/journal-lines.js';
import { withState } from '../dns/kept-state.js';

/** A reverse name that was set from this machine. */
export interface ReverseWrite {
  /** The host that the address was named after. */
  hostname: string;
  /** `hosting` of the API that did it. */
  hosting: string;
  address: string;
  /** Missing: it had none of its own. */
  before?: string;
  after: string;
}

/** One that undo has to look at. */
export interface StandingWrite extends ReverseWrite {
  /** Its end is known. What a client that was killed meant to set may be what somebody entered by hand since. */
  proven: boolean;
}

/** Entries are only ever appended. */
export type ReverseJournalEntry =
  /** Written *before* the provider is asked, so that a killed client leaves no unknown write. */
  | ({ kind: 'write'; id: string; at: string } & ReverseWrite)
  | { kind: 'result'; id: string; at: string; ok: boolean; error?: string }
  /** What was set at the address before this line was taken back. */
  | { kind: 'undone'; at: string; address: string };

/** The client's memory of the reverse names that it set. */
export interface ReverseJournal {
  append(entry: ReverseJournalEntry): Promise<void>;
  read(): Promise<ReverseJournalEntry[]>;
}

/** The journal in `stateDir`: folder 0700, file 0600, no secrets inside. */
export function openReverseJournal(stateDir: string): ReverseJournal {
  const folder = join(stateDir, 'reverse');
  const path = join(folder, 'journal.jsonl');
  return {
    append: (entry) =>
      withState({ stateDir, path, to: 'write' }, async () => {
        await mkdir(folder, { recursive: true, mode: 0o700 });
        await appendLines(path, [entry]);
      }),
    read: () => withState({ stateDir, path, to: 'read' }, () => readLines<ReverseJournalEntry>(path)),
  };
}

/** What an undo for a host has to take back: for each address what it was called at first, and what it was last given. Pure. */
export function standingWrites(entries: readonly ReverseJournalEntry[], hostname: string): StandingWrite[] {
  const results = new Map(
    entries.flatMap((entry) => (entry.kind === 'result' ? [[entry.id, entry.ok]] : [])),
  );
  const standing = new Map<string, StandingWrite>();
  for (const entry of entries) {
    if (entry.kind === 'undone') standing.delete(entry.address);
    if (entry.kind !== 'write' || results.get(entry.id) === false) continue;
    const { hosting, address, after } = entry;
    const held = standing.get(address);
    // A name that somebody else gave in between is what an undo gives back.
    const { before } = held !== undefined && held.after === entry.before ? held : entry;
    const proven = results.get(entry.id) === true;
    const write = { hostname: entry.hostname, hosting, address, after, proven };
    standing.set(address, before === undefined ? write : { ...write, before });
  }
  return [...standing.values()].filter((write) => write.hostname === hostname);
}
