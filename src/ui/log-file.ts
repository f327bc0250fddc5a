import { closeSync, mkdirSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Redactor } from '../config/redact.js';
import { Exit, messageOf, SetupError } from '../errors.js';
import { sanitizeText } from '../lib/sanitize.js';

/** The full log of one run, for when something went wrong. */
export interface LogFile {
  readonly path: string;
  write(text: string): void;
  close(): void;
}

/** So many are kept; older ones go when a new one is opened. */
const keep = 20;

/**
 * Opens `<stateDir>/logs/<time>-<command>.log`, readable by the user alone (0600 in a 0700 folder). Every line is
 * stamped, stripped of control characters and of secrets. Written at once: the last line before a crash matters most.
 * Throws E_STATE_UNWRITABLE (exit 2).
 */
export function openLogFile(
  stateDir: string,
  command: string,
  clock: () => number,
  redactor: Redactor,
): LogFile {
  const folder = join(stateDir, 'logs');
  const stamp = new Date(clock()).toISOString().replace(/[-:]/g, '').replace(/\.\d+/, '');
  const { path, file } = openIn(folder, `${stamp}-${command}`);
  return {
    path,
    write(text) {
      const time = new Date(clock()).toISOString();
      const lines = sanitizeText(redactor.redact(text)).split('\n');
      writeSync(file, lines.map((line) => `${time} ${line}\n`).join(''));
    },
    close: () => closeSync(file),
  };
}

function openIn(folder: string, name: string): { path: string; file: number } {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const opened = openNew(folder, name);
    removeOld(folder);
    return opened;
  } catch (error) {
    throw new SetupError({
      code: 'E_STATE_UNWRITABLE',
      exit: Exit.usage,
      what: 'There is nowhere on this machine to keep the log, and what undo needs.',
      evidence: [messageOf(error)],
      fix: [
        `See that you may write in ${folder}, or name another folder with XDG_STATE_HOME; nothing was changed.`,
      ],
      cause: error,
    });
  }
}

/** Two runs may begin in the same second. */
function openNew(folder: string, name: string): { path: string; file: number } {
  for (let attempt = 1; ; attempt += 1) {
    const path = join(folder, attempt === 1 ? `${name}.log` : `${name}-${attempt}.log`);
    try {
      return { path, file: openSync(path, 'wx', 0o600) };
    } catch (error) {
      const taken = error instanceof Error && 'code' in error && error.code === 'EEXIST';
      if (!taken || attempt >= 100) throw error;
    }
  }
}

function removeOld(folder: string): void {
  const logs = readdirSync(folder)
    .filter((name) => name.endsWith('.log'))
    .sort();
  // Another run may take the same one away at this moment.
  for (const name of logs.slice(0, -keep)) rmSync(join(folder, name), { force: true });
}
