import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { LABS_DIR, labDir, namespaceOf, requireLabName } from './layout.js';
import { destroyLabGroups, groupPath, groupProcesses } from './machine/cgroup.js';
import { forgetMachine } from './machine/container.js';
import { mountsBelow, unmountBelow } from './machine/mounts.js';
import { destroyNetwork, namespacesOf } from './net/network.js';

/**
 * Ends a lab and removes every trace of it: processes, namespaces, mounts, files. It relies on nothing that the lab
 * wrote, so it works after any crash, and twice.
 */
export async function destroyLab(name: string): Promise<void> {
  requireLabName(name);
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
