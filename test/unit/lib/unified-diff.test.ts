import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { unifiedDiff } from '../../../src/lib/unified-diff.js';

const folder = mkdtempSync(join(tmpdir(), 'smtp-setup-diff-'));
afterAll(() => rmSync(folder, { recursive: true }));

const lines = (...numbers: (number | string)[]) => numbers.map((number) => `line ${number}\n`).join('');
const count = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

const cases: [name: string, before: string, after: string][] = [
  ['nothing', 'a\n', 'a\n'],
  ['a new file', '', 'a\nb\n'],
  ['a removed file', 'a\nb\n', ''],
  ['one line', lines(...count(1, 9)), lines(...count(1, 4), 'x', ...count(6, 9))],
  ['two places far apart', lines('a', ...count(1, 20), 'b'), lines('A', ...count(1, 20), 'B')],
  ['two places near each other', lines('a', ...count(1, 6), 'b'), lines('A', ...count(1, 6), 'B')],
  ['no newline at the end', 'a\nb', 'a\nb\n'],
  ['first and last line', lines(1, 2, 3), lines(0, 1, 2, 3, 4)],
];

describe('unifiedDiff', () => {
  it.each(cases)('%s: as diff -u says', (_, before, after) => {
    writeFileSync(join(folder, 'a'), before);
    writeFileSync(join(folder, 'b'), after);
    const theirs = spawnSync('diff', ['-u', join(folder, 'a'), join(folder, 'b')]).stdout.toString();
    expect(unifiedDiff(before, after).join('\n')).toBe(theirs.split('\n').slice(2).join('\n').trimEnd());
  });

  it('shows a change that is too large to compare as one replacement', () => {
    const many = (mark: string) => Array.from({ length: 2100 }, (_, index) => `${mark}${index}\n`).join('');
    const diff = unifiedDiff(many('a'), many('b'));
    expect(diff).toHaveLength(4201);
    expect(diff[0]).toBe('@@ -1,2100 +1,2100 @@');
  });
});
