import { setTimeout as delay } from 'node:timers/promises';
import { Exit, SetupError } from '../../errors.js';

export interface WaitOptions {
  /** What is waited for, as in "Waited 60 s for WHAT". */
  what: string;
  timeoutMs: number;
  intervalMs?: number;
  signal?: AbortSignal;
  /** Evidence for the error, for example the last lines of a log. */
  evidence?(): Promise<readonly string[]>;
}

/** Asks again and again until the answer is not undefined or false; throws `E_SANDBOX_TIMEOUT` at the deadline. */
export async function waitUntil<T>(
  ask: () => Promise<T | undefined | false>,
  options: WaitOptions,
): Promise<T> {
  const deadline = performance.now() + options.timeoutMs;
  for (;;) {
    options.signal?.throwIfAborted();
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > deadline) {
      throw new SetupError({
        code: 'E_SANDBOX_TIMEOUT',
        exit: Exit.failed,
        what: `Waited ${Math.round(options.timeoutMs / 1000)} s for ${options.what}.`,
        evidence: (await options.evidence?.()) ?? [],
        fix: [
          'Run it again; on a busy machine everything takes longer. `smtp-setup sandbox down` cleans up.',
        ],
      });
    }
    await delay(options.intervalMs ?? 100);
  }
}
