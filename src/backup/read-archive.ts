import { createHash } from 'node:crypto';
import { type BackupHeader, parseBackupHeader } from '../config/backup-header.js';
import { readTar, TarError } from '../lib/read-tar.js';
import { renderTarHead, tarEnd, tarPadding } from '../lib/tar.js';
import { checksumPath, configPath, headerPath, isServerPath, lockPath } from './layout.js';

/** A backup that was read to its end and found whole. */
export interface BackupContents {
  header: BackupHeader;
  config?: string;
  lock?: string;
  /** SHA-256 of all that the checksum covers: names this backup. */
  id: string;
  files: number;
  bytes: number;
}

const maxText = 4 * 1024 * 1024;

/**
 * Reads a backup to its end. `onServer` gets the server's part again as an archive of its own. Throws TarError for what is
 * cut, changed, or has no business in a backup.
 */
export async function readArchive(
  source: AsyncIterable<Uint8Array>,
  onServer: (bytes: Uint8Array) => Promise<void> = async () => undefined,
): Promise<BackupContents> {
  const hash = createHash('sha256');
  const texts = new Map<string, string>();
  const found = { files: 0, bytes: 0 };
  let current: { path: string; size: number; server: boolean } | undefined;
  let parts: Uint8Array[] = [];
  let id = '';
  const closeMember = async (): Promise<void> => {
    if (current === undefined) return;
    const pad = tarPadding(current.size);
    hash.update(pad);
    if (current.server) await onServer(pad);
    else texts.set(current.path, Buffer.concat(parts).toString('utf8'));
    parts = [];
  };
  for await (const piece of readTar(source)) {
    if (piece.kind === 'content') {
      hash.update(piece.bytes);
      if (current?.server) await onServer(piece.bytes);
      else parts.push(Buffer.from(piece.bytes));
      continue;
    }
    await closeMember();
    const { path, directory, size } = piece;
    if (texts.has(checksumPath) || id !== '') throw new TarError('something follows the checksum');
    const server = isServerPath(path);
    if (!server) requireText(path, size, texts);
    if (path === checksumPath) id = hash.copy().digest('hex');
    const head = renderTarHead(
      { path: directory ? `${path}/` : path, mode: directory ? 0o700 : 0o600 },
      size,
    );
    hash.update(head);
    if (server) {
      await onServer(head);
      if (!directory) found.files += 1;
      found.bytes += size;
    }
    current = { path, size, server };
  }
  await closeMember();
  if (id === '') throw new TarError('it ends too early: the checksum is missing');
  if (texts.get(checksumPath) !== `${id}\n`) throw new TarError('its content does not fit its checksum');
  const header = parseBackupHeader(texts.get(headerPath) ?? '');
  if (header === undefined) throw new TarError('it does not say what it is, or a newer smtp-setup made it');
  await onServer(tarEnd());
  const config = texts.get(configPath);
  const lock = texts.get(lockPath);
  return {
    header,
    ...(config === undefined ? {} : { config }),
    ...(lock === undefined ? {} : { lock }),
    id,
    ...found,
  };
}

function requireText(path: string, size: number, texts: ReadonlyMap<string, string>): void {
  if (![headerPath, configPath, lockPath, checksumPath].includes(path))
    throw new TarError(`${JSON.stringify(path.slice(0, 200))} is no part of a backup`);
  if (texts.size === 0 && path !== headerPath) throw new TarError('it is no backup of smtp-setup');
  if (texts.has(path)) throw new TarError(`${path} is there twice`);
  if (size > maxText) throw new TarError(`${path} is larger than 4 MiB`);
}
