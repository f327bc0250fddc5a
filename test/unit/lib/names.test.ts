import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SetupError } from '../../../src/errors.js';
import {
  displayName,
  mixedScriptWarning,
  parseAddress,
  parseDomain,
  parseHostname,
  parseMailbox,
  parseSelector,
} from '../../../src/lib/names.js';

const label63 = 'a'.repeat(63);

describe('domains and hosts', () => {
  test.each([
    ['example.org', 'example.org'],
    ['EXAMPLE.Org', 'example.org'],
    ['example.org.', 'example.org'],
    ['  example.org ', 'example.org'],
    ['Bücher.example', 'xn--bcher-kva.example'],
    ['faß.de', 'xn--fa-hia.de'],
    ['例え。jp', 'xn--r8jz45g.jp'],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
    ['ａｂｃ.example', 'abc.example'],
    ['a--b.example', 'a--b.example'],
    ['1und1.de', '1und1.de'],
    [`${label63}.example`, `${label63}.example`],
    ['δοκιμή.xn--jxalpdlp', 'xn--jxalpdlp.xn--jxalpdlp'],
  ])('%j is %j', (input, expected) => {
    expect(parseDomain(input)).toBe(expected);
  });

  test.each([
    ['', 'E_NAME_EMPTY'],
    ['   ', 'E_NAME_EMPTY'],
    ['example.com; rm -rf /', 'E_NAME_CHARACTERS'],
    ['$(id).example', 'E_NAME_CHARACTERS'],
    ['`id`.example', 'E_NAME_CHARACTERS'],
    ['example.org\n', 'E_NAME_CHARACTERS'],
    ['example\n.org', 'E_NAME_CHARACTERS'],
    ['exa\u0000mple.org', 'E_NAME_CHARACTERS'],
    ['exa\u0085mple.org', 'E_NAME_CHARACTERS'],
    ['../../etc', 'E_NAME_CHARACTERS'],
    ['a/b@x.example', 'E_NAME_CHARACTERS'],
    ['anna@example.org', 'E_NAME_CHARACTERS'],
    ['https://example.org', 'E_NAME_CHARACTERS'],
    ['a_b.example', 'E_NAME_CHARACTERS'],
    ['*.example.org', 'E_NAME_CHARACTERS'],
    ['exam ple.org', 'E_NAME_CHARACTERS'],
    ['a%2fb.example', 'E_NAME_CHARACTERS'],
    ['.', 'E_NAME_EMPTY_LABEL'],
    ['..', 'E_NAME_EMPTY_LABEL'],
    ['.example.org', 'E_NAME_EMPTY_LABEL'],
    ['a..example.org', 'E_NAME_EMPTY_LABEL'],
    ['example.org..', 'E_NAME_EMPTY_LABEL'],
    ['-oProxyCommand=id', 'E_NAME_CHARACTERS'],
    ['-oproxycommand.example', 'E_NAME_HYPHEN'],
    ['a-.example', 'E_NAME_HYPHEN'],
    [`${label63}a.example`, 'E_NAME_LABEL_LENGTH'],
    [`${'x'.repeat(300)}.example`, 'E_NAME_LABEL_LENGTH'],
    [`${[label63, label63, label63, label63].join('.')}.example`, 'E_NAME_LENGTH'],
    ['x'.repeat(5000), 'E_NAME_LENGTH'],
    ['xn--zzzzzz.example', 'E_NAME_IDN'],
    ['xn--garbage-.example', 'E_NAME_HYPHEN'],
    ['xn--a.example', 'E_NAME_IDN'],
    ['☃.example', 'E_NAME_IDN'],
    ['xn--n3h.example', 'E_NAME_IDN'],
    ['💌.example', 'E_NAME_IDN'],
    ['mail', 'E_NAME_SINGLE_LABEL'],
    ['org', 'E_NAME_SINGLE_LABEL'],
    ['localhost', 'E_NAME_RESERVED'],
    ['printer.local', 'E_NAME_RESERVED'],
    ['x.invalid', 'E_NAME_RESERVED'],
    ['7.0.0.10.in-addr.arpa', 'E_NAME_RESERVED'],
    ['192.0.2.1', 'E_NAME_IP'],
    ['[192.0.2.1]', 'E_NAME_IP'],
    ['2001:db8::1', 'E_NAME_IP'],
    ['[::1]', 'E_NAME_IP'],
    ['0x7f.1', 'E_NAME_IP'],
    ['example.123', 'E_NAME_IP'],
    ['１２７.０.０.１', 'E_NAME_IP'],
    ['example.c0m', 'E_NAME_TLD'],
    ['co.uk', 'E_NAME_PUBLIC_SUFFIX'],
    ['GitHub.io', 'E_NAME_PUBLIC_SUFFIX'],
  ])('%j is refused as %s', (input, code) => {
    expect(() => parseDomain(input)).toThrow(expect.objectContaining({ code, exit: 2 }));
  });

  test('reserved names are fine in a rehearsal', () => {
    expect(parseDomain('x.invalid', { allowReserved: true })).toBe('x.invalid');
    expect(parseHostname('mail.example.internal', { allowReserved: true })).toBe('mail.example.internal');
    expect(() => parseHostname('localhost', { allowReserved: true })).toThrow(SetupError);
  });

  test('what was given is shown without its control characters', () => {
    try {
      parseDomain('evil\u001b[2J.org');
      expect.unreachable();
    } catch (error) {
      expect((error as SetupError).evidence).toEqual(['given: evil.org']);
    }
  });

  test('whatever the input: a name of letters, digits, hyphens and dots, or a SetupError with exit 2', () => {
    const nasty = fc.string({
      unit: fc.constantFrom(...'aZ0.-_ ;$()`"\'\\/@*\n\t\u0000ä漢💌\u202e＃。%&|<>{}[]!~#'),
      maxLength: 40,
    });
    fc.assert(
      fc.property(fc.oneof(nasty, fc.string({ unit: 'binary', maxLength: 80 }), fc.domain()), (input) => {
        try {
          const name = parseDomain(input);
          expect(name).toMatch(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/);
          expect(name.length).toBeLessThanOrEqual(253);
          expect(parseDomain(name)).toBe(name);
        } catch (error) {
          if (!(error instanceof SetupError)) throw error;
          expect(error.exit).toBe(2);
          expect(error.code).toMatch(/^E_NAME_/);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test('look-alike names are warned about, honest scripts are not', () => {
    expect(mixedScriptWarning(parseDomain('раураl.com'))).toContain('Latin and Cyrillic');
    for (const honest of ['bücher.example', 'президент.рф', '東京abc.jp', 'example.org']) {
      expect(mixedScriptWarning(parseDomain(honest))).toBeUndefined();
    }
    expect(displayName('xn--bcher-kva.example')).toBe('bücher.example');
  });
});

describe('mailboxes', () => {
  test('case does not matter, so two spellings are one mailbox', () => {
    expect(parseMailbox('Anna.Smith@Example.ORG')).toEqual({
      local: 'anna.smith',
      domain: 'example.org',
      address: 'anna.smith@example.org',
      role: false,
    });
    expect(parseMailbox('anna@bücher.example').address).toBe('anna@xn--bcher-kva.example');
  });

  test('role names are marked, system names refused', () => {
    expect(parseMailbox('postmaster@example.org').role).toBe(true);
    expect(parseMailbox('abuse@example.org').role).toBe(true);
    for (const local of ['root', 'ROOT', 'mailer-daemon', 'double-bounce', 'nobody']) {
      expect(() => parseMailbox(`${local}@example.org`)).toThrow(
        expect.objectContaining({ code: 'E_MAILBOX_RESERVED' }),
      );
    }
  });

  test.each([
    ['anna', 'E_MAILBOX_NO_AT'],
    ['@example.org', 'E_MAILBOX_EMPTY'],
    ['user+tag@example.org', 'E_MAILBOX_PLUS'],
    ['"anna smith"@example.org', 'E_MAILBOX_QUOTED'],
    ['änna@example.org', 'E_MAILBOX_UTF8'],
    ['a b@example.org', 'E_MAILBOX_CHARACTERS'],
    ['../../etc/passwd@example.org', 'E_MAILBOX_CHARACTERS'],
    ['.@example.org', 'E_MAILBOX_CHARACTERS'],
    ['..@example.org', 'E_MAILBOX_CHARACTERS'],
    ['-rf@example.org', 'E_MAILBOX_CHARACTERS'],
    ['a/b@example.org', 'E_MAILBOX_CHARACTERS'],
    ['a:b@example.org', 'E_MAILBOX_CHARACTERS'],
    ['a$b@example.org', 'E_MAILBOX_CHARACTERS'],
    ['a%b@example.org', 'E_MAILBOX_CHARACTERS'],
    ['anna\n@example.org', 'E_MAILBOX_CHARACTERS'],
    ['anna@example.org\u0000', 'E_MAILBOX_CHARACTERS'],
    ['a@b@example.org', 'E_MAILBOX_CHARACTERS'],
    ['a..b@example.org', 'E_MAILBOX_DOTS'],
    ['a.@example.org', 'E_MAILBOX_DOTS'],
    [`${'a'.repeat(65)}@example.org`, 'E_MAILBOX_LENGTH'],
    ['anna@', 'E_NAME_EMPTY'],
    ['anna@localhost', 'E_NAME_RESERVED'],
  ])('%j is refused as %s', (input, code) => {
    expect(() => parseMailbox(input)).toThrow(expect.objectContaining({ code, exit: 2 }));
  });

  test('64 characters are fine; mail may go to a tag', () => {
    expect(parseMailbox(`${'a'.repeat(64)}@example.org`).local).toHaveLength(64);
    expect(parseAddress('User+Tag@example.org')).toBe('user+tag@example.org');
  });

  test('none of it ever reaches a shell, a path or a map file as anything but a word', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 40 }),
        fc.string({ maxLength: 20 }),
        (binary, text) => {
          for (const input of [`${binary}@example.org`, `${text}@example.org`, binary]) {
            try {
              expect(parseAddress(input)).toMatch(/^[a-z0-9][a-z0-9._+-]*@[a-z0-9][a-z0-9.-]*$/);
            } catch (error) {
              if (!(error instanceof SetupError)) throw error;
              expect(error.exit).toBe(2);
            }
          }
        },
      ),
      { numRuns: 1000 },
    );
  });

  test('selectors are one label', () => {
    expect(parseSelector('S202611')).toBe('s202611');
    for (const bad of ['a.b', '', 'a b', '../x', '-a', 'a'.repeat(64)])
      expect(() => parseSelector(bad)).toThrow(SetupError);
  });
});
