import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  alignColumns,
  count,
  cutToWidth,
  formatDuration,
  textWidth,
  wrapText,
} from '../../../src/ui/text.js';

describe('formatDuration', () => {
  it.each([
    [0, '0s'],
    [-5, '0s'],
    [1499, '1s'],
    [59_400, '59s'],
    [65_000, '1m05s'],
    [3_600_000 + 3 * 60_000, '1h03m'],
  ])('%d ms is %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});

describe('widths', () => {
  it.each([
    ['abc', 3],
    ['\u001b[31mabc\u001b[39m', 3],
    ['日本', 4],
    ['e\u0301', 1],
    ['🎉!', 3],
  ])('%j takes %d columns', (text, width) => {
    expect(textWidth(text)).toBe(width);
  });

  it('cuts to the width and never beyond', () => {
    expect(cutToWidth('Unpacking dovecot-core', 12)).toBe('Unpacking d…');
    expect(cutToWidth('日本語', 4)).toBe('日…');
    expect(cutToWidth('short', 5)).toBe('short');
    expect(cutToWidth('short', 0)).toBe('');
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.nat(20), (text, width) => {
        expect(textWidth(cutToWidth(text, width))).toBeLessThanOrEqual(width);
      }),
    );
  });
});

describe('layout', () => {
  it('wraps at blanks and leaves long words whole', () => {
    expect(wrapText('one two three', 9, '  ')).toEqual(['  one two', '  three']);
    expect(wrapText(`see ${'x'.repeat(40)} there`, 10)).toEqual(['see', 'x'.repeat(40), 'there']);
    expect(wrapText('', 10)).toEqual([]);
  });

  it('aligns columns by what is seen', () => {
    expect(
      alignColumns([
        ['\u001b[1mA\u001b[22m', 'x'],
        ['AAAA', 'y'],
      ]),
    ).toEqual(['\u001b[1mA\u001b[22m     x', 'AAAA  y']);
  });

  it('counts', () => {
    expect([count(1, 'record'), count(0, 'record'), count(2, 'entry', 'entries')]).toEqual([
      '1 record',
      '0 records',
      '2 entries',
    ]);
  });
});
