import { execa } from 'execa';
import { Exit, SetupError } from '../errors.js';

/** Programs of the sandbox see this and nothing of the caller's environment (no tokens, no proxies). */
export const SANDBOX_ENV = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  LANG: 'C.UTF-8',
  LC_ALL: 'C.UTF-8',
  TERM: 'dumb',
} as const;

export interface RunOptions {
  input?: string;
  env?: Readonly<Record<string, string>>;
  cwd?: string;
  timeoutMs?: number;
  signal?: AbortSignal;
  /** Called with each line of stdout and stderr as it comes. */
  onLine?(line: string): void;
}

export interface RunResult {
  code: number;
  stdout: string;
  stderr: string;
}

const MAX_OUTPUT = 16 * 1024 * 1024;

/** Runs a local program on this terminal; what it prints goes to one of our own streams. */
export async function runHere(
  command: string,
  args: readonly string[],
  output: 'stdout' | 'stderr',
): Promise<{ code: number }> {
  const { exitCode } = await execa(command, args, {
    env: SANDBOX_ENV,
    extendEnv: false,
    reject: false,
    stdin: 'inherit',
    stdout: output === 'stdout' ? 'inherit' : 2,
    stderr: 'inherit',
  });
  return { code: exitCode ?? 1 };
}

/** Runs a local program to its end; never throws because of its exit code (-1: killed, timed out or not found). */
export async function tryRun(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const child = execa(command, args, {
    env: { ...SANDBOX_ENV, ...options.env },
    extendEnv: false,
    reject: false,
    stripFinalNewline: false,
    maxBuffer: MAX_OUTPUT,
    ...(options.input === undefined ? { stdin: 'ignore' as const } : { input: options.input }),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs }),
    ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
  });
  const onLine = options.onLine;
  if (onLine !== undefined) {
    const follow = async (from: 'stdout' | 'stderr') => {
      for await (const line of child.iterable({ from })) onLine(String(line));
    };
    // The iterators reject when the child fails; its result below says so already.
    await Promise.allSettled([follow('stdout'), follow('stderr')]);
  }
  const result = await child;
  const stderr = String(result.stderr ?? '');
  if (result.exitCode !== undefined) return { code: result.exitCode, stdout: String(result.stdout), stderr };
  return { code: -1, stdout: String(result.stdout ?? ''), stderr: stderr || (result.shortMessage ?? '') };
}

/** Like {@link tryRun}, but throws `E_SANDBOX_COMMAND` with the last lines of its output when the exit code is not 0. */
export async function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const result = await tryRun(command, args, options);
  if (result.code !== 0) throw commandFailed([command, ...args], result);
  return result;
}

export function commandFailed(argv: readonly string[], result: RunResult): SetupError {
  const shown = argv.join(' ');
  return new SetupError({
    code: 'E_SANDBOX_COMMAND',
    exit: Exit.failed,
    what: `A command of the sandbox failed (exit ${result.code}): ${shown.slice(0, 300)}`,
    evidence: `${result.stdout}\n${result.stderr}`.trim().split('\n').slice(-12),
    fix: ['Look at the lines above; `smtp-setup sandbox down` removes what is left of the sandbox.'],
  });
}
