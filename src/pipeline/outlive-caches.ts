import type { Clock } from '../dns/visible.js';
import type { StageWait } from '../dns/zone-plan.js';
import type { Progress } from '../ui/events.js';

export interface OutliveDeps {
  clock: Clock;
  /** Milliseconds since the epoch, to name the time of day. */
  now(): number;
  progress: Progress;
  signal: AbortSignal;
  /** Most milliseconds to wait here. */
  patience: number;
}

/** Seconds between two words about a long wait. */
const reportEvery = 15;

/**
 * Waits until no cache holds what a stage replaces, counted from `since` on `clock`. Returns undefined when that is so,
 * at once and with the time to come back when it is further off than the patience reaches.
 */
export async function outliveCaches(
  waits: readonly StageWait[],
  since: number,
  { clock, now, progress, signal, patience }: OutliveDeps,
): Promise<string | undefined> {
  const [longest] = [...waits].sort((a, b) => b.seconds - a.seconds);
  if (longest === undefined) return undefined;
  const end = since + longest.seconds * 1000;
  const secondsLeft = (): number => Math.ceil((end - clock.now()) / 1000);
  if (secondsLeft() <= 0) return undefined;
  if (end - clock.now() > patience) {
    const from = new Date(now() + secondsLeft() * 1000).toISOString().slice(0, 16).replace('T', ' ');
    const minutes = Math.ceil(secondsLeft() / 60);
    return `${longest.reason} Give the same command again from ${from} UTC on, in ${minutes} minutes.`;
  }
  const id = 'caches';
  progress.emit({ kind: 'start', lane: 'dns', id, title: 'Let the old records run out in caches' });
  while (secondsLeft() > 0) {
    progress.emit({ kind: 'wait', lane: 'dns', id, reason: longest.reason, etaSeconds: secondsLeft() });
    await clock.sleep(Math.min(secondsLeft(), reportEvery) * 1000, signal);
  }
  progress.emit({ kind: 'done', lane: 'dns', id });
  return undefined;
}
