import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  dovecotString,
  luaString,
  nginxWord,
  postfixWord,
  regexpLiteral,
  uclString,
  unboundString,
} from '../../../src/components/escape.js';

const all = {
  postfixWord,
  regexpLiteral,
  dovecotString,
  uclString,
  luaString,
  nginxWord,
  unboundString,
};

describe('every escape', () => {
  test.each(Object.entries(all))('%s takes a host name and refuses a second line', (_, write) => {
    expect(write('mail.example.org').replaceAll('\\', '').replaceAll('"', '')).toBe('mail.example.org');
    for (const bad of ['a\nb', 'a\rb', 'a\0b', 'a\u007fb'])
      expect(() => write(bad)).toThrow(/cannot be written/);
  });

  test.each(Object.entries(all))('%s never lets a value end its own string or line', (_, write) => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary-ascii', maxLength: 12 }), (value) => {
        let written: string;
        try {
          written = write(value);
        } catch {
          return;
        }
        expect(written).not.toMatch(/[\n\r\0]/);
        if (!/^".*"$/.test(write('x'))) return;
        expect(written.slice(1, -1).replace(/\\./g, '')).not.toContain('"');
      }),
    );
  });
});

describe('the syntaxes', () => {
  test('Postfix lists hold no blanks, no commas, no expansions', () => {
    for (const bad of ['a b', 'a,b', '$x', '#x', '', 'a{b}'])
      expect(() => postfixWord(bad)).toThrow('Postfix list');
  });

  test('a regular expression matches its literal and nothing else', () => {
    expect(new RegExp(`^${regexpLiteral('mail.example.org')}$`).test('mail.example.org')).toBe(true);
    expect(new RegExp(`^${regexpLiteral('mail.example.org')}$`).test('mailxexample.org')).toBe(false);
    expect(regexpLiteral('a/b')).toBe('a\\/b');
  });

  test('variables cannot be smuggled into Dovecot and Rspamd', () => {
    for (const bad of ['%u', '$x', 'a%{user}']) expect(() => dovecotString(bad)).toThrow('dovecot.conf');
    for (const bad of ['$HOME', '$' + '{x}', 'a}']) expect(() => uclString(bad)).toThrow('rspamd');
  });

  test('quotes are escaped where the syntax can, refused where it cannot', () => {
    expect(dovecotString('a"b\\c')).toBe('"a\\"b\\\\c"');
    expect(luaString('a"b\\c')).toBe('"a\\"b\\\\c"');
    expect(uclString('a"b')).toBe('"a\\"b"');
    expect(() => unboundString('a"b')).toThrow('unbound');
    expect(() => nginxWord('a;b')).toThrow('nginx');
  });
});
