import { setTimeout as sleep } from 'node:timers/promises';
import { Exit, SetupError } from '../../errors.js';
import type { ProviderContext } from './provider.js';

/** Tries of one request, the first included. */
export const maxTries = 4;

/** The longest Retry-After that is honoured, in seconds; Cloudflare blocks for five minutes. */
const longestRetryAfter = 300;

export interface Transient {
  /** What went wrong, for the notice. */
  reason: string;
  /** Seconds that the server asked for. */
  retryAfter?: number;
}

/** Milliseconds before try `tried + 1`: what the server asked for, else 0.5 s, 1 s, 2 s, … up to 8 s. */
export function backOff(tried: number, retryAfter?: number): number {
  if (retryAfter !== undefined) return Math.min(retryAfter, longestRetryAfter) * 1000;
  return Math.min(500 * 2 ** (tried - 1), 8000);
}

/** Waits before the next try and says so. Throws SetupError (130) when cancelled meanwhile. */
export async function waitToRetry(
  context: ProviderContext,
  tried: number,
  { reason, retryAfter }: Transient,
): Promise<void> {
  const milliseconds = backOff(tried, retryAfter);
  context.log(`${reason}; trying again in ${milliseconds / 1000} s (${tried} of ${maxTries})`);
  try {
    await (context.wait?.(milliseconds) ?? sleep(milliseconds, undefined, { signal: context.signal }));
  } catch (error) {
    if (context.signal.aborted) throw cancelled(error);
    throw error;
  }
}

export function cancelled(cause: unknown): SetupError {
  return new SetupError({ code: 'E_CANCELLED', exit: Exit.cancelled, what: 'Cancelled.', cause });
}

/**
 * Runs a read until it works or fails for good. `classify` tells the passing failures from the others.
 * Not for writes: those must look before they repeat.
 */
export async function retryRead<T>(
  context: ProviderContext,
  run: () => Promise<T>,
  classify: (error: unknown) => Transient | undefined,
): Promise<T> {
  for (let tried = 1; ; tried++) {
    try {
      return await run();
    } catch (error) {
      const transient = classify(error);
      if (!transient || tried >= maxTries) throw error;
      await waitToRetry(context, tried, transient);
    }
  }
}
