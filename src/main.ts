import { commands } from './cli/commands/index.js';
import { createContext } from './cli/context.js';
import { scanOutputFlags } from './cli/flags.js';
import type { Outcome } from './cli/outcome.js';
import { runProgram } from './cli/program.js';
import { readVersion } from './cli/version.js';
import { Exit, type ExitCode } from './errors.js';
import { createIo, type Env, type Io, type Streams } from './ui/io.js';

/** The program: `argv` without node and script. The one place where errors end; never throws, never exits. */
export async function main(argv: readonly string[], env: Env, streams: Streams): Promise<ExitCode> {
  const io = createIo(streams, env, scanOutputFlags(argv));
  const context = createContext(io, env);
  try {
    const outcome = await runProgram(argv, commands, context, readVersion());
    printDocument(io, outcome);
    return outcome.exit;
  } catch (error) {
    const { reportError } = await import('./ui/report/error.js');
    const { exit, document } = reportError(io, error, context);
    printDocument(io, { exit, document });
    return exit;
  } finally {
    await context.close();
  }
}

function printDocument(io: Io, { exit, document }: Outcome): void {
  if (!io.json || document === undefined) return;
  io.out.write(`${JSON.stringify({ ok: exit === Exit.ok, exit, ...document }, undefined, 2)}\n`);
}
