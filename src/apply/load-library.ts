import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from '../lib/package-root.js';

/** The texts of templates/run/, by file name. */
export interface RunTexts {
  /** What a run directory carries: the shell functions and policy-rc.d. */
  library: ReadonlyMap<string, string>;
  /** Receives the upload and starts the unit. */
  start: string;
  /** Sends events and log to the client. */
  follow: string;
}

const ownTexts = ['start.sh', 'follow.pl'];

/** Reads templates/run/ of this package. */
export async function loadRunTexts(
  directory: string = join(packageRoot(), 'templates', 'run'),
): Promise<RunTexts> {
  const names = (await readdir(directory)).filter((name) => /\.(sh|pl)$|^policy-rc\.d$/.test(name)).sort();
  const texts = new Map<string, string>();
  for (const name of names) texts.set(name, await readFile(join(directory, name), 'utf8'));
  const [start = '', follow = ''] = ownTexts.map((name) => texts.get(name));
  for (const name of ownTexts) texts.delete(name);
  return { library: texts, start, follow };
}
