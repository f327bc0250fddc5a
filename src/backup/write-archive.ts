import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { readTar } from '../lib/read-tar.js';
import { renderTarHead, tarEnd, tarPadding } from '../lib/tar.js';
import { checksumPath, isServerPath } from './layout.js';

export interface ArchiveWriter {
  addText(path: string, text: string): Promise<void>;
  /** Copies what the server sends, member by member. Throws TarError for what a backup may not hold. */
  addServer(source: AsyncIterable<Uint8Array>): Promise<{ files: number; bytes: number }>;
  /** Writes the proof that nothing is missing, and ends the sink. */
  finish(): Promise<void>;
}

/** Writes the plain archive into a sink (a file, or the program that encrypts it). */
export function createArchiveWriter(sink: Writable): ArchiveWriter {
  const hash = createHash('sha256');
  const write = async (bytes: Uint8Array): Promise<void> => {
    hash.update(bytes);
    if (!sink.write(bytes)) await once(sink, 'drain');
  };
  const addText = async (path: string, text: string): Promise<void> => {
    const bytes = Buffer.from(text);
    await write(renderTarHead({ path, mode: 0o600 }, bytes.length));
    await write(bytes);
    await write(tarPadding(bytes.length));
  };
  return {
    addText,
    async addServer(source) {
      let files = 0;
      let total = 0;
      let size = 0;
      for await (const piece of readTar(source)) {
        if (piece.kind === 'content') {
          await write(piece.bytes);
          continue;
        }
        await write(tarPadding(size));
        requireServerPath(piece.path);
        const path = piece.directory ? `${piece.path}/` : piece.path;
        await write(renderTarHead({ path, mode: piece.directory ? 0o700 : 0o600 }, piece.size));
        size = piece.size;
        total += piece.size;
        if (!piece.directory) files += 1;
      }
      await write(tarPadding(size));
      return { files, bytes: total };
    },
    async finish() {
      await addText(checksumPath, `${hash.copy().digest('hex')}\n`);
      sink.end(tarEnd());
    },
  };
}

export function requireServerPath(path: string): void {
  if (!isServerPath(path))
    throw new TypeError(`not a part of a backup: ${JSON.stringify(path.slice(0, 200))}`);
}
