import { type FileHandle, open } from 'node:fs/promises';
import { Exit, messageOf, SetupError } from '../errors.js';

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
