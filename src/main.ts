import { settleOutput } from './cli/output.js';
import { Exit, type ExitCode } from './errors.js';
import { createIo, type Env, type Streams } from './ui/io.js';
import { readVersion } from './version.js';

/** The program: `argv` without node and script, to an exit code. Never throws. */
export async function main(argv: readonly string[], env: Env, streams: Streams): Promise<ExitCode> {
  if (argv.length === 1 && argv[0] === '--version') return printVersion(env, streams);
  const { run } = await import('./cli/run.js');
  return run(argv, env, streams, (code) => process.exit(code));
}

/** The one question that needs no command, and so none of what commands load. */
async function printVersion(env: Env, streams: Streams): Promise<ExitCode> {
  const io = createIo(streams, env);
  io.print(readVersion());
  return settleOutput(io, Exit.ok);
}
