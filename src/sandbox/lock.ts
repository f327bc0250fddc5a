import { randomUUID } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../errors.js';

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

/**
 * Takes a lock file that dies with its process: a lock whose owner is gone is taken over.
 * Returns the release function, or the living owner.
 */
export async function tryLock(file: string): Promise<(() => Promise<void>) | ProcessId> {
  const self = await readProcessId(process.pid);
  if (self === undefined) throw new Error('/proc is not mounted');
  const draft = `${file}.${randomUUID()}`;
  await writeFile(draft, JSON.stringify(self), { mode: 0o600 });
  try {
    for (;;) {
      // link(2) is atomic and the file is complete when it appears, so a reader never sees half an owner.
      if (await linked(draft, file)) return () => rm(file, { force: true });
      const owner = await livingOwner(file);
      if (owner !== undefined) return owner;
      await dropDeadLock(file, `${draft}.dead`);
    }
  } finally {
    await rm(draft, { force: true });
  }
}

/** Waits until the lock is free; `onWait` is called once with the process that holds it. */
export async function waitForLock(
  file: string,
  options: { signal?: AbortSignal; intervalMs?: number; onWait?(owner: ProcessId): void } = {},
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

async function livingOwner(file: string): Promise<ProcessId | undefined> {
  const owner = parseOwner(await readText(file));
  return owner !== undefined && (await isAlive(owner)) ? owner : undefined;
}

/** Moved aside before it is removed: if another process took the lock in between, that lock is put back. */
async function dropDeadLock(file: string, aside: string): Promise<void> {
  try {
    await rename(file, aside);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return;
    throw error;
  }
  if ((await livingOwner(aside)) !== undefined) await linked(aside, file);
  await rm(aside, { force: true });
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false;
    throw error;
  }
}

function parseOwner(text: string | undefined): ProcessId | undefined {
  const match = /^\{"pid":(\d+),"start":"(\d+)"\}$/.exec(text ?? '');
  return match === null ? undefined : { pid: Number(match[1]), start: match[2] ?? '' };
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
