import { formatRecord } from '../dns/canonical.js';
import { renderInstructions } from '../dns/instructions.js';
import type { Change, DnsProvider, MissingChange, Zone } from '../dns/providers/provider.js';
import type { Clock } from '../dns/visible.js';
import type { Progress } from '../ui/events.js';

export interface HandZone {
  zone: Zone;
  provider: Pick<DnsProvider, 'findMissing'>;
}

export interface HandWorkDeps {
  clock: Clock;
  progress: Progress;
  signal: AbortSignal;
  /** Shows what to enter; whole lines, to be copied. */
  say(text: string): void;
  /** Milliseconds to wait for the user; 0 where nobody is there to enter anything. */
  patience: number;
}

/** The records that people enter, at providers without an API. */
export interface HandWork {
  add(at: HandZone, changes: readonly Change[]): void;
  /** Says what is to be entered and waits until every name server shows it. Returns what it still does not show. */
  settle(): Promise<readonly MissingChange[]>;
}

const interval = 10_000;

/** Collects what the user has to enter, so that it is shown once for several stages. */
export function createHandWork({ clock, progress, signal, say, patience }: HandWorkDeps): HandWork {
  const waiting = new Map<HandZone, Change[]>();

  async function look(): Promise<MissingChange[]> {
    const found: MissingChange[] = [];
    for (const [at, changes] of waiting) {
      const missing = (await at.provider.findMissing?.(changes)) ?? [];
      if (missing.length === 0) waiting.delete(at);
      else
        waiting.set(
          at,
          missing.map(({ change }) => change),
        );
      found.push(...missing);
    }
    return found;
  }

  return {
    add: (at, changes) => {
      if (changes.length > 0) waiting.set(at, [...(waiting.get(at) ?? []), ...changes]);
    },

    async settle() {
      let missing = await look();
      if (missing.length === 0) return [];
      for (const [{ zone }, changes] of waiting) say(`\n${renderInstructions(zone, changes).join('\n')}\n`);
      if (patience === 0) return missing;
      const total = missing.length;
      const id = 'by-hand';
      const title = 'Wait until the records are entered; Ctrl-C, and apply goes on later';
      progress.emit({ kind: 'start', lane: 'dns', id, title });
      const deadline = clock.now() + patience;
      while (missing.length > 0 && clock.now() < deadline) {
        const reason = `${total - missing.length} of ${total} there; ${describeMissing(missing[0])}`;
        progress.emit({ kind: 'wait', lane: 'dns', id, reason });
        await clock.sleep(interval, signal);
        missing = await look();
      }
      if (missing.length === 0) progress.emit({ kind: 'done', lane: 'dns', id });
      else progress.emit({ kind: 'fail', lane: 'dns', id, message: 'not there yet' });
      return missing;
    },
  };
}

/** "create example.org. 300 IN A …: ns1.example.org: not there". */
export function describeMissing(missing: MissingChange | undefined): string {
  if (missing === undefined) return '';
  const { change, state } = missing;
  return `${change.op} ${formatRecord(change.op === 'delete' ? change.before : change.after)} (${state})`;
}
