import { describe, expect, it } from 'vitest';
import { headerOf, parseStoredMessage } from '../../../src/sandbox/receiver/message.js';
import { parseAuthenticationResults, readVerdicts } from '../../../src/sandbox/receiver/verdicts.js';
import { readClient } from '../../../src/sandbox/receiver/verify-independently.js';

const host = 'mx.receiver.test';
const good =
  `${host}; dkim=pass header.d=a.test header.s=s1 header.b=AbC; dkim=fail ("body hash; wrong") header.d=b.test ` +
  'header.s=s2; spf=pass (mx: domain of x@a.test designates 198.51.100.82 as permitted sender) smtp.mailfrom=x@a.test; ' +
  'dmarc=pass (policy=reject) header.from=a.test; iprev=pass policy.iprev=198.51.100.82; x-tls=pass policy.tls=TLSv1.3';

const message = (...fields: string[]) =>
  parseStoredMessage(
    [
      'Return-Path: <x@a.test>',
      'X-Original-To: bob@receiver.test',
      'Received: from mx.a.test (mx.a.test [IPv6:2001:db8::82])',
      '\t(using TLSv1.3)',
      ...fields,
      'Subject: folded',
      '  line',
      '',
      'body',
      '',
    ].join('\n'),
  );

describe('messages of the receiver', () => {
  it('reads envelope, unfolded fields, body and the client', () => {
    const read = message();
    expect(read).toMatchObject({
      envelopeFrom: 'x@a.test',
      recipient: 'bob@receiver.test',
      body: 'body\r\n',
    });
    expect(headerOf(read, 'SUBJECT')).toBe('folded  line');
    expect(headerOf(read, 'absent')).toBeUndefined();
    expect(readClient(read)).toEqual({ ip: '2001:db8::82', helo: 'mx.a.test' });
  });

  it('reads a bounce and a message without a body', () => {
    expect(parseStoredMessage('Return-Path: <>\nSubject: x\n')).toMatchObject({ envelopeFrom: '', body: '' });
  });
});

describe('verdicts of the receiver', () => {
  it('reads every method', () => {
    expect(readVerdicts(message(`Authentication-Results: ${good}`), host)).toEqual({
      spf: 'pass',
      dkim: 'pass',
      signatures: [
        { result: 'pass', domain: 'a.test', selector: 's1' },
        { result: 'fail', domain: 'b.test', selector: 's2' },
      ],
      dmarc: 'pass',
      iprev: 'pass',
      tls: 'TLSv1.3',
      quarantined: false,
    });
  });

  it.each([
    ['no field', []],
    ['a field of another server', [`Authentication-Results: evil.test; spf=pass; dkim=pass; dmarc=pass`]],
    [
      'a field that is not the topmost',
      ['Authentication-Results: evil.test; none', `Authentication-Results: ${good}`],
    ],
  ])('believes nothing from %s', (_, fields) => {
    const verdicts = readVerdicts(message(...fields), host);
    expect(verdicts).toMatchObject({
      spf: 'none',
      dkim: 'none',
      dmarc: 'none',
      iprev: 'none',
      signatures: [],
    });
    expect(verdicts.tls).toBeUndefined();
  });

  it('tells a failed signature, a clear connection and a quarantine', () => {
    const value = `${host}; dkim=fail header.d=a.test; spf=softfail smtp.mailfrom=x@a.test; dmarc=fail; iprev=fail; x-tls=none`;
    const verdicts = readVerdicts(message(`Authentication-Results: ${value}`, 'X-Quarantine: DMARC'), host);
    expect(verdicts).toMatchObject({
      dkim: 'fail',
      spf: 'softfail',
      dmarc: 'fail',
      iprev: 'fail',
      quarantined: true,
    });
    expect(verdicts.tls).toBeUndefined();
  });

  it('is not misled by comments and quotes', () => {
    const value = `${host} 1; spf=fail (a (nested; dkim=pass) \\) comment; dmarc=pass) reason="x; dmarc=pass \\" y" smtp.mailfrom=a`;
    const { authservId, results } = parseAuthenticationResults(value);
    expect(authservId).toBe(host);
    expect(results).toHaveLength(1);
    expect(results[0]).toMatchObject({ method: 'spf', result: 'fail' });
    expect(results[0]?.properties.get('reason')).toBe('x; dmarc=pass " y');
  });
});
