import { describe, expect, it } from 'vitest';
import { readDovecot } from '../../../src/logs/dovecot.js';
import { explainAnswer } from '../../../src/logs/explain.js';
import { parseQueue } from '../../../src/logs/parse-queue.js';
import { readPostfix } from '../../../src/logs/postfix.js';
import { readRspamd } from '../../../src/logs/rspamd.js';
import { shapeOf } from '../../../src/logs/summarize.js';
import { isAbandoned, isProbe, Tracker } from '../../../src/logs/track.js';
import { createIo } from '../../../src/ui/io.js';
import { renderStories } from '../../../src/ui/report/stories.js';
import { captureStreams } from '../../helpers/streams.js';

describe('what strangers write into the log', () => {
  it('does not pass for a login', () => {
    const line = 'ABCDEF1234: client=evil[192.0.2.1], sasl_sender=<x sasl_username=root>';
    expect(readPostfix('postfix/smtpd', line)).not.toHaveProperty('login');
  });

  it('does not end an address early', () => {
    const line =
      'ABCDEF1234: to=<"a>, relay=fake, delay=0, dsn=2.0.0, status=sent (x)"@example.net>, relay=none, delay=1, delays=0/0/1/0, dsn=5.1.1, status=bounced (no (such) user)';
    const event = readPostfix('postfix/smtp', line);
    expect(
      event === undefined || (event.kind === 'delivery' && event.answer.endsWith('no (such) user')),
    ).toBe(true);
  });

  it.each([
    ['warning: something'],
    ['ABCDEF1234: to=<a@b>, relay=none, delay=x'],
    ['ABCDEF1234: to=<a@b>, relay=none, delay=1, delays=1, dsn=2.0.0, status=unheard (x)'],
    [`${'a'.repeat(50_000)}: removed`],
  ])('%# is nothing that we follow', (line) => {
    expect(readPostfix('postfix/smtp', line)).toBeUndefined();
    expect(readDovecot(line)).toBeUndefined();
    expect(readRspamd(line)).toBeUndefined();
  });

  it('reaches no terminal with its control characters', () => {
    const tracker = new Tracker();
    const evil = '\u001b]0;owned\u0007\u202e';
    tracker.add(1, { kind: 'message-id', id: 'ABCDEF', messageId: `x${evil}@y` });
    tracker.add(2, {
      kind: 'delivery',
      id: 'ABCDEF',
      agent: 'smtp',
      to: `${evil}a@b`,
      relay: evil,
      delay: 1,
      dsn: '5.0.0',
      status: 'bounced',
      answer: evil,
    });
    const text = renderStories(createIo(captureStreams(), {}, { noColor: true }), tracker.stories());
    expect(text).not.toMatch(/[\u001b\u0007\u202e]/);
  });
});

describe('what is no mail', () => {
  const refused = (from: string, helo: string) => {
    const tracker = new Tracker();
    const line = `NOQUEUE: reject: RCPT from unknown[192.0.2.7]: 554 5.7.1 <x>: Relay access denied; from=<${from}> to=<postmaster@example.org> proto=ESMTP helo=<${helo}>`;
    const event = readPostfix('postfix/smtpd', line);
    const story = event === undefined ? undefined : tracker.add(1, event);
    if (story === undefined) throw new Error('the line was not read');
    return story;
  };

  it('is what our own checks tried, whatever address they gave', () => {
    expect(isProbe(refused('postmaster@example.org', 'checker.smtp-setup.invalid'))).toBe(true);
    expect(isProbe(refused('postmaster@example.org', 'mx.example.net'))).toBe(false);
    // A stranger who calls himself so does not get a message past the reader.
    const taken = refused('postmaster@example.org', 'checker.smtp-setup.invalid');
    taken.events.push({ time: 2, event: { kind: 'message-id', id: 'ABCDEF', messageId: 'a@b' } });
    expect(isProbe(taken)).toBe(false);
  });

  it('is a client that named a recipient and went away', () => {
    const tracker = new Tracker();
    const story = tracker.add(1, {
      kind: 'received',
      id: 'ABCDEF',
      service: 'smtpd',
      client: 'x[192.0.2.7]',
    });
    expect(story && isAbandoned(story)).toBe(true);
    tracker.add(2, { kind: 'message-id', id: 'ABCDEF', messageId: 'a@b' });
    expect(story && isAbandoned(story)).toBe(false);
  });
});

describe('Tracker', () => {
  it('begins a new story when a queue id comes again', () => {
    const tracker = new Tracker();
    const received = { kind: 'received', id: 'ABCDEF', service: 'smtpd', client: 'a' } as const;
    const first = tracker.add(1, received);
    tracker.add(2, { kind: 'removed', id: 'ABCDEF' });
    const second = tracker.add(3, received);
    expect(second).not.toBe(first);
    expect(tracker.add(4, received)).not.toBe(second);
    expect(tracker.stories()).toHaveLength(3);
  });

  it('makes no story of an end whose beginning it has not seen', () => {
    const tracker = new Tracker();
    expect(tracker.add(1, { kind: 'removed', id: 'ABCDEF' })).toBeUndefined();
    expect(tracker.stories()).toEqual([]);
  });
});

