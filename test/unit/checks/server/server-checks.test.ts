import { expect, test } from 'vitest';
import { judgeTls } from '../../../../src/checks/server/certificate.js';
import { greeting } from '../../../../src/checks/server/greeting.js';
import { intendedPorts } from '../../../../src/checks/server/intended-ports.js';
import { noAuthOn25 } from '../../../../src/checks/server/no-auth-on-25.js';
import { recipients } from '../../../../src/checks/server/recipients.js';
import { relay } from '../../../../src/checks/server/relay.js';
import type { ServerTarget } from '../../../../src/checks/server/server-check.js';
import type { TlsState } from '../../../../src/mail/line-client.js';
import { listen, serveRules as serve } from '../../../helpers/scripted-smtp.js';
import { connectPort } from '../../../helpers/smtp-port.js';

const target: ServerTarget = {
  hostname: 'mail.example.org',
  addresses: ['127.0.0.1'],
  domains: ['example.org'],
  ports: intendedPorts(),
  privateCa: false,
  ehloName: 'checker.invalid',
  timeout: 5000,
  now: Date.parse('2026-11-24T00:00:00Z'),
};

const ehlo = /^EHLO/;
const refuseAll: [RegExp, string][] = [
  [ehlo, '250 mail.example.org'],
  [/^RCPT/, '554 5.7.1 Relay access denied'],
];

test('a greeting with the host name passes, another name fails and is shown', async () => {
  const right = await serve([[ehlo, '250 mail.example.org']]);
  expect(await connectPort(right, () => greeting.run(target, '127.0.0.1'))).toMatchObject([
    { status: 'pass' },
  ]);
  const wrong = await serve([[ehlo, '250 vps42.provider.example']], '220 vps42.provider.example ESMTP');
  expect(await connectPort(wrong, () => greeting.run(target, '127.0.0.1'))).toMatchObject([
    { status: 'fail', observed: 'vps42.provider.example, vps42.provider.example' },
  ]);
});

test('a port that takes the connection and says nothing is told from one that nobody reaches', async () => {
  const silent = await listen(() => undefined);
  const verdict = await connectPort(silent, () => greeting.run({ ...target, timeout: 100 }, '127.0.0.1'));
  expect(verdict).toMatchObject([
    {
      status: 'unknown',
      message: expect.stringContaining('says nothing'),
      observed: 'no reply within 0.1 s',
    },
  ]);
});

test('AUTH on port 25 fails, whether it is offered or only taken', async () => {
  const none = await serve([
    [ehlo, '250 mail.example.org'],
    [/^AUTH/, '503 5.5.1 Error: authentication not enabled'],
  ]);
  expect(await connectPort(none, () => noAuthOn25.run(target, '127.0.0.1'))).toMatchObject([
    { status: 'pass' },
  ]);
  const offered = await serve([
    [ehlo, '250-mail.example.org\r\n250 AUTH PLAIN LOGIN'],
    [/^AUTH/, '535 5.7.8 no'],
  ]);
  expect(await connectPort(offered, () => noAuthOn25.run(target, '127.0.0.1'))).toMatchObject([
    { status: 'fail' },
  ]);
  const silent = await serve([
    [ehlo, '250 mail.example.org'],
    [/^AUTH/, '535 5.7.8 wrong password'],
  ]);
  expect(await connectPort(silent, () => noAuthOn25.run(target, '127.0.0.1'))).toMatchObject([
    { status: 'fail' },
  ]);
});

test('one relay shape that is accepted makes an open relay, and is named', async () => {
  const closed = await serve(refuseAll);
  expect(await connectPort(closed, () => relay.run(target, '127.0.0.1'))).toMatchObject([{ status: 'pass' }]);
  const open = await serve([[/^RCPT TO:<relay-probe\.invalid!relaytest>/, '250 ok'], ...refuseAll]);
  const [verdict] = await connectPort(open, () => relay.run(target, '127.0.0.1'));
  expect(verdict).toMatchObject({ status: 'fail', message: 'The server is an open relay.' });
  expect(verdict?.observed).toContain('relay-probe.invalid!relaytest');
});

test('an accepted stranger and a refused postmaster are each a fault', async () => {
  const good = await serve([
    [ehlo, '250 mail.example.org'],
    [/^RCPT TO:<no-such/, '550 5.1.1 User unknown'],
  ]);
  expect(await connectPort(good, () => recipients.run(target, '127.0.0.1'))).toMatchObject([
    { status: 'pass' },
  ]);
  const bad = await serve([
    [ehlo, '250 mail.example.org'],
    [/^RCPT TO:<postmaster/, '550 5.1.1 User unknown'],
  ]);
  const takesAll = await serve([[ehlo, '250 mail.example.org']]);
  const catchAll = { ...target, catchAll: ['example.org'] };
  expect(await connectPort(takesAll, () => recipients.run(catchAll, '127.0.0.1'))).toMatchObject([
    { status: 'pass' },
  ]);
  const [verdict] = await connectPort(bad, () => recipients.run(target, '127.0.0.1'));
  expect(verdict?.status).toBe('fail');
  expect(verdict?.message).toContain('no-such-user-7c1f@example.org was accepted');
  expect(verdict?.message).toContain('postmaster@example.org was refused: 550');
});

test('a port that refuses is a fail, with the next step', async () => {
  // Nothing listens there.
  expect(await connectPort(1, () => greeting.run(target, '127.0.0.1'))).toMatchObject([{ status: 'fail' }]);
});

const state: TlsState = {
  protocol: 'TLSv1.3',
  cipher: 'TLS_AES_256_GCM_SHA384',
  authorized: true,
  nameMatches: true,
  chain: [],
  certificate: {
    subject: 'mail.example.org',
    names: ['mail.example.org'],
    issuer: 'R11',
    validFrom: 'Nov  1 00:00:00 2026 GMT',
    validTo: 'Jan 30 00:00:00 2027 GMT',
    raw: Buffer.alloc(0),
  },
};

test('a certificate is judged by trust, name and the third of its life that must be left', () => {
  const judge = (change: Partial<TlsState>, privateCa = false, now = target.now) =>
    judgeTls({ ...state, ...change }, 'port 25', { now, privateCa }).status;
  expect(judge({})).toBe('pass');
  expect(judge({}, false, Date.parse('2027-01-05T00:00:00Z'))).toBe('warn');
  const untrusted = { authorized: false, reason: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' };
  expect(judge(untrusted)).toBe('fail');
  expect(judge(untrusted, true)).toBe('pass');
  expect(judge({ ...untrusted, nameMatches: false }, true)).toBe('fail');
  expect(judge({ authorized: false, reason: 'DEPTH_ZERO_SELF_SIGNED_CERT' }, true)).toBe('fail');
  expect(judge({ authorized: false, reason: 'CERT_HAS_EXPIRED' }, true)).toBe('fail');
  expect(judgeTls(undefined, 'port 25', { now: 0, privateCa: false }).status).toBe('fail');
});
