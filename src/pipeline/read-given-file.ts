import { readText } from '../config/load.js';
import { Exit, SetupError } from '../errors.js';

const maxBytes = 256 * 1024;

/** The text of a file that a flag or the configuration names. Throws E_FILE_UNREADABLE (exit 2). */
export async function readGivenFile(path: string, flag: string): Promise<string> {
  const text = await readText(path, maxBytes);
  if (text !== undefined) return text;
  throw new SetupError({
    code: 'E_FILE_UNREADABLE',
    exit: Exit.usage,
    what: `The file ${path} does not exist.`,
    evidence: [`given by ${flag}`],
    fix: ['Check the path; nothing was changed.'],
  });
}
