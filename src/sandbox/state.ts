import { mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { VpsImage } from './images/recipes.js';
import { LABS_DIR, labDir } from './layout.js';
import { isErrno, type ProcessId, readText, waitForLock } from './lock.js';
import type { HostProgram } from './machine/host.js';
import type { Fault } from './net/faults.js';
import type { Zone } from './services/zone.js';

/** What is needed to find a lab again from another process. Kept in the lab's own tmpfs, so it never outlives it. */
export interface LabState {
  version: 1;
  name: string;
  /** `starting` with a dead owner is a crash. */
  phase: 'starting' | 'ready';
  owner: ProcessId;
  cacheDir: string;
  domain: string;
  ipv6: boolean;
  image: VpsImage;
  imageDir: string;
  /** Directory of the services image. */
  servicesDir: string;
  layer?: string;
  vpsLower: readonly string[];
  hostname: string;
  hostKeyFingerprint: string;
  tsigSecret: string;
  zones: readonly Zone[];
  /** Service hosts by name: how each is started again. */
  hosts: Readonly<Record<string, { last: number; program: HostProgram }>>;
  faults: readonly Fault[];
}

export async function readLabState(name: string): Promise<LabState | undefined> {
  const text = await readText(stateFile(name));
  return text === undefined ? undefined : (JSON.parse(text) as LabState);
}

export async function writeLabState(state: LabState): Promise<void> {
  const file = stateFile(state.name);
  await writeFile(`${file}.draft`, JSON.stringify(state, null, 2), { mode: 0o600 });
  await rename(`${file}.draft`, file);
}

/** Changes the state under a lock, because several processes may hold the same lab open. */
export async function updateLabState(name: string, change: (state: LabState) => LabState): Promise<LabState> {
  const release = await waitForLock(`${stateFile(name)}.lock`, { intervalMs: 20 });
  try {
    const state = await readLabState(name);
    if (state === undefined) throw new Error(`the sandbox ${name} is gone`);
    const changed = change(state);
    await writeLabState(changed);
    return changed;
  } finally {
    await release();
  }
}

/** Names of all labs of this machine, whole or broken. */
export async function listLabNames(): Promise<string[]> {
  try {
    const entries = await readdir(LABS_DIR, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}

export async function ensureLabsDir(): Promise<void> {
  await mkdir(LABS_DIR, { recursive: true, mode: 0o700 });
}

function stateFile(name: string): string {
  return join(labDir(name), 'state.json');
}
