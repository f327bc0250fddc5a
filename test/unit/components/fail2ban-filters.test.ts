import { expect, test } from 'vitest';
import { loadTemplates } from '../../../src/cli/templates.js';

const templates = await loadTemplates();

/** The address that a filter finds in a line, as fail2ban reads its two expressions. */
function found(filter: string, line: string): string | undefined {
  const text = templates.get(`fail2ban/${filter}.filter`) ?? '';
  const setting = (name: string) => new RegExp(`^${name} = (.*)$`, 'm').exec(text)?.[1] ?? '';
  const address = '(?<host>[0-9a-fA-F.:]+)';
  if (new RegExp(setting('ignoreregex')).test(line)) return undefined;
  return new RegExp(setting('failregex').replace('<HOST>', address)).exec(line)?.groups?.host;
}

const user = 'user=<ada@example.org>, method=PLAIN';
const rest = 'lip=198.51.100.25, TLS, session=<TYCC6nJhWuHGM2QK>';

test.each([
  // As Dovecot 2.3.19 and 2.4.1 wrote them.
  [
    `mail dovecot[683]: imap-login: Disconnected: Connection closed (auth failed, 1 attempts in 2 secs): ${user}, rip=198.51.100.10, ${rest}`,
    '198.51.100.10',
  ],
  [
    `mail dovecot[683]: imap-login: Aborted login (auth failed, 3 attempts in 9 secs): ${user}, rip=198.51.100.10, ${rest}`,
    '198.51.100.10',
  ],
  [
    `mail dovecot[811]: imap-login: Login aborted: Connection closed (auth failed, 1 attempts in 2 secs) (auth_failed): ${user}, rip=2001:db8::10, lip=2001:db8::25, TLS, session=<HC2463Jh0M0gAQ24AAAAAAAAAAAAAAAQ>`,
    '2001:db8::10',
  ],
  [
    `mail dovecot[811]: managesieve-login: Login aborted: Logged out (auth failed, 2 attempts in 4 secs) (auth_failed): ${user}, rip=198.51.100.10, lip=198.51.100.25, TLS: Connection closed, session=<a/B+c==>`,
    '198.51.100.10',
  ],
  // Not a guess: no attempt, a login that worked, our own checks.
  [
    `mail dovecot[683]: imap-login: Disconnected: Connection closed (no auth attempts in 0 secs): user=<>, rip=198.51.100.10, ${rest}`,
    undefined,
  ],
  [
    `mail dovecot[683]: imap-login: Login: ${user}, rip=198.51.100.10, lip=198.51.100.25, mpid=7, TLS`,
    undefined,
  ],
  [
    `mail dovecot[683]: imap-login: Disconnected: Connection closed (auth failed, 1 attempts in 2 secs): user=<smtp-setup-check-0a1b2c3d@example.org>, method=PLAIN, rip=198.51.100.10, ${rest}`,
    undefined,
  ],
  // A user name made to look like the rest of the line bans who sent it.
  [
    `mail dovecot[683]: imap-login: Disconnected: Connection closed (auth failed, 1 attempts in 2 secs): user=<x>, method=PLAIN, rip=203.0.113.9, ${rest}>, method=PLAIN, rip=198.51.100.10, ${rest}`,
    '198.51.100.10',
  ],
  [
    `mail dovecot[683]: imap-login: Disconnected: Connection closed (auth failed, 1 attempts in 2 secs): user=<: user=<smtp-setup-probe@a>, method=PLAIN, rip=>, method=PLAIN, rip=198.51.100.10, ${rest}`,
    '198.51.100.10',
  ],
])('Dovecot: %s', (line, address) => {
  expect(found('dovecot', line)).toBe(address);
});

test.each([
  [
    'mail postfix/submissions/smtpd[9]: warning: unknown[198.51.100.10]: SASL PLAIN authentication failed: (reason unavailable), sasl_username=ada@example.org',
    '198.51.100.10',
  ],
  [
    'mail postfix/submission/smtpd[9]: warning: host-1.example.net[2001:db8::10]: SASL LOGIN authentication failed: UGFzc3dvcmQ6',
    '2001:db8::10',
  ],
  [
    'mail postfix/submissions/smtpd[9]: warning: unknown[198.51.100.10]: SASL PLAIN authentication failed: Connection lost to authentication server',
    undefined,
  ],
  [
    'mail postfix/submission/smtpd[9]: warning: unknown[198.51.100.10]: SASL PLAIN authentication failed: (reason unavailable), sasl_username=smtp-setup-check-0a1b2c3d@example.org',
    undefined,
  ],
  ['mail postfix/submission/smtpd[9]: disconnect from unknown[198.51.100.10] ehlo=2 auth=1/1', undefined],
])('submission: %s', (line, address) => {
  expect(found('submission', line)).toBe(address);
});
