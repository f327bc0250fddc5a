import { dirname, isAbsolute, relative, resolve } from 'node:path';
import type { Answers } from './answers.js';

/** Answers that name a file on this machine which the configuration goes on to name. */
const placed = ['identity', 'trustAnchor'] as const;

/**
 * The same answers with their files as the configuration says them: relative to the folder that the configuration is in, so that
 * the command works from every folder. A flag and a variable name them relative to `cwd`, as on any command line.
 */
export function placePaths(answers: Answers, configPath: string, cwd: string): Answers {
  const folder = dirname(resolve(cwd, configPath));
  const result: Answers = { ...answers };
  for (const key of placed) {
    const answer = answers[key];
    if (answer === undefined || answer.origin.from === 'file' || isPlaced(answer.value)) continue;
    result[key] = { ...answer, value: relative(folder, resolve(cwd, answer.value)) };
  }
  return result;
}

/** Where the file of such an answer is; `~/` is the user's home. */
export function findPlaced(value: string, configPath: string, homeDir: string): string {
  return value.startsWith('~/') ? homeDir + value.slice(1) : resolve(dirname(configPath), value);
}

function isPlaced(path: string): boolean {
  return isAbsolute(path) || path.startsWith('~/');
}
