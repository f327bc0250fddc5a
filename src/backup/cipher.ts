import { type ChildProcess, spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { PassThrough, type Readable, type Writable } from 'node:stream';
import type { Secret } from '../config/secret.js';
import { Exit, SetupError } from '../errors.js';
import { sanitizeLine } from '../lib/sanitize.js';

/** What protects a backup. age reads passphrases from a terminal only, so a passphrase means gpg (docs/decisions/). */
export type Protection =
  | { kind: 'plain' }
  | { kind: 'gpg'; passphrase: Secret }
  /** To encrypt: `age1…`, `ssh-…`. */
  | { kind: 'age'; recipients: readonly string[] };

export type Key = { kind: 'plain' } | { kind: 'gpg'; passphrase: Secret } | { kind: 'age'; identity: string };

export const extensions: Readonly<Record<Protection['kind'], string>> = {
  plain: 'tar',
  gpg: 'tar.gpg',
  age: 'tar.age',
};

/** A local program at work on a stream. */
export interface Filter {
  input: Writable;
  output: Readable;
  /** Resolves when it ended well; rejects with its last words. */
  done: Promise<void>;
  kill(): void;
}

export interface Surroundings {
  /** PATH and HOME; nothing else of the environment is handed on. */
  env: Readonly<Record<string, string>>;
  /** An empty 0700 directory: gpg neither reads nor writes the user's own keys and settings. */
  gpgHome: string;
}

// `--no-symkey-cache`: the agent it starts forgets the passphrase; it ends when its home goes.
const gpgAlways = [
  '--batch',
  '--no-tty',
  '--quiet',
  '--pinentry-mode',
  'loopback',
  '--no-symkey-cache',
  '--passphrase-fd',
  '3',
];
const gpgEncrypt = [
  '--symmetric',
  '--cipher-algo',
  'AES256',
  '--s2k-mode',
  '3',
  '--s2k-digest-algo',
  'SHA512',
  '--s2k-count',
  '65011712',
];

export function startEncryption(protection: Protection, around: Surroundings): Filter {
  if (protection.kind === 'plain') return passOn();
  if (protection.kind === 'gpg') return startGpg([...gpgEncrypt], protection.passphrase, around);
  return start(
    'age',
    ['--encrypt', ...protection.recipients.flatMap((recipient) => ['--recipient', recipient])],
    around,
  );
}

export function startDecryption(key: Key, around: Surroundings): Filter {
  if (key.kind === 'plain') return passOn();
  if (key.kind === 'gpg') return startGpg(['--decrypt'], key.passphrase, around);
  return start('age', ['--decrypt', '--identity', key.identity], around);
}

/** Recognises how a file is protected by its first bytes; undefined when it is no backup at all. */
export async function recogniseProtection(path: string): Promise<Protection['kind'] | undefined> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(512), 0, 512, 0);
    if (buffer.subarray(0, 21).toString('latin1') === 'age-encryption.org/v1') return 'age';
    if (buffer.subarray(257, 262).toString('latin1') === 'ustar') return 'plain';
    // RFC 9580 4.2, 5.3: a packet of type 3, a key protected by a passphrase, in the old or the new format.
    const first = buffer[0] ?? 0;
    return bytesRead > 0 && ((first & 0xfc) === 0x8c || first === 0xc3) ? 'gpg' : undefined;
  } finally {
    await file.close();
  }
}

function passOn(): Filter {
  const through = new PassThrough();
  return { input: through, output: through, done: Promise.resolve(), kill: () => void through.destroy() };
}

function startGpg(args: readonly string[], passphrase: Secret, around: Surroundings): Filter {
  return start('gpg', [...gpgAlways, '--homedir', around.gpgHome, ...args], around, passphrase);
}

function start(
  program: 'gpg' | 'age',
  args: readonly string[],
  around: Surroundings,
  secret?: Secret,
): Filter {
  const child = spawn(program, args, {
    env: { ...around.env, LC_ALL: 'C' },
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
  });
  const [input, output, errors, secrets] = child.stdio as unknown as [Writable, Readable, Readable, Writable];
  const words: Buffer[] = [];
  errors.on('data', (chunk: Buffer) => {
    if (words.length < 20) words.push(chunk);
  });
  // The program's exit code tells more than a broken pipe.
  for (const pipe of [input, secrets]) pipe.on('error', () => undefined);
  secrets.end(secret === undefined ? '' : `${secret.reveal()}\n`);
  return {
    input,
    output,
    done: endOf(child, program, () => Buffer.concat(words).toString('utf8')),
    kill: () => void child.kill(),
  };
}

function endOf(child: ChildProcess, program: string, words: () => string): Promise<void> {
  const done = new Promise<void>((resolve, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'ENOENT' ? missing(program) : error),
    );
    child.once('close', (code) => (code === 0 ? resolve() : reject(failed(program, code, words()))));
  });
  // Awaited at the end of the stream; until then its failure is nobody's unhandled one.
  done.catch(() => undefined);
  return done;
}

function missing(program: string): SetupError {
  return new SetupError({
    code: 'E_BACKUP_TOOL',
    exit: Exit.usage,
    what: `${program} is not installed on this machine.`,
    fix:
      program === 'gpg'
        ? ['Install gnupg, or encrypt to a key with age: --recipient age1…', 'Unencrypted: --plain']
        : ['Install age, or use a passphrase instead of --recipient.'],
  });
}

function failed(program: string, code: number | null, words: string): SetupError {
  // age ends everything it says with where to report bugs of its own.
  const lines = words.split('\n').filter((line) => line.trim() !== '' && !line.includes('filippo.io'));
  const wrongKey = /bad session key|bad key|no identity matched|incorrect passphrase/i.test(words);
  return new SetupError({
    code: wrongKey ? 'E_BACKUP_KEY' : 'E_BACKUP_CIPHER',
    exit: wrongKey ? Exit.usage : Exit.failed,
    what: wrongKey
      ? 'The backup does not open with this passphrase or key.'
      : `${program} failed on the backup.`,
    evidence: [...lines.slice(-3).map((line) => sanitizeLine(line, 200)), `exit status ${code ?? 'unknown'}`],
    fix: wrongKey
      ? ['Give the right one; nothing was changed.']
      : ['The file may be cut or spoilt; take another one.'],
  });
}
