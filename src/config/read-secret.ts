import { Exit, SetupError } from '../errors.js';
import type { Answer } from './answers.js';
import type { GivenFiles } from './given-files.js';
import { Secret } from './secret.js';

/** A token or password of more than this is the wrong file. */
const maxSecretBytes = 64 * 1024;

export interface SecretSources {
  env: Readonly<Record<string, string | undefined>>;
  /** Variables in order; each may also be given as `NAME_FILE`. */
  names: readonly string[];
  /** A file named by a flag, the `wanter`; `-` is stdin. */
  file?: { wanter: string; path: string } | undefined;
  files: GivenFiles;
}

/** The file of an answer that names one; what a variable names is found by {@link readSecret} itself, and refused beside the secret. */
export function namedByFlag(answer: Answer | undefined): SecretSources['file'] {
  return answer?.origin.from === 'flag' ? { wanter: answer.origin.name, path: answer.value } : undefined;
}

/**
 * A secret from the file named by flag, else the environment (`NAME`, then `NAME_FILE`); undefined when none is given.
 * One final line break is dropped. Throws SetupError E_SECRET_EMPTY, E_SECRET_AMBIGUOUS, or what {@link GivenFiles} does (exit 2).
 */
export async function readSecret(sources: SecretSources): Promise<Secret | undefined> {
  const { env, file, files } = sources;
  if (file !== undefined) return await readSecretFile(files, file.path, file.wanter);
  for (const name of sources.names) {
    const value = env[name];
    const path = env[`${name}_FILE`];
    if (value && path) throw ambiguous(name);
    if (value) return toSecret(value, name);
    if (path) return await readSecretFile(files, path, `${name}_FILE`);
  }
  return undefined;
}

async function readSecretFile(files: GivenFiles, path: string, wanter: string): Promise<Secret> {
  const text = await files.read(path, wanter, maxSecretBytes);
  return toSecret(text, path === '-' ? 'standard input' : path);
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
