import { dirname, isAbsolute, relative, resolve } from 'node:path';
import type { Answers } from './answers.js';

/**
 * The same answers with the key file as the configuration says it: relative to the folder that the configuration is in, so that
 * the command works from every folder. A flag and a variable name it relative to `cwd`, as on any command line.
 */
export function placeIdentity(answers: Answers, configPath: string, cwd: string): Answers {
  const { identity } = answers;
  if (identity === undefined || identity.origin.from === 'file' || isPlaced(identity.value)) return answers;
  const folder = dirname(resolve(cwd, configPath));
  return { ...answers, identity: { ...identity, value: relative(folder, resolve(cwd, identity.value)) } };
}

/** Where the key file of an answer is; `~/` is the user's home. */
export function findIdentity(value: string, configPath: string, homeDir: string): string {
  return value.startsWith('~/') ? homeDir + value.slice(1) : resolve(dirname(configPath), value);
}

function isPlaced(path: string): boolean {
  return isAbsolute(path) || path.startsWith('~/');
}
