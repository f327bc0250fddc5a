import { type FileHandle, open } from 'node:fs/promises';
import { Exit, messageOf, SetupError } from '../errors.js';
import { writeFileAtomically } from './atomic-write.js';
import type { Lock } from './lock.js';
import { lockPathFor, maxLockBytes, parseLock, renderLock } from './lock-file.js';
import { type LoadedConfig, maxConfigBytes, parseConfig } from './parse.js';

export const defaultConfigName = 'smtp-setup.yaml';

type Env = Readonly<Record<string, string | undefined>>;

/** Which file is meant: `--config`, SMTP_SETUP_CONFIG, else `smtp-setup.yaml` here. */
export function chooseConfigPath(flag: string | undefined, env: Env): string {
  return flag ?? (env.SMTP_SETUP_CONFIG || defaultConfigName);
}

/** Reads a configuration file; undefined when there is none. Throws SetupError E_CONFIG_… (exit 2). */
export async function loadConfig(path: string): Promise<LoadedConfig | undefined> {
  const text = await readText(path, maxConfigBytes);
  return text === undefined ? undefined : parseConfig(text, path);
}

/** Reads the configuration that a command cannot do without. Throws SetupError E_CONFIG_MISSING (exit 2). */
export async function requireConfig(path: string): Promise<LoadedConfig> {
  const loaded = await loadConfig(path);
  if (loaded !== undefined) return loaded;
  throw new SetupError({
    code: 'E_CONFIG_MISSING',
    exit: Exit.usage,
    what: `There is no configuration file ${path}.`,
    fix: ['Run `smtp-setup init` to make one, or name another with --config FILE.'],
  });
}

/** Reads the lock file that belongs to a configuration; an empty one when there is none. */
export async function loadLock(configPath: string): Promise<Lock> {
  const path = lockPathFor(configPath);
  const text = await readText(path, maxLockBytes);
  return text === undefined ? { version: 1, servers: {}, domains: {} } : parseLock(text, path);
}

/** Writes the lock file atomically; returns false when it already said so. */
export async function saveLock(configPath: string, lock: Lock): Promise<boolean> {
  const path = lockPathFor(configPath);
  const text = renderLock(lock);
  if ((await readText(path, maxLockBytes)) === text) return false;
  await writeFileAtomically(path, text);
  return true;
}

/** The text of a file of at most `maxBytes`; undefined when there is none. */
export async function readText(path: string, maxBytes: number): Promise<string | undefined> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw unreadable(path, error);
  });
  if (file === undefined) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await readAtMost(file, path, maxBytes));
  } catch (error) {
    throw error instanceof SetupError ? error : unreadable(path, error);
  } finally {
    await file.close();
  }
}

/** /dev/zero as --config must not fill the memory; pipes (`<(…)`) have no positions and come in pieces. */
async function readAtMost(file: FileHandle, path: string, maxBytes: number): Promise<Uint8Array> {
  const buffer = Buffer.alloc(maxBytes + 1);
  let size = 0;
  for (;;) {
    const { bytesRead } = await file.read(buffer, size, buffer.length - size, null);
    if (bytesRead === 0) return buffer.subarray(0, size);
    size += bytesRead;
    if (size > maxBytes) throw unreadable(path, new Error(`it is larger than ${maxBytes} bytes`));
  }
}

function unreadable(path: string, error: unknown): SetupError {
  return new SetupError({
    code: 'E_FILE_UNREADABLE',
    exit: Exit.usage,
    what: `The file ${path} cannot be read.`,
    evidence: [messageOf(error)],
    fix: ['Check the path and its permissions.'],
    cause: error,
  });
}
