import type { ExitCode } from '../errors.js';
import type { Context } from './context.js';

/** How a command ended. `document` is what `--json` prints, beside `ok` and `exit`; plain data. */
export interface Outcome {
  exit: ExitCode;
  document?: Readonly<Record<string, unknown>>;
}

/** The working half of a command: gets what it may use of the world, and the parsed options. */
export type Run<O> = (context: Context, options: O) => Promise<Outcome>;
