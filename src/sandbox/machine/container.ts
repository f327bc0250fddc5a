import { rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { labDir, namespaceOf, namespacePath } from '../layout.js';
import { isErrno, readText } from '../lock.js';
import { commandFailed, type RunOptions, type RunResult, SANDBOX_ENV, tryRun } from '../run.js';
import { destroyGroup, groupPath, groupProcesses, killGroup, killProcess } from './cgroup.js';
import { startDaemon, tailOf } from './daemon.js';
import { mountOverlay, type OverlayDirs } from './mounts.js';
import { waitUntil } from './wait-until.js';

/** A container on one host of a lab: an overlay over cached directories, run by systemd-nspawn in the host's network. */
export interface Container {
  lab: string;
  host: string;
  /** Directories below the writable one, topmost first; the last is the image. */
  lower: readonly string[];
}

export function containerDirs(container: Container): OverlayDirs & { log: string } {
  const base = join(labDir(container.lab), container.host);
  return {
    merged: join(base, 'root'),
    upper: join(base, 'upper'),
    work: join(base, 'work'),
    log: join(base, 'console.log'),
  };
}

/** Mounts the container's root, so that files can be put into it before it starts. Returns its path. */
export async function mountContainer(container: Container): Promise<string> {
  const dirs = containerDirs(container);
  await mountOverlay(container.lower, dirs);
  return dirs.merged;
}

/** Options of systemd-nspawn common to both kinds of containers. */
function nspawn(container: Container): string[] {
  return [
    'systemd-nspawn',
    '--quiet',
    `--directory=${containerDirs(container).merged}`,
    `--network-namespace-path=${namespacePath(container.lab, container.host)}`,
    `--machine=${namespaceOf(container.lab, container.host)}`,
    '--register=no',
    '--keep-unit',
    '--resolv-conf=off',
    '--timezone=off',
    '--link-journal=no',
    // nftables inside needs both (refused without them).
    '--capability=CAP_NET_ADMIN,CAP_NET_RAW',
  ];
}

/**
 * Boots the container with its own init. A reboot from inside ends nspawn with 133 (--keep-unit leaves starting again
 * to the caller), hence the loop.
 */
export async function bootContainer(container: Container, hostname: string): Promise<void> {
  const argv = [
    ...nspawn(container),
    '--boot',
    '--console=read-only',
    `--hostname=${hostname}`,
    // The host's cgroups may be of version 1, which systemd 257 refuses.
    '--setenv=SYSTEMD_PROC_CMDLINE=systemd.unified_cgroup_hierarchy=1',
  ];
  const loop = 'while "$@"; [ $? -eq 133 ]; do :; done';
  await startDaemon({
    lab: container.lab,
    group: container.host,
    argv: ['sh', '-c', loop, 'sh', ...argv],
    logFile: containerDirs(container).log,
    env: { SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: '1', SYSTEMD_NSPAWN_LOCK: '0' },
  });
  await waitForLeader(container);
}

/** Runs one program as the container's only service, with a stub init that reaps and passes on signals. */
export async function runInContainer(
  container: Container,
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  await startDaemon({
    lab: container.lab,
    group: container.host,
    argv: [
      ...nspawn(container),
      '--as-pid2',
      '--console=pipe',
      ...Object.entries(env).map(([name, value]) => `--setenv=${name}=${value}`),
      '--',
      ...argv,
    ],
    logFile: containerDirs(container).log,
    env: { SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: '1', SYSTEMD_NSPAWN_LOCK: '0' },
  });
  await waitForLeader(container);
}

/** The container's init as this machine numbers it; undefined when the container is not running. */
export async function findLeader(container: Container): Promise<number | undefined> {
  for (const pid of await groupProcesses(await groupPath(container.lab, container.host))) {
    const match = /^NSpid:\t\d+\t1$/m.exec((await readText(`/proc/${pid}/status`)) ?? '');
    if (match !== null) return pid;
  }
  return undefined;
}

export async function waitForLeader(container: Container): Promise<number> {
  return waitUntil(() => findLeader(container), {
    what: `the container ${container.host} to start`,
    timeoutMs: 120_000,
    intervalMs: 30,
    evidence: () => tailOf(containerDirs(container).log),
  });
}

/** Runs a shell command inside a running container, as root and with a login's environment. */
export async function execInContainer(
  container: Container,
  argv: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const leader = await findLeader(container);
  if (leader === undefined) {
    throw commandFailed(argv, {
      code: -1,
      stdout: '',
      stderr: `the container ${container.host} is not running`,
    });
  }
  return tryRun('nsenter', enterArgs(leader, argv, options.env), options);
}

/** Arguments for nsenter(1): all namespaces of the container, and a clean environment. */
export function enterArgs(
  leader: number,
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
): string[] {
  const clean = Object.entries({ ...SANDBOX_ENV, ...env }).map(([name, value]) => `${name}=${value}`);
  return [
    `--target=${leader}`,
    ...['--mount', '--uts', '--ipc', '--net', '--pid', '--cgroup', '--root', '--wd'],
    ...['--', '/usr/bin/env', '-i', ...clean, ...argv],
  ];
}

/** Ends every process of the container in an instant, as a power cut would. What was written stays. */
export async function killContainer(container: Container): Promise<void> {
  const group = await groupPath(container.lab, container.host);
  // The supervising loop first: it must not see the end of the leader as a reboot.
  for (const pid of await groupProcesses(group)) {
    if (/^NSpid:\t\d+$/m.test((await readText(`/proc/${pid}/status`)) ?? '')) killProcess(pid);
  }
  await killGroup(group);
  await destroyGroup(group);
}

/** Removes nspawn's own directories for a machine name, which it leaves behind when it is killed. */
export async function forgetMachine(lab: string, host: string): Promise<void> {
  for (const directory of ['/run/systemd/nspawn/propagate', '/run/systemd/nspawn/unix-export']) {
    try {
      await rmdir(join(directory, namespaceOf(lab, host)));
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw error;
    }
  }
}
