import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SetupError } from '../../../src/errors.js';
import { parseTarget } from '../../../src/lib/ssh-target.js';

describe('parseTarget', () => {
  it.each([
    ['mail.example.com', { host: 'mail.example.com' }],
    ['root@mail.example.com', { user: 'root', host: 'mail.example.com' }],
    ['admin@box:2222', { user: 'admin', host: 'box', port: 2222 }],
    ['root@[2001:db8::1]:22', { user: 'root', host: '2001:db8::1', port: 22 }],
    ['[2001:db8::1]', { host: '2001:db8::1' }],
    ['root@2001:db8::1', { user: 'root', host: '2001:db8::1' }],
    ['fe80::1%eth0', { host: 'fe80::1%eth0' }],
    ['198.51.100.7:22', { host: '198.51.100.7', port: 22 }],
    ['my_box', { host: 'my_box' }],
    ['ssh://root@box:22/', { user: 'root', host: 'box', port: 22 }],
  ])('reads %s', (text, parts) => {
    expect(parseTarget(text)).toEqual(parts);
  });

  it.each([
    ['-oProxyCommand=touch /tmp/x', 'cannot begin with "-"'],
    ['root@-oProxyCommand=x', 'cannot begin with "-"'],
    ['-lroot@box', 'user name'],
    ['ro ot@box', 'user name'],
    ['root@box; rm -rf /', 'not allowed'],
    ['$(id)@box', 'user name'],
    ['box`id`', 'not allowed'],
    ['box\nHost evil', 'outside ASCII'],
    ['box\u0000', 'outside ASCII'],
    ['root@b\u00f6x', 'xn-- form'],
    ['box:0', 'port'],
    ['box:65536', 'port'],
    ['box:22x', 'port'],
    ['box:', 'port'],
    ['[box]:22', 'IPv6 address'],
    ['[2001:db8::1]22', 'brackets'],
    ['fe80::1%eth0;id', 'brackets'],
    ['2001:db8::1:2:3:4:5:6:22', 'brackets'],
    ['', 'missing'],
    ['root@', 'missing'],
  ])('refuses %j', (text, reason) => {
    expect(() => parseTarget(text)).toThrow(reason);
    try {
      parseTarget(text);
    } catch (error) {
      expect(error).toMatchObject({ code: 'E_SSH_TARGET', exit: 2 });
    }
  });

  it('either yields harmless parts or a printable SetupError, whatever the input', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        try {
          const { host, user } = parseTarget(text);
          expect(host).toMatch(/^[A-Za-z0-9_:][A-Za-z0-9_.:%-]*$/);
          if (user !== undefined) expect(user).toMatch(/^[A-Za-z0-9_][A-Za-z0-9_.+-]*\$?$/);
        } catch (error) {
          expect(error).toBeInstanceOf(SetupError);
          expect((error as SetupError).message).toMatch(/^[\x20-\x7e]*$/);
        }
      }),
    );
  });
});
