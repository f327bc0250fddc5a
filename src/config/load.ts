import { Exit, SetupError } from '../errors.js';
import { writeFileAtomically } from './atomic-write.js';
import type { Lock } from './lock.js';
import { lockPathFor, maxLockBytes, parseLock, renderLock } from './lock-file.js';
import { type LoadedConfig, maxConfigBytes, parseConfig } from './parse.js';
import { readText } from './read-text.js';

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
