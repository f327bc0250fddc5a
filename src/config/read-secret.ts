import { Exit, SetupError } from '../errors.js';
import { readText } from './load.js';
import { Secret } from './secret.js';

/** A token or password of more than this is the wrong file. */
const maxSecretBytes = 64 * 1024;

export interface SecretSources {
  env: Readonly<Record<string, string | undefined>>;
  /** Variables in order; each may also be given as `NAME_FILE`. */
  names: readonly string[];
  /** A file named by flag; `-` is stdin. */
  file?: string;
  stdin: NodeJS.ReadableStream;
}

/**
 * A secret from the file named by flag, else the environment (`NAME`, then `NAME_FILE`); undefined when none is given.
 * One final line break is dropped. Throws SetupError E_SECRET_EMPTY, E_FILE_UNREADABLE or E_SECRET_AMBIGUOUS (exit 2).
 */
export async function readSecret(sources: SecretSources): Promise<Secret | undefined> {
  const { env, file, stdin } = sources;
  if (file !== undefined) return await readSecretFile(file, stdin);
  for (const name of sources.names) {
    const value = env[name];
    const path = env[`${name}_FILE`];
    if (value && path) throw ambiguous(name);
    if (value) return toSecret(value, name);
    if (path) return await readSecretFile(path, stdin);
  }
  return undefined;
}

async function readSecretFile(path: string, stdin: NodeJS.ReadableStream): Promise<Secret> {
  if (path === '-') return toSecret(await readStream(stdin), 'standard input');
  const text = await readText(path, maxSecretBytes);
  if (text === undefined) {
    throw new SetupError({
      code: 'E_FILE_UNREADABLE',
      exit: Exit.usage,
      what: `The file ${path} does not exist.`,
      fix: ['Check the path; nothing was changed.'],
    });
  }
  return toSecret(text, path);
}

async function readStream(stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > maxSecretBytes) break;
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function toSecret(text: string, source: string): Secret {
  const value = text.replace(/^\uFEFF/, '').replace(/\r?\n$/, '');
  if (value !== '') return new Secret(value);
  throw new SetupError({
    code: 'E_SECRET_EMPTY',
    exit: Exit.usage,
    what: `${source} is empty; a secret was expected there.`,
    fix: ['Put the secret there, or leave it out to be asked at a terminal.'],
  });
}

function ambiguous(name: string): SetupError {
  return new SetupError({
    code: 'E_SECRET_AMBIGUOUS',
    exit: Exit.usage,
    what: `${name} and ${name}_FILE are both set.`,
    fix: ['Unset one of them.'],
  });
}
