import { access, constants, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Key, Protection, Surroundings } from '../backup/cipher.js';
import { readSecret } from '../config/read-secret.js';
import type { Secret } from '../config/secret.js';
import { Exit, messageOf, SetupError } from '../errors.js';
import type { Session } from './session.js';

const variable = 'SMTP_SETUP_PASSPHRASE';

/** What the backup is protected with: age keys, a passphrase, or, after a question, nothing. */
export async function chooseProtection(
  session: Session,
  options: { recipients: readonly string[]; passphraseFile?: string; plain: boolean; yes: boolean },
): Promise<Protection> {
  const { recipients, passphraseFile, plain } = options;
  if ([recipients.length > 0, plain, passphraseFile !== undefined].filter(Boolean).length > 1) {
    throw new SetupError({
      code: 'E_USAGE',
      exit: Exit.usage,
      what: '--recipient, --passphrase-file and --plain exclude each other.',
      fix: ['Choose one.'],
    });
  }
  if (recipients.length > 0) {
    const strange = recipients.filter(
      (recipient) => !/^(age1[a-z0-9]{10,200}|ssh-[a-z0-9]+ [A-Za-z0-9+/=]+)/.test(recipient),
    );
    if (strange.length === 0) return { kind: 'age', recipients };
    throw new SetupError({
      code: 'E_BACKUP_RECIPIENT',
      exit: Exit.usage,
      what: 'A recipient is no public key of age.',
      evidence: strange,
      fix: ['Give the line that age-keygen prints: age1…'],
    });
  }
  if (plain) {
    const agreed =
      options.yes ||
      (await session.asker.confirm({
        key: 'plain',
        message: 'Private keys, password hashes and all mail will lie in the file unencrypted. Go on?',
        default: false,
        flag: '--yes',
      }));
    if (agreed) return { kind: 'plain' };
    throw new SetupError({ code: 'E_CANCELLED', exit: Exit.cancelled, what: 'No backup was made.' });
  }
  const given = await readPassphrase(session, passphraseFile);
  if (given !== undefined) return { kind: 'gpg', passphrase: requireLong(given) };
  requireTerminal(session, 'Unencrypted, in a place that is safe: --plain');
  const first = await session.asker.secret({
    key: 'passphrase',
    message: 'Passphrase for the backup (12 characters or more; without it nobody can restore)',
    validate: (value) => (value.length >= 12 ? true : 'Give at least 12 characters.'),
  });
  await session.asker.secret({
    key: 'passphrase-again',
    message: 'Once more',
    validate: (value) => (value === first.reveal() ? true : 'The two differ.'),
  });
  session.context.redactor.add(first);
  return { kind: 'gpg', passphrase: first };
}

/** What opens a backup that is protected in this way. */
export async function chooseKey(
  session: Session,
  kind: Protection['kind'],
  options: { ageIdentity?: string; passphraseFile?: string },
): Promise<Key> {
  if (kind === 'plain') return { kind };
  if (kind === 'age') {
    if (options.ageIdentity !== undefined) return { kind, identity: await readable(options.ageIdentity) };
    throw new SetupError({
      code: 'E_BACKUP_KEY',
      exit: Exit.usage,
      what: 'The backup is encrypted to a key of age.',
      fix: ['Name the file with the private key: --age-identity FILE'],
    });
  }
  const given = await readPassphrase(session, options.passphraseFile);
  if (given !== undefined) return { kind, passphrase: given };
  requireTerminal(session);
  const typed = await session.asker.secret({ key: 'passphrase', message: 'Passphrase of the backup' });
  session.context.redactor.add(typed);
  return { kind, passphrase: typed };
}

/** Runs `work` with what the local programs may see; what they left behind goes afterwards. */
export async function withSurroundings<T>(
  session: Session,
  work: (around: Surroundings) => Promise<T>,
): Promise<T> {
  const { env, homeDir } = session.context;
  const gpgHome = await mkdtemp(join(tmpdir(), 'smtp-setup-gpg-'));
  try {
    return await work({ env: { PATH: env.PATH ?? '/usr/bin:/bin', HOME: homeDir }, gpgHome });
  } finally {
    await rm(gpgHome, { recursive: true, force: true });
  }
}

async function readPassphrase({ context }: Session, file: string | undefined): Promise<Secret | undefined> {
  const secret = await readSecret({
    env: context.env,
    names: [variable],
    files: context.files,
    file: file === undefined ? undefined : { wanter: '--passphrase-file', path: file },
  });
  if (secret !== undefined) context.redactor.add(secret);
  return secret;
}

/** Before age's own complaint would pass for one about the backup. Throws E_BACKUP_KEY (exit 2). */
async function readable(file: string): Promise<string> {
  try {
    await access(file, constants.R_OK);
    return file;
  } catch (error) {
    throw new SetupError({
      code: 'E_BACKUP_KEY',
      exit: Exit.usage,
      what: `The private key ${file} cannot be read.`,
      evidence: [messageOf(error)],
      fix: ['Name the file that age-keygen wrote: --age-identity FILE', 'Nothing was changed.'],
      cause: error,
    });
  }
}

/** Throws E_PASSPHRASE_MISSING (exit 2) where nobody can be asked. */
function requireTerminal({ asker }: Session, ...more: readonly string[]): void {
  if (asker.interactive) return;
  throw new SetupError({
    code: 'E_PASSPHRASE_MISSING',
    exit: Exit.usage,
    what: 'There is no passphrase for the backup, and no terminal to ask for one.',
    fix: [`Give it with --passphrase-file FILE (- for stdin), ${variable} or ${variable}_FILE.`, ...more],
  });
}

function requireLong(secret: Secret): Secret {
  const text = secret.reveal();
  if (text.length >= 12 && !/[\r\n]/.test(text)) return secret;
  throw new SetupError({
    code: 'E_PASSPHRASE_WEAK',
    exit: Exit.usage,
    what: 'The passphrase is shorter than 12 characters, or more than one line.',
    fix: ['Give a longer one; no backup was made.'],
  });
}
