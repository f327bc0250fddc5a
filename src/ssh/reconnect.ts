import { SetupError } from '../errors.js';
import { cancelled, TRANSIENT_CODES } from './failures.js';
import type { SshLog } from './prompts.js';

export interface ReconnectOptions<T> {
  open(signal?: AbortSignal): Promise<T>;
  /** Waits; rejects when the signal aborts. */
  wait(ms: number, signal?: AbortSignal): Promise<void>;
  log: SshLog;
  /** Pauses between the attempts; when they are used up, the last error is thrown. Default: five minutes in all. */
  delaysMs?: readonly number[];
}

// A reboot takes one or two minutes on slow machines; five minutes in all.
const DELAYS_MS = [500, 1000, 2000, 4000, 8000, 15_000, ...Array.from({ length: 18 }, () => 15_000)];

/**
 * The first connect fails at once, so that a mistyped host is told at once. Every later one is patient: the line was
 * good before, so the network or the server is away for a moment. Refusals (key, password, host key) are final.
 */
export function createReconnector<T>(options: ReconnectOptions<T>): {
  connect(signal?: AbortSignal, refusals?: number): Promise<T>;
} {
  const delays = options.delaysMs ?? DELAYS_MS;
  let wasConnected = false;
  return {
    async connect(signal, refusals = Number.POSITIVE_INFINITY) {
      let refused = 0;
      for (let attempt = 0; ; attempt++) {
        if (signal?.aborted) throw cancelled(signal);
        try {
          const connection = await options.open(signal);
          wasConnected = true;
          return connection;
        } catch (error) {
          const delay = delays[attempt];
          const transient = error instanceof SetupError && TRANSIENT_CODES.has(error.code);
          if (!wasConnected || !transient || delay === undefined) throw error;
          if (error.code === 'E_SSH_REFUSED' && ++refused >= refusals) throw error;
          options.log('info', `${error.message} Trying again in ${delay / 1000} s.`);
          await waitOrCancel(options, delay, signal);
        }
      }
    },
  };
}

async function waitOrCancel<T>(
  options: ReconnectOptions<T>,
  delay: number,
  signal?: AbortSignal,
): Promise<void> {
  try {
    await options.wait(delay, signal);
  } catch (error) {
    if (signal?.aborted) throw cancelled(signal);
    throw error;
  }
}
