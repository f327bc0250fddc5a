import { appendFile, readFile, truncate } from 'node:fs/promises';
import { Exit, messageOf, SetupError } from '../errors.js';

/** A journal on disk: one JSON object a line, only ever appended to. */

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT';

/** Appends the entries and waits until they are on the disk; its folder must exist. */
export async function appendLines(path: string, entries: readonly unknown[]): Promise<void> {
  await dropHalfLine(path);
  const text = entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');
  await appendFile(path, text, { mode: 0o600, flush: true });
}

/** All entries, in the order of writing; none where there is no journal yet. */
export async function readLines<T>(path: string): Promise<T[]> {
  try {
    return parseJournal<T>(await readFile(path, 'utf8'), path);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** What a killed client left unfinished would spoil the next line. */
async function dropHalfLine(path: string): Promise<void> {
  try {
    const bytes = await readFile(path);
    const end = bytes.lastIndexOf(0x0a) + 1;
    if (end < bytes.length) await truncate(path, end);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

function parseJournal<T>(text: string, path: string): T[] {
  const lines = text.split('\n');
  // A client killed while it appended leaves half a line at the end; that write was never sent.
  const complete = text.endsWith('\n') ? lines : lines.slice(0, -1);
  return complete
    .filter((line) => line !== '')
    .map((line, index) => {
      try {
        return JSON.parse(line) as T;
      } catch (error) {
        throw new SetupError({
          code: 'E_DNS_JOURNAL',
          exit: Exit.failed,
          what: 'The DNS journal on this machine cannot be read.',
          evidence: [`${path}, line ${index + 1}: ${messageOf(error)}`],
          fix: [
            'Move the file away; then undo can no longer take back what it held, but the zone backups beside it remain.',
          ],
        });
      }
    });
}
