import { mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { VpsImage } from './images/recipes.js';
import { LABS_DIR, labDir } from './layout.js';
import { isErrno, type ProcessId, readText } from './lock.js';

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
  servicesDir?: string;
  layer?: string;
  vpsLower: readonly string[];
  hostname: string;
  hostKeyFingerprint: string;
  /** Zones served by the DNS tree beside those every lab has (fully qualified, with the final dot). */
  zones: readonly string[];
  /** Further hosts (startHost): name → last part of the address. */
  hosts: Readonly<Record<string, number>>;
  faults: readonly string[];
}

export async function readLabState(name: string): Promise<LabState | undefined> {
  const text = await readText(join(labDir(name), 'state.json'));
  return text === undefined ? undefined : (JSON.parse(text) as LabState);
}

export async function writeLabState(state: LabState): Promise<void> {
  const file = join(labDir(state.name), 'state.json');
  await writeFile(`${file}.draft`, JSON.stringify(state, null, 2), { mode: 0o600 });
  await rename(`${file}.draft`, file);
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