describe('explainAnswer', () => {
  it.each([
    [
      '550-5.7.26 Your email has been blocked because the sender is unauthenticated. Gmail requires all senders to authenticate with either SPF or DKIM.',
      'gmail-unauthenticated',
    ],
    ['550-5.7.27 Your email has been blocked because SPF [example.org] did not pass', 'gmail-no-spf-or-dkim'],
    ['550-5.7.25 [192.0.2.1] The IP address sending this message does not have a PTR record setup', 'no-ptr'],
    ['421-4.7.28 Gmail has detected an unusual rate of unsolicited mail', 'gmail-rate'],
    [
      '550-5.7.1 [192.0.2.1 12] Our system has detected that this message is likely unsolicited mail.',
      'gmail-spam',
    ],
    [
      '550 5.7.515 Access denied, sending domain EXAMPLE.ORG does not meet the required authentication level.',
      'outlook-unauthenticated',
    ],
    [
      '550 5.7.1 Unfortunately, messages from [192.0.2.1] were not sent. Please contact your Internet service provider since part of their network is on our block list (S3150).',
      'outlook-blocked',
    ],
    [
      '451 4.7.650 The mail server [192.0.2.1] has been temporarily rate limited due to IP reputation. (S775)',
      'outlook-throttled',
    ],
    [
      '554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org; https://www.spamhaus.org/query/ip/192.0.2.1',
      'spamhaus',
    ],
    ['554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using bl.spamcop.net', 'spamcop'],
    [
      '421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints',
      'yahoo-deferred',
    ],
    [
      '450 4.2.0 <a@b.example>: Recipient address rejected: Greylisted, see http://postgrey.example',
      'greylisted',
    ],
    ['452 4.2.2 The email account that you tried to reach is over quota', 'mailbox-full'],
    ['550 5.1.1 The email account that you tried to reach does not exist.', 'unknown-user'],
    ['550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup', 'unknown-user'],
    [
      'Host or domain name not found. Name service error for name=x.example type=A: Host not found',
      'no-such-domain',
    ],
    ['Domain x.example does not accept mail (nullMX)', 'null-mx'],
    ['connect to mx.example[192.0.2.9]:25: Connection timed out', 'unreachable'],
    ['connect to mail.example.org[private/dovecot-lmtp]: Connection refused', 'local-store-down'],
    ['Server certificate not trusted', 'tls-failed'],
    ['554 5.7.1 <a@b.example>: Relay access denied', 'relay-denied'],
    ['552 5.3.4 Message size exceeds fixed limit', 'too-large'],
    [
      "550 5.7.1 Unauthenticated email from example.org is not accepted due to domain's DMARC policy.",
      'gmail-unauthenticated',
    ],
    ['550 5.7.509 Access denied, sending domain example.org does not pass DMARC verification', 'dmarc'],
    ['550 5.7.999 because I say so', 'policy'],
  ])('%s', (answer, id) => {
    expect(explainAnswer(answer)?.id).toBe(id);
  });

  it('says nothing about what it does not know', () => {
    expect(explainAnswer('451 4.3.0 Out of biscuits')).toBeUndefined();
  });
});

describe('shapeOf', () => {
  it('counts the same words together', () => {
    const one = shapeOf(
      'host a.example[192.0.2.1] said: 550 5.1.1 <x@y.example>: unknown d2e1a72fcca58-7f0a1b2c3d4si123.456 - gsmtp (in reply to RCPT TO command)',
    );
    const two = shapeOf(
      'host b.example[192.0.2.2] said: 550 5.1.1 <z@y.example>: unknown 98e67ed59e1d1-2f0a1b2c3d4si987.654 - gsmtp (in reply to RCPT TO command)',
    );
    expect(one).toBe(two);
  });
});

describe('parseQueue', () => {
  it('reads what Postfix says and skips what it cannot have said', () => {
    const line = {
      queue_name: 'deferred',
      queue_id: '3C40C1C7D',
      arrival_time: 1795499751,
      message_size: 398,
      forced_expire: false,
      sender: 'MAILER-DAEMON',
      recipients: [{ address: 'a@b.example', delay_reason: 'full' }, { address: 1 }, null],
    };
    const text = [
      JSON.stringify(line),
      '{"queue_id": "3C40',
      JSON.stringify({ ...line, queue_id: '$(id)' }),
      '[]',
      '',
    ];
    expect(parseQueue(text.join('\n'))).toEqual([
      {
        id: '3C40C1C7D',
        queue: 'deferred',
        arrived: 1795499751,
        size: 398,
        sender: '',
        recipients: [{ address: 'a@b.example', reason: 'full' }],
      },
    ]);
  });
});
