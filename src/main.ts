import { watchAccidents } from './cli/accidents.js';
import { commands } from './cli/commands/index.js';
import { createContext } from './cli/context.js';
import { scanOutputFlags } from './cli/flags.js';
import { watchInterrupts } from './cli/interrupt.js';
import type { Outcome } from './cli/outcome.js';
import { runProgram } from './cli/program.js';
import { Exit, type ExitCode } from './errors.js';
import { createIo, type Env, type Streams } from './ui/io.js';
import { readVersion } from './version.js';

/**
 * The program: `argv` without node and script, to an exit code. The one place where errors end; it never throws, and
 * exits by itself only on the second Ctrl-C.
 */
export async function main(argv: readonly string[], env: Env, streams: Streams): Promise<ExitCode> {
  const io = createIo(streams, env, scanOutputFlags(argv));
  const interrupts = watchInterrupts(io, () => process.exit(Exit.cancelled));
  const accidents = watchAccidents();
  const context = createContext(io, env, interrupts.signal);
  const finish = async ({ exit, document }: Outcome): Promise<ExitCode> => {
    if (io.json && document !== undefined) {
      const { renderDocument } = await import('./ui/report/document.js');
      io.out.write(context.redactor.redact(renderDocument(exit, document)));
    }
    // A write that failed is told one turn later.
    await new Promise(setImmediate);
    if (io.out.failure === undefined) return exit;
    io.say(`The output could not be written: ${io.out.failure.message}`);
    return exit === Exit.ok ? Exit.failed : exit;
  };
  try {
    const program = runProgram(argv, commands, context, readVersion());
    return await finish(await Promise.race([program, accidents.first]));
  } catch (error) {
    const { reportError } = await import('./ui/report/error.js');
    return await finish(reportError(io, error, context.redactor.redact, context.logPath));
  } finally {
    await context.close();
    accidents.release();
    interrupts.release();
  }
}
