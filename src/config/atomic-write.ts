import { randomBytes } from 'node:crypto';
import { access, constants, type FileHandle, open, realpath, rename, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { Exit, type ExitCode, messageOf, SetupError } from '../errors.js';

/**
 * Writes a file whole or not at all: beside the target, synced, then renamed over it. A symbolic link stays one and its
 * target is replaced; an existing file keeps its mode, a new one gets `mode`. Throws E_FILE_UNWRITABLE (exit 1).
 */
export async function writeFileAtomically(path: string, text: string, mode = 0o644): Promise<void> {
  try {
    await replaceFile(path, text, mode);
  } catch (error) {
    throw unwritable(path, error, Exit.failed);
  }
}

/**
 * Looks whether {@link writeFileAtomically} could write there, before there is anything to lose. Throws
 * E_FILE_UNWRITABLE (exit 2).
 */
export async function refuseUnwritable(path: string): Promise<void> {
  try {
    const target = await targetOf(path);
    await access(dirname(target), constants.W_OK | constants.X_OK);
  } catch (error) {
    throw unwritable(path, error, Exit.usage);
  }
}

function unwritable(path: string, error: unknown, exit: ExitCode): SetupError {
  const folder = dirname(resolve(path));
  const absent = error instanceof Error && 'code' in error && error.code === 'ENOENT';
  return new SetupError({
    code: 'E_FILE_UNWRITABLE',
    exit,
    what: `The file ${path} cannot be written.`,
    evidence: [absent ? `There is no folder ${folder}.` : messageOf(error)],
    fix: [
      absent
        ? `Make the folder: mkdir -p ${folder}`
        : `See that you may write in ${folder}, or name another file.`,
    ],
    cause: error,
  });
}

async function targetOf(path: string): Promise<string> {
  return realpath(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return path;
    throw error;
  });
}

async function replaceFile(path: string, text: string, mode: number): Promise<void> {
  const target = await targetOf(path);
  const existing = await stat(target).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  const temporary = join(dirname(target), `.${basename(target)}.${randomBytes(6).toString('hex')}`);
  try {
    await writeSynced(temporary, text, existing === undefined ? mode : existing.mode & 0o777);
    await rename(temporary, target);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
}

async function writeSynced(path: string, text: string, mode: number): Promise<void> {
  const file: FileHandle = await open(path, 'wx', mode);
  try {
    await file.writeFile(text, 'utf8');
    await file.chmod(mode);
    await file.sync();
  } finally {
    await file.close();
  }
}
