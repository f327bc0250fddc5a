import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extensions, type Protection, startEncryption } from '../backup/cipher.js';
import { backupFileName, configPath, headerPath, lockPath } from '../backup/layout.js';
import { loadBackupScript } from '../backup/load-scripts.js';
import { createArchiveWriter } from '../backup/write-archive.js';
import type { BackupOptions } from '../cli/commands/backup.js';
import type { Run } from '../cli/outcome.js';
import type { BackupHeader } from '../config/backup-header.js';
import { lockPathFor, maxLockBytes } from '../config/lock-file.js';
import { maxConfigBytes } from '../config/parse.js';
import { readText } from '../config/read-text.js';
import { Exit, SetupError } from '../errors.js';
import type { Facts } from '../facts/index.js';
import { readSomeFacts } from '../facts/read-facts.js';
import { TarError } from '../lib/read-tar.js';
import { sanitizeLine } from '../lib/sanitize.js';
import type { Connection } from '../ssh/connection.js';
import { formatBytes } from '../ui/text.js';
import { chooseProtection, withSurroundings } from './backup-key.js';
import { connectServer } from './connect-server.js';
import { openSession, type Session } from './session.js';

const asked = ['state', 'accounts', 'hostName', 'dkim', 'certificate', 'os', 'relayLogins'] as const;
type BackupFacts = Pick<Facts, (typeof asked)[number]>;

/** `backup`: one connection, three round trips; the file appears under its name only when it is whole. */
export const runBackup: Run<BackupOptions> = async (context, options) => {
  const session = await openSession(context, options);
  const protection = await chooseProtection(session, options);
  const { connection } = await connectServer(session, session.answers);
  const facts = await readSomeFacts(connection, asked, context.signal);
  requireInstalled(facts, connection);
  const hostname = session.answers.hostname?.value ?? (facts.hostName.fqdn || facts.hostName.static);
  const target = await chooseTarget(options.target, hostname, context.clock(), protection);
  const progress = await context.createProgress();
  progress.emit({ kind: 'start', lane: 'local', id: 'backup', title: `Save ${hostname} to ${target}` });
  const partial = `${target}.partial`;
  const name = Buffer.from(context.randomBytes(4)).toString('hex');
  try {
    await rm(partial, { force: true });
    const { files, bytes } = await withSurroundings(session, async (around) => {
      const sink = createWriteStream(partial, { flags: 'wx', mode: 0o600 });
      await once(sink, 'open');
      const filter = startEncryption(protection, around);
      try {
        const written = pipeline(filter.output, sink);
        written.catch(() => undefined);
        // Whichever fails first says why: the program that is missing, the disk that is full, the server that is gone.
        const counted = await Promise.race([
          fill(session, connection, facts, hostname, name, filter.input),
          failureOf(filter.done),
          failureOf(written),
        ]);
        await filter.done;
        await written;
        return counted;
      } finally {
        filter.kill();
      }
    });
    await settle(partial, target);
    await connection.exec(`cd /var/lib/smtp-setup && mv -f saved.begun.${name} saved`, { root: true });
    progress.emit({ kind: 'done', lane: 'local', id: 'backup' });
    const size = (await stat(target)).size;
    context.io.print(
      `Saved ${hostname}: ${facts.accounts.mailboxes.length} mailboxes, ${facts.dkim.keys.length} DKIM keys, ${files} files (${formatBytes(bytes)}) in ${target} (${formatBytes(size)}${protection.kind === 'plain' ? ', not encrypted' : ''}).`,
    );
    const { roundTrips } = connection;
    return {
      exit: Exit.ok,
      document: { file: target, size, files, bytes, hostname, encrypted: protection.kind, roundTrips },
    };
  } catch (error) {
    await rm(partial, { force: true });
    progress.emit({ kind: 'fail', lane: 'local', id: 'backup', message: 'no backup was made' });
    throw error instanceof TarError || error instanceof TypeError ? strange(error) : error;
  } finally {
    progress.stop();
    await connection.close();
  }
};

