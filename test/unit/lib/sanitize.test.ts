import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  escapeHtml,
  escapeMarkdown,
  escapeWorkflowData,
  escapeWorkflowProperty,
  escapeXml,
  sanitizeLine,
  sanitizeText,
} from '../../../src/lib/sanitize.js';

const dangerous =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/;
const hostile = fc.string({
  unit: fc.constantFrom(
    '\u001b',
    '[',
    ']',
    '31m',
    '0;',
    '\u0007',
    '\\',
    '\u009b',
    '\u009c',
    '\r',
    '\n',
    '\u202e',
    '\u2066',
    '\u0000',
    '\b',
    'a',
    'P',
    '\ud83d',
    '\udc8c',
    '💌',
    '\u2028',
  ),
  maxLength: 60,
});

describe('text for a terminal', () => {
  test.each([
    ['\u001b[31mred\u001b[0m', 'red'],
    ['\u001b]0;title\u0007x', 'x'],
    ['\u001b]8;;http://evil\u001b\\link\u001b]8;;\u001b\\', 'link'],
    ['\u001bP1;2|data\u001b\\x', 'x'],
    ['\u009b2Jx', 'x'],
    ['\u001bcx', 'x'],
    ['a\u001b', 'a'],
    ['\u001b\u001b[0m[31mx', '[31mx'],
    ['unterminated \u001b]0;title', 'unterminated 0;title'],
    ['ab\bc\u007f', 'abc'],
    ['abc\u202ecba', 'abccba'],
    ['a\ud800b', 'ab'],
    ['zero\u200bwidth\ufeff', 'zerowidth'],
    ['progress 10%\rprogress 20%', 'progress 10%\nprogress 20%'],
    ['tab\tand\nline', 'tab\tand\nline'],
    ['grüße 漢字 💌 👩‍💻', 'grüße 漢字 💌 👩‍💻'],
  ])('%j → %j', (input, expected) => {
    expect(sanitizeText(input)).toBe(expected);
  });

  test('whatever comes in, nothing that moves a cursor or turns text goes out', () => {
    fc.assert(
      fc.property(hostile, (input) => {
        expect(sanitizeText(input)).not.toMatch(dangerous);
        expect(sanitizeLine(input)).not.toMatch(/[\n\t]/);
        expect(sanitizeText(input)).toBe(sanitizeText(sanitizeText(input)));
        expect(sanitizeText(input)).toBe(Buffer.from(sanitizeText(input)).toString());
      }),
      { numRuns: 2000 },
    );
  });

  test('length is capped without cutting a character in two', () => {
    expect(sanitizeLine('a'.repeat(10), 5)).toBe('aaaa…');
    expect(sanitizeLine('aaa💌💌', 5)).toBe('aaa…');
    expect(sanitizeLine('aaaaa', 5)).toBe('aaaaa');
    expect(sanitizeText('x'.repeat(1_000_000)).length).toBe(65_536);
  });

  test('a line is a line', () => {
    expect(sanitizeLine('  a\n\n b\tc \u2028 d ')).toBe('a b c d');
  });
});

describe('text for other targets', () => {
  const evil = `<img src=x onerror="a('b')"> & \u001b[31m\u202e ::error::x @user [a](b) *c* \`d\``;

  test('HTML and XML', () => {
    expect(escapeHtml(evil)).not.toMatch(/[<>"']|&(?!amp;|lt;|gt;|quot;|#39;)/);
    expect(escapeXml('a\ufffe\u0000<')).toBe('a&lt;');
  });

  test('Markdown: nothing formats, links or mentions', () => {
    const text = escapeMarkdown(evil);
    expect(text).not.toMatch(/[<>@]/);
    expect(text).not.toMatch(/(?<!\\)[[\]*`_|]/);
    expect(text).not.toContain('\n');
  });

  test('GitHub workflow commands: no new command can begin', () => {
    expect(escapeWorkflowData('50%\n::error::x\r')).toBe('50%25%0A::error::x%0A');
    expect(escapeWorkflowProperty('a:b,c%')).toBe('a%3Ab%2Cc%25');
  });
});
