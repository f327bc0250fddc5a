import type { Progress } from '../events.js';
import type { Io } from '../io.js';

/** Under `--json`: one event a line, as JSON, on stderr; stdout belongs to the one document at the end. */
export function createJsonProgress(io: Io, clock: () => number): Progress {
  return {
    emit(event) {
      if (event.kind === 'line' && !io.verbose) return;
      io.say(JSON.stringify({ time: new Date(clock()).toISOString(), ...event }));
    },
    stop: () => undefined,
  };
}
