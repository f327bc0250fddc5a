import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shellQuote } from '../../../src/lib/shell-quote.js';
import { encodeForPrintf } from '../../../src/ssh/encode-command.js';
import { renderExecLine, renderRootOrder, renderSudoLine } from '../../../src/ssh/remote-command.js';

const sh = (line: string, input = '') => spawnSync('/bin/sh', ['-c', line], { input, encoding: 'utf8' });
const word = fc
  .string({ unit: 'binary', maxLength: 40 })
  .filter((text) => !text.includes('\0') && Buffer.from(text).toString() === text);
const hostile = [
  "'",
  "''",
  '\n',
  '$(id)',
  '`id`',
  '!!',
  '\\',
  '\\\\',
  '%s',
  '*',
  '~',
  '-n',
  '',
  'a=b',
  '#',
  '\u00e9\u20ac',
];

describe('shellQuote', () => {
  it('gives a real sh exactly the words that went in', () => {
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 20 }), (words) => {
        const all = [...words, ...hostile];
        const { stdout } = sh(`printf '%s\\0' ${all.map(shellQuote).join(' ')}`);
        expect(stdout.split('\0').slice(0, -1)).toEqual(all);
      }),
      { numRuns: 40 },
    );
  });
});

describe('the line for the login shell', () => {
  it('runs exactly the command, after the marker on both outputs', () => {
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 20 }), (words) => {
        const command = `printf '%s\\001' ${[...words, ...hostile].map(shellQuote).join(' ')}; cat; exit 3`;
        const result = sh(renderExecLine(command, 'MARK'), 'stdin');
        const expected = [...words, ...hostile].map((one) => `${one}\u0001`).join('');
        expect(result).toMatchObject({ status: 3, stdout: `\nMARK\n${expected}stdin`, stderr: '\nMARK\n' });
      }),
      { numRuns: 40 },
    );
  });

  it('needs no locale of the server: one that is not installed has perl warn', () => {
    const command = `perl -e 'print "fine"'`;
    const env = { PATH: process.env.PATH, LC_ALL: 'xx_YY.UTF-8', LANGUAGE: 'de' };
    for (const [line, input] of [
      [renderExecLine(command, 'MARK'), ''],
      // Where sudo would be, there is `env`; the helper insists on root.
      [renderSudoLine('MARK', false).replace('sudo -n', 'env'), renderRootOrder(command, 'MARK')],
    ] as const) {
      const { stdout, stderr } = spawnSync('/bin/sh', ['-c', line], { input, encoding: 'utf8', env });
      if (process.getuid?.() !== 0 && input !== '') continue;
      expect(stdout).toBe('\nMARK\nfine');
      expect(stderr).not.toMatch(/locale/);
    }
  });

  it('puts nothing between the quotes that csh or fish read differently', () => {
    const line = renderExecLine(`a!b\\c\nd'e"f$g\`h%i*j`, 'MARK');
    const inside = /^sh -c '(.*)'$/.exec(line)?.[1];
    expect(inside).toBeDefined();
    expect(inside).not.toMatch(/[!\n'\u0080-\uffff]|\\\\/);
  });

  it('refuses what no argument can carry', () => {
    expect(() => encodeForPrintf('a\0b')).toThrow(TypeError);
    expect(() => renderExecLine('\n'.repeat(40_000), 'MARK')).toThrow(/stdin/);
  });
});

describe('the line for sudo', () => {
  it('is the same whatever the command, so sudo logs nothing of it', () => {
    expect(renderSudoLine('MARK', true)).not.toContain('secret');
    expect(renderRootOrder('echo secret', 'MARK')).toContain('MARK:echo secret\n');
  });
});
