import { setMaxListeners } from 'node:events';
import { cancelledError } from '../ui/cancelled.js';
import type { Io } from '../ui/io.js';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface Interrupts {
  /** Aborted by the first Ctrl-C, terminate or hang-up; its reason is SetupError E_CANCELLED. */
  readonly signal: AbortSignal;
  /** Gives the signals back to Node's own handling. */
  release(): void;
}

/** Watches for Ctrl-C: the first asks the command to come to a safe stop, the second calls `stopNow`. */
export function watchInterrupts(io: Io, stopNow: () => void): Interrupts {
  const controller = new AbortController();
  // Every query and every step listens to it.
  setMaxListeners(0, controller.signal);
  const interrupt = (): void => {
    if (controller.signal.aborted) {
      stopNow();
      return;
    }
    io.say('Stopping at the next safe point; Ctrl-C again stops at once.');
    controller.abort(cancelledError());
  };
  for (const name of signals) process.on(name, interrupt);
  return {
    signal: controller.signal,
    release() {
      for (const name of signals) process.off(name, interrupt);
    },
  };
}
