import { join } from 'node:path';
import { commandFailed, type RunOptions, tryRun } from '../run.js';
import { createGroup, killGroup } from './cgroup.js';

/** Argument vector of a process that joins a group before it executes anything: it can always be found and ended. */
export function joinGroup(group: string, argv: readonly string[]): [string, ...string[]] {
  return ['sh', '-c', 'echo $$ > "$0" || exit 125; exec "$@"', join(group, 'cgroup.procs'), ...argv];
}

/** Runs a command with all its descendants in a group; aborting kills the group, as some programs take no hint. */
export async function runInGroup(
  lab: string,
  host: string,
  argv: readonly string[],
  options: RunOptions & { signal: AbortSignal },
): Promise<void> {
  const { signal, ...rest } = options;
  signal.throwIfAborted();
  const group = await createGroup(lab, host);
  const [command, ...args] = joinGroup(group, argv);
  const running = tryRun(command, args, rest);
  let killing: Promise<void> | undefined;
  const kill = () => {
    killing = killGroup(group);
  };
  signal.addEventListener('abort', kill);
  try {
    const result = await running;
    await killing;
    signal.throwIfAborted();
    if (result.code !== 0) throw commandFailed(argv, result);
  } finally {
    signal.removeEventListener('abort', kill);
  }
}
