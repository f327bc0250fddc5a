import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SANDBOX_ENV, tryRun } from '../run.js';
import { createGroup } from './cgroup.js';
import { joinGroup } from './run-in-group.js';

export interface DaemonOptions {
  lab: string;
  /** Name of the process group; one a host (a container needs a group of its own). */
  group: string;
  argv: readonly string[];
  logFile: string;
  env?: Readonly<Record<string, string>>;
  cwd?: string;
}

/**
 * Starts a process that outlives this one. It joins its lab's process group before it executes anything, so that it
 * can always be found and ended, even if this process dies in the next instant.
 */
export async function startDaemon(options: DaemonOptions): Promise<number> {
  const group = await createGroup(options.lab, options.group);
  await mkdir(dirname(options.logFile), { recursive: true });
  const log = await open(options.logFile, 'a', 0o600);
  try {
    const [command, ...args] = joinGroup(group, options.argv);
    const child = spawn(command, args, {
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
      env: { ...SANDBOX_ENV, ...options.env },
      cwd: options.cwd ?? '/',
    });
    await once(child, 'spawn');
    child.unref();
    if (child.pid === undefined) throw new Error('the daemon has no process number');
    return child.pid;
  } finally {
    await log.close();
  }
}

/** Last lines of a log file, for error messages. */
export async function tailOf(logFile: string, lines = 12): Promise<string[]> {
  const { stdout } = await tryRun('tail', ['-n', String(lines), logFile]);
  return stdout.split('\n').filter((line) => line.trim() !== '');
}
