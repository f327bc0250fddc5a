import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Exit, SetupError } from '../errors.js';
import { LABS_DIR, labDir, namespaceOf, requireLabName } from './layout.js';
import { tryLock } from './lock.js';
import { destroyLabGroups, groupPath, groupProcesses } from './machine/cgroup.js';
import { forgetMachine } from './machine/container.js';
import { mountsBelow, unmountBelow } from './machine/mounts.js';
import { destroyNetwork, namespacesOf } from './net/network.js';
import { ensureLabsDir } from './state.js';

/**
 * Ends a lab by name, whole or broken, running or not. Error: `E_SANDBOX_BUSY` while another process creates it.
 */
export async function destroyLab(name: string): Promise<void> {
  requireLabName(name);
  await ensureLabsDir();
  const release = await lockLab(name);
  try {
    await removeLab(name);
  } finally {
    await release();
  }
}

/** Takes the right to create or remove a lab; it is free again when the process ends, however it ends. */
export async function lockLab(name: string): Promise<() => Promise<void>> {
  const lock = await tryLock(join(LABS_DIR, `${name}.lock`));
  if (typeof lock === 'function') return lock;
  throw new SetupError({
    code: 'E_SANDBOX_BUSY',
    exit: Exit.busy,
    what: `Another process is just creating or removing the sandbox ${name}.`,
    evidence: [`process ${lock.pid}`],
    fix: ['Wait until it is done, or choose another name.'],
  });
}

/**
 * Ends a lab and removes every trace of it: processes, namespaces, mounts, files. It relies on nothing that the lab
 * wrote, so it works after any crash, and twice. The caller holds the lab's lock.
 */
export async function removeLab(name: string): Promise<void> {
  const hosts = (await namespacesOf(name)).map((namespace) => namespace.slice(namespaceOf(name, '').length));
  await destroyLabGroups(name);
  await destroyNetwork(name);
  for (const host of hosts) await forgetMachine(name, host);
  await unmountBelow(labDir(name));
  await rm(labDir(name), { recursive: true, force: true });
}

/** What is left of a lab; empty after {@link destroyLab}. */
export async function findRemains(name: string): Promise<string[]> {
  return [
    ...(await groupProcesses(await groupPath(name))).map((pid) => `process ${pid}`),
    ...(await namespacesOf(name)).map((namespace) => `namespace ${namespace}`),
    ...(await mountsBelow(join(LABS_DIR, name))).map((point) => `mount ${point}`),
  ];
}
