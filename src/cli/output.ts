import { Exit, type ExitCode } from '../errors.js';
import type { Io } from '../ui/io.js';

/** The exit code of a command whose result is written by now; 1 when it did not arrive. */
export async function settleOutput(io: Io, exit: ExitCode): Promise<ExitCode> {
  // A write that failed is told one turn later.
  await new Promise(setImmediate);
  if (io.out.failure === undefined) return exit;
  io.say(`The output could not be written: ${io.out.failure.message}`);
  return exit === Exit.ok ? Exit.failed : exit;
}
