import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../errors.js';
import { SANDBOX_ENV } from './run.js';

/** A process, told apart from a later one with the same number by its start time (clock ticks since boot). */
export interface ProcessId {
  pid: number;
  start: string;
}

/** Identity of a living process; undefined when it is gone or a zombie (proc(5), fields 3 and 22 of stat). */
export async function readProcessId(pid: number): Promise<ProcessId | undefined> {
  const stat = await readText(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const start = fields[19];
  return start === undefined || fields[0] === 'Z' || fields[0] === 'X' ? undefined : { pid, start };
}

export async function isAlive(id: ProcessId): Promise<boolean> {
  return (await readProcessId(id.pid))?.start === id.start;
}

// 75: held by another; 76: the file was removed between opening and locking it.
const HOLD = `exec 9>>"$0"; flock -n 9 || exit 75; [ "$0" -ef /proc/self/fd/9 ] || exit 76; echo; exec cat >/dev/null`;

/**
 * Takes a lock that the kernel frees when its process ends, however it ends: flock(2), held by a small child that ends
 * with this process's end of a pipe (Node itself cannot lock files). Returns the release function, or the owner.
 */
export async function tryLock(file: string): Promise<(() => Promise<void>) | { pid: number }> {
  for (;;) {
    // Detached, because Ctrl-C reaches the whole process group and cleaning up still needs the lock.
    const child = spawn('sh', ['-c', HOLD, file], {
      detached: true,
      env: SANDBOX_ENV,
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    const ended = once(child, 'close');
    const [first] = await Promise.race([once(child.stdout, 'data'), ended]);
    if (typeof first !== 'number') {
      await writeFile(file, String(process.pid));
      return async () => {
        await rm(file, { force: true });
        child.stdin.end();
        await ended;
      };
    }
    if (first === 75) return { pid: Number((await readText(file)) ?? '') };
    if (first !== 76) throw new Error(`cannot lock ${file} (flock ended with ${first})`);
  }
}

/** Waits until the lock is free; `onWait` is called once with the process that holds it. */
export async function waitForLock(
  file: string,
  options: { signal?: AbortSignal; intervalMs?: number; onWait?(owner: { pid: number }): void } = {},
): Promise<() => Promise<void>> {
  for (let told = false; ; told = true) {
    const result = await tryLock(file);
    if (typeof result === 'function') return result;
    if (!told) options.onWait?.(result);
    await delay(
      options.intervalMs ?? 500,
      undefined,
      options.signal === undefined ? {} : { signal: options.signal },
    );
  }
}

// ENODEV and ESRCH: a cgroup or a process that vanished while its file was open.
const GONE = ['ENOENT', 'ESRCH', 'ENODEV'];

/** The text of a file, or undefined when it (or its process or cgroup) does not exist. */
export async function readText(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (GONE.some((code) => isErrno(error, code))) return undefined;
    throw new Error(`cannot read ${file}: ${messageOf(error)}`, { cause: error });
  }
}

export function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
