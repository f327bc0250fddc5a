import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** One row a figure: what, the figure, the goal, and how it came about. */
export function printRows(rows) {
  for (const { what, figure, goal, detail, ok } of rows) {
    const mark = ok === undefined ? ' ' : ok ? '+' : '-';
    process.stdout.write(
      `${mark} ${what}: ${figure}${goal === undefined ? '' : ` (goal ${goal})`}\n    ${detail}\n`,
    );
  }
}
