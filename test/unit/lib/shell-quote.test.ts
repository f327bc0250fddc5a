import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { shellQuote } from '../../../src/lib/shell-quote.js';

it('stands for exactly the text, in sh', () => {
  const texts = [
    '',
    'plain',
    "it's",
    '$HOME',
    '`id`',
    '"',
    '\\',
    'a\nb',
    '-n',
    '~root',
    '*',
    '!x',
    '#',
    'ü',
    '=x',
    '{a,b}',
  ];
  const result = spawnSync('sh', ['-c', `printf '%s\\0' ${texts.map(shellQuote).join(' ')}`]);
  expect(result.stdout.toString()).toBe(texts.map((text) => `${text}\0`).join(''));
});

it('cannot hold NUL', () => {
  expect(() => shellQuote('a\0b')).toThrow('NUL');
});
