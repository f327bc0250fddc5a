import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Key, recogniseProtection, type Surroundings, startDecryption } from '../backup/cipher.js';
import { loadBackupScript } from '../backup/load-scripts.js';
import { type BackupContents, readArchive } from '../backup/read-archive.js';
import type { RestoreOptions } from '../cli/commands/restore.js';
import type { Run } from '../cli/outcome.js';
import type { Answers } from '../config/answers.js';
import { writeFileAtomically } from '../config/atomic-write.js';
import { loadConfig } from '../config/load.js';
import { lockPathFor, maxLockBytes, parseLock } from '../config/lock-file.js';
import { mergeAnswers } from '../config/merge-answers.js';
import { parseConfig } from '../config/parse.js';
import { readText } from '../config/read-text.js';
import { Exit, SetupError } from '../errors.js';
import { TarError } from '../lib/read-tar.js';
import { sanitizeLine } from '../lib/sanitize.js';
import { shellQuote } from '../lib/shell-quote.js';
import { renderTarHead } from '../lib/tar.js';
import { planRestore, refuseUnfit } from '../plan/plan-restore.js';
import type { Connection } from '../ssh/connection.js';
import { rememberHostKey } from '../ssh/remember-host-key.js';
import { renderPreflight } from '../ui/report/preflight.js';
import { askBlockLists } from './ask-block-lists.js';
import { chooseKey, withSurroundings } from './backup-key.js';
import { readConsents } from './consents.js';
import { openResolvers } from './open-resolvers.js';
import { preflight, reachServer, settleRunning, worthShowing } from './prepare.js';
import { travel } from './road.js';
import { openSession, readAnswers, type Session } from './session.js';
import { domainsOf, surveyZones } from './survey.js';

/** `restore`: the backup is read to its end before anything is touched; then the road of `apply`, with its data. */
export const runRestore: Run<RestoreOptions> = async (context, options) => {
  const { file } = options;
  const start = await openSession(context, { flags: options.flags, ...configOf(options) });
  const kind = await recognise(file);
  const key = await chooseKey(start, kind, options);
  return withSurroundings(start, async (around) => {
    const backup = await readBackup(file, key, around);
    const session = await adopt(start, options, backup);
    const answers = forNewServer(session);
    const { hostname } = backup.header;
    const reached = await reachServer(session, answers, { egress: 'when-fresh' });
    const pinned: Answers = {
      ...answers,
      hostKey: answers.hostKey ?? {
        value: reached.link.connection.hostKey.fingerprint,
        origin: { from: 'detected' },
      },
      hostname: { value: hostname, origin: { from: 'detected' } },
    };
    const config = mergeAnswers(session.loaded?.config, pinned);
    const server = config.servers[hostname];
    if (server === undefined) throw new Error('the restored configuration lacks its server');
    const resolvers = await openResolvers(session, [
      hostname,
      ...domainsOf(config, hostname).map(([name]) => name),
    ]);
    const zones = await surveyZones(session, config, hostname, resolvers);
    const settled = await settleRunning(session, reached, await context.createProgress());
    refuseUnfit(backup.header, backup.bytes, settled.facts);
    const listings = await askBlockLists(settled, config, hostname, resolvers);
    preflight(settled, hostname, server, listings, (findings) => {
      const shown = worthShowing(findings, context.io.verbose);
      if (shown.length > 0) context.io.say(renderPreflight(context.io, shown));
    });
    const { facts, steps } = planRestore(backup, settled.facts);
    return travel({
      session,
      reached: { ...settled, facts },
      zones,
      resolvers,
      request: {
        config,
        hostname,
        answers: pinned,
        mailboxes: [],
        // The address is what a restore changes; everything else in the zone is as the backup's server had it.
        consents: { ...readConsents(options.consents), update: true },
        onConflict: options.consents.onConflict,
        first: steps,
      },
      yes: options.yes,
      command: 'restore',
      onConsent: async () => {
        await rememberHostKey(settled.link.connection.hostKey);
        await writeClientFiles(session, backup);
        if (steps.length > 0) await upload(settled.link.connection, file, key, around, backup);
      },
    });
  });
};

function configOf({ config }: RestoreOptions): { config?: string } {
  return config === undefined ? {} : { config };
}

async function recognise(file: string) {
  const found = await stat(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw refused([error.message], error);
    throw new SetupError({
      code: 'E_BACKUP_FILE',
      exit: Exit.usage,
      what: `There is no file ${sanitizeLine(file, 200)}.`,
      fix: ['Check the path; nothing was touched.'],
      cause: error,
    });
  });
  if (!found.isFile()) throw refused(['it is not a file']);
  const kind = await recogniseProtection(file);
  if (kind === undefined) throw refused(['it is neither encrypted by gpg or age nor a plain archive']);
  return kind;
}

