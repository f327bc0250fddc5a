import { existsSync } from 'node:fs';
import { mkdir, readdir, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Exit, SetupError } from '../../errors.js';
import { isErrno, readText } from '../lock.js';

const TREE = 'smtp-setup-sandbox';

/** Mount point of the version 2 hierarchy: the whole of /sys/fs/cgroup, or its `unified` part on a hybrid host. */
async function unifiedRoot(): Promise<string> {
  for (const root of ['/sys/fs/cgroup', '/sys/fs/cgroup/unified']) {
    if ((await readText(join(root, 'cgroup.controllers'))) !== undefined) return root;
  }
  throw new SetupError({
    code: 'E_SANDBOX_CGROUP',
    exit: Exit.usage,
    what: 'The sandbox needs a version 2 cgroup hierarchy and finds none.',
    evidence: ['no cgroup.controllers in /sys/fs/cgroup or /sys/fs/cgroup/unified'],
    fix: ['Run: mkdir -p /sys/fs/cgroup/unified && mount -t cgroup2 none /sys/fs/cgroup/unified'],
  });
}

/**
 * A group of its own for every host of a lab. Containers need one each, because two init processes in the same group
 * would manage each other's services; and a whole group can be ended at once, whatever its processes did to hide.
 */
export async function createGroup(lab: string, host: string): Promise<string> {
  const group = join(await unifiedRoot(), TREE, lab, host);
  await mkdir(group, { recursive: true });
  return group;
}

export async function groupPath(lab: string, host?: string): Promise<string> {
  return join(await unifiedRoot(), TREE, lab, ...(host === undefined ? [] : [host]));
}

/** All processes in a group and below it; empty when the group does not exist. */
export async function groupProcesses(group: string): Promise<number[]> {
  const own = ((await readText(join(group, 'cgroup.procs'))) ?? '').split('\n').filter((line) => line !== '');
  const below = await Promise.all((await subgroups(group)).map(groupProcesses));
  // 0 stands for a process outside this PID namespace.
  return [...own.map(Number).filter((pid) => pid > 0), ...below.flat()];
}

/** Kills every process of a group (cgroup.kill, or one by one on kernels before 5.14) and removes the group. */
export async function destroyGroup(group: string): Promise<void> {
  if ((await readText(join(group, 'cgroup.procs'))) === undefined) return;
  await killGroup(group);
  await removeGroup(group);
}

/** Removes all groups of a lab, also those that nspawn makes in systemd's version 1 hierarchy of a hybrid host. */
export async function destroyLabGroups(lab: string): Promise<void> {
  await destroyGroup(await groupPath(lab));
  const legacy = join('/sys/fs/cgroup/systemd', TREE, lab);
  if (existsSync(join(legacy, 'cgroup.procs'))) await removeGroup(legacy);
}

export async function killGroup(group: string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (existsSync(join(group, 'cgroup.kill'))) {
      await writeFile(join(group, 'cgroup.kill'), '1');
    } else {
      for (const pid of await groupProcesses(group)) killProcess(pid);
    }
    if ((await groupProcesses(group)).length === 0) return;
    await delay(25);
  }
  throw new SetupError({
    code: 'E_SANDBOX_UNKILLABLE',
    exit: Exit.failed,
    what: 'Processes of the sandbox do not end although they were killed.',
    evidence: (await groupProcesses(group)).map((pid) => `process ${pid}`),
    fix: ['See what they wait for in /proc/PID/stack, then run `smtp-setup sandbox down` again.'],
  });
}

/** SIGKILL; a process that is already gone is no error. */
export function killProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!isErrno(error, 'ESRCH')) throw error;
  }
}

async function removeGroup(group: string): Promise<void> {
  for (const sub of await subgroups(group)) await removeGroup(sub);
  for (let attempt = 0; ; attempt++) {
    try {
      await rmdir(group);
      return;
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return;
      // The kernel lets go of the last process a moment after it is gone from cgroup.procs.
      if (!isErrno(error, 'EBUSY') || attempt > 100) throw error;
      await delay(20);
    }
  }
}

async function subgroups(group: string): Promise<string[]> {
  try {
    const entries = await readdir(group, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => join(group, entry.name));
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}
