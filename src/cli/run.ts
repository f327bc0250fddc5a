import { Exit, type ExitCode } from '../errors.js';
import { createIo, type Env, type Streams } from '../ui/io.js';
import { readVersion } from '../version.js';
import { watchAccidents } from './accidents.js';
import { commands } from './commands/index.js';
import { createContext } from './context.js';
import { scanOutputFlags } from './flags.js';
import { watchInterrupts } from './interrupt.js';
import type { Outcome } from './outcome.js';
import { settleOutput } from './output.js';
import { runProgram } from './program.js';

/**
 * One command: `argv` without node and script, to an exit code. The one place where errors end; it never throws, and
 * calls `exitNow` only on the second Ctrl-C.
 */
export async function run(
  argv: readonly string[],
  env: Env,
  streams: Streams,
  exitNow: (code: ExitCode) => void,
): Promise<ExitCode> {
  const io = createIo(streams, env, scanOutputFlags(argv));
  const interrupts = watchInterrupts(io, () => exitNow(Exit.cancelled));
  const accidents = watchAccidents();
  const context = createContext(io, env, interrupts.signal);
  const finish = async ({ exit, document }: Outcome): Promise<ExitCode> => {
    if (io.json && document !== undefined) {
      const { renderDocument } = await import('../ui/report/document.js');
      io.out.write(context.redactor.redact(renderDocument(exit, document)));
    }
    return settleOutput(io, exit);
  };
  try {
    const program = runProgram(argv, commands, context, readVersion());
    return await finish(await Promise.race([program, accidents.first]));
  } catch (error) {
    const { reportError } = await import('../ui/report/error.js');
    return await finish(reportError(io, error, context.redactor.redact, context.logPath));
  } finally {
    await context.close();
    accidents.release();
    interrupts.release();
  }
}