/** Reads all of it. Throws E_BACKUP_INVALID (exit 2) for what is cut, changed, or no backup. */
async function readBackup(
  file: string,
  key: Key,
  around: Surroundings,
  onServer?: (bytes: Uint8Array) => Promise<void>,
): Promise<BackupContents> {
  const filter = startDecryption(key, around);
  const fed = pipeline(createReadStream(file), filter.input);
  // A program that ends early breaks the pipe; its own words say why.
  fed.catch(() => undefined);
  try {
    const contents = await readArchive(filter.output, onServer);
    await filter.done;
    return contents;
  } catch (error) {
    if (error instanceof SetupError && error.code === 'E_BACKUP_CIPHER') throw refused(error.evidence, error);
    if (!(error instanceof TarError)) throw error;
    // What the program says (a wrong passphrase) explains why the archive ended.
    filter.kill();
    await filter.done.catch((cause: unknown) => {
      if (cause instanceof SetupError && cause.code !== 'E_BACKUP_CIPHER') throw cause;
    });
    throw refused([error.message], error);
  } finally {
    filter.kill();
  }
}

/** The configuration of this machine, or, where there is none, that of the backup. */
async function adopt(
  start: Session,
  options: RestoreOptions,
  { header, config, lock }: BackupContents,
): Promise<Session> {
  const own = await loadConfig(start.configPath);
  const loaded =
    own ?? (config === undefined ? undefined : parseConfig(config, `${options.file}: smtp-setup.yaml`));
  if (loaded?.config.servers[header.hostname] === undefined) {
    throw new SetupError({
      code: 'E_BACKUP_CONFIG',
      exit: Exit.usage,
      what:
        loaded === undefined
          ? 'The backup holds no smtp-setup.yaml, and there is none here.'
          : `${loaded.path} knows no server ${header.hostname}, whose backup this is.`,
      fix: [
        'Name the right file with --config, or one that does not exist: it is then taken from the backup.',
      ],
    });
  }
  const ownLock = await readText(lockPathFor(start.configPath), maxLockBytes);
  return {
    ...start,
    loaded,
    lock:
      ownLock === undefined && lock !== undefined
        ? parseLock(lock, `${options.file}: lock file`)
        : start.lock,
    answers: readAnswers(
      start.context,
      start.configPath,
      { ...options.flags, hostname: header.hostname },
      loaded,
    ),
  };
}

/** What the file says of the old machine's key does not hold for a new one. Throws E_USAGE without --ssh. */
function forNewServer({ answers }: Session): Answers {
  if (answers.ssh === undefined || answers.ssh.origin.from === 'file') {
    throw new SetupError({
      code: 'E_USAGE',
      exit: Exit.usage,
      what: 'It is not clear onto which server the backup shall go.',
      fix: ['Name the fresh one: --ssh root@ADDRESS'],
    });
  }
  if (answers.hostKey?.origin.from !== 'file') return answers;
  const { hostKey: _old, ...others } = answers;
  return others;
}

async function writeClientFiles(
  { configPath, loaded }: Session,
  { config, lock }: BackupContents,
): Promise<void> {
  if (config !== undefined && loaded !== undefined && (await loadConfig(configPath)) === undefined)
    await writeFileAtomically(configPath, config);
  const path = lockPathFor(configPath);
  if (lock !== undefined && (await readText(path, maxLockBytes)) === undefined)
    await writeFileAtomically(path, lock);
}

/** The server's part once more, to a place where nothing uses it. It must be what was checked before. */
async function upload(
  connection: Connection,
  file: string,
  key: Key,
  around: Surroundings,
  { id }: BackupContents,
): Promise<void> {
  const stream = new PassThrough({ highWaterMark: 1024 * 1024 });
  stream.on('error', () => undefined);
  const write = async (bytes: Uint8Array): Promise<void> => {
    if (!stream.write(bytes))
      await new Promise<void>((resolve) => void stream.once('drain', resolve).once('close', resolve));
  };
  const send = async (): Promise<void> => {
    let held: Uint8Array | undefined;
    const again = await readBackup(file, key, around, async (bytes) => {
      // The end of the archive is held back: the mark that all of it came goes before it.
      if (held !== undefined) await write(held);
      held = Buffer.from(bytes);
    });
    if (again.id !== id) throw refused(['it was changed while it was read']);
    await write(renderTarHead({ path: 'complete', mode: 0o600 }, 0));
    if (held !== undefined) await write(held);
    stream.end();
  };
  const sent = send();
  sent.catch((error: Error) => stream.destroy(error));
  const script = await loadBackupScript('receive');
  const result = await connection.exec(`sh -c ${shellQuote(script)} receive ${shellQuote(id.slice(0, 32))}`, {
    root: true,
    stdin: stream,
  });
  await sent;
  const answer = /^@(received|failed .*)$/m.exec(result.stdout)?.[1];
  if (answer === 'received') return;
  throw new SetupError({
    code: 'E_RESTORE_UPLOAD',
    exit: Exit.failed,
    what: 'The backup could not be sent to the server; nothing was changed there.',
    evidence: [
      sanitizeLine(answer ?? `exit status ${result.code ?? 'unknown'}: ${result.stderr.slice(-300)}`),
    ],
    fix: ['See that /var/lib on the server has room, and run the restore again.'],
  });
}

function refused(evidence: readonly string[], cause?: unknown): SetupError {
  return new SetupError({
    code: 'E_BACKUP_INVALID',
    exit: Exit.usage,
    what: 'This file cannot be restored from; nothing was touched.',
    evidence: evidence.map((line) => sanitizeLine(line)),
    fix: ['Take another backup: this one is cut, changed, or none of smtp-setup.'],
    ...(cause === undefined ? {} : { cause }),
  });
}