async function fill(
  session: Session,
  connection: Connection,
  facts: BackupFacts,
  hostname: string,
  name: string,
  sink: Writable,
): Promise<{ files: number; bytes: number }> {
  const { context, configPath: file } = session;
  const archive = createArchiveWriter(sink);
  await archive.addText(
    headerPath,
    `${JSON.stringify(describe(facts, hostname, context.clock()), undefined, 2)}\n`,
  );
  const config = await readText(file, maxConfigBytes);
  if (config !== undefined) await archive.addText(configPath, config);
  const lock = await readText(lockPathFor(file), maxLockBytes);
  if (lock !== undefined) await archive.addText(lockPath, lock);
  const stream = new PassThrough({ highWaterMark: 1024 * 1024 });
  const added = archive.addServer(stream);
  added.catch(() => undefined);
  const result = await Promise.race([
    connection.exec(`sh -s ${name}`, {
      root: true,
      stdin: await loadBackupScript('collect'),
      streamed: true,
      signal: context.signal,
      onStdout: (chunk) => (stream.write(chunk) ? undefined : once(stream, 'drain').then(() => undefined)),
    }),
    failureOf(added),
  ]);
  if (result.code !== 0) {
    stream.destroy();
    throw new SetupError({
      code: 'E_BACKUP_SERVER',
      exit: Exit.failed,
      what: 'The server could not collect what belongs into the backup.',
      evidence: [
        ...result.stderr
          .split('\n')
          .filter((line) => line !== '')
          .slice(-3)
          .map((line) => sanitizeLine(line)),
        `exit status ${result.code ?? result.signal ?? 'unknown'}`,
      ],
      fix: ['Look at free space in /var/vmail on the server, and try again.'],
    });
  }
  stream.end();
  const counted = await added;
  await archive.finish();
  return counted;
}

/** Never resolves; rejects when the work fails. */
async function failureOf(work: Promise<unknown>): Promise<never> {
  await work;
  return new Promise(() => undefined);
}

function describe(
  { accounts, dkim, certificate, os, relayLogins }: BackupFacts,
  hostname: string,
  now: number,
): BackupHeader {
  return {
    format: 'smtp-setup-backup',
    version: 1,
    created: new Date(now).toISOString(),
    hostname,
    os: sanitizeLine(os?.name ?? 'unknown', 200),
    domains: [...accounts.domains],
    mailboxes: [...accounts.mailboxes],
    dkim: dkim.keys.map(({ domain, selector, publicKey }) => ({ domain, selector, publicKey })),
    certificate: {
      state: certificate.state,
      names: [...certificate.names],
      ...(certificate.directory === undefined ? {} : { directory: certificate.directory }),
      ...(certificate.ca === undefined ? {} : { ca: certificate.ca }),
      ...(certificate.digest === undefined ? {} : { digest: certificate.digest }),
      ...(certificate.nextDigest === undefined ? {} : { nextDigest: certificate.nextDigest }),
    },
    ...(relayLogins.length > 0 ? { relays: relayLogins.map(({ name, host }) => ({ name, host })) } : {}),
  };
}

function requireInstalled({ state, accounts }: BackupFacts, { target }: Connection): void {
  if (state.manifest !== 'absent' && accounts.prepared) return;
  throw new SetupError({
    code: 'E_NOT_INSTALLED',
    exit: Exit.unsuitable,
    what: `${target.host} was not set up by smtp-setup, or not to the end.`,
    fix: ['Set it up: smtp-setup init', 'Go on with what was interrupted: smtp-setup apply'],
  });
}

async function chooseTarget(
  target: string,
  hostname: string,
  now: number,
  { kind }: Protection,
): Promise<string> {
  const found = await stat(target).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  const file = found?.isDirectory() ? join(target, backupFileName(hostname, now, extensions[kind])) : target;
  if (found === undefined || found.isDirectory()) return file;
  throw new SetupError({
    code: 'E_BACKUP_EXISTS',
    exit: Exit.usage,
    what: `${target} is there already; a backup never overwrites a file.`,
    fix: ['Name another file, or a directory.'],
  });
}

/** On disk, and then under its name. */
async function settle(partial: string, target: string): Promise<void> {
  const file = await open(partial, 'r');
  await file.sync();
  await file.close();
  await rename(partial, target);
}

function strange(cause: Error): SetupError {
  return new SetupError({
    code: 'E_BACKUP_SERVER',
    exit: Exit.failed,
    what: 'What the server sent is no part of a backup; none was made.',
    evidence: [sanitizeLine(cause.message)],
    fix: ['Look at what lies in /var/vmail and /etc/smtp-setup on the server.'],
    cause,
  });
}
