import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Follower } from '../../../src/logs/follower.js';
import { parseLogLine } from '../../../src/logs/parse-line.js';
import { readLog } from '../../../src/logs/read-log.js';
import { onlyDomain, summarizeMail } from '../../../src/logs/summarize.js';
import { fits, isProbe } from '../../../src/logs/track.js';

/** Recorded in the sandbox: Postfix 3.7.11, Dovecot 2.3.19, Rspamd 3.4; and 3.10.13, 2.4.1, 3.12.1. */
const releases = ['debian-12', 'debian-13'] as const;
const textOf = (release: string) =>
  readFileSync(join(import.meta.dirname, 'fixtures', `${release}.log`), 'utf8');
const ada = 'ada@rehearsal.test';

describe.each(releases)('the log of a %s', (release) => {
  const { stories, failedLogins, lines } = readLog(textOf(release));
  const find = (word: string) => {
    const story = stories.find(({ messageId }) => messageId.startsWith(`${word}.`));
    if (story === undefined) throw new Error(`no message ${word}`);
    return story;
  };
  const told = (word: string) =>
    find(word).events.map(({ event }) => (event.kind === 'delivery' ? event.status : event.kind));

  it('is read line by line', () => {
    expect(lines).toBe(textOf(release).trim().split('\n').length);
  });

  it('tells a message that was taken from its login to the last word', () => {
    const story = find('to-echo');
    expect(story).toMatchObject({ from: ada, login: ada, client: 'unknown[198.51.100.10]', done: true });
    expect(told('to-echo')).toEqual(['received', 'message-id', 'judged', 'queued', 'sent', 'removed']);
    const [, , judged, , sent] = story.events.map(({ event }) => event);
    expect(judged).toMatchObject({ action: 'no action', login: ada, signed: ['rehearsal.test s202611'] });
    expect(sent).toMatchObject({ to: 'echo@receiver.test', dsn: '2.0.0', agent: 'smtp' });
    expect(sent).toMatchObject({ relay: expect.stringMatching(/^mx\.receiver\.test\[\S+\]:25$/) });
    expect(sent).toMatchObject({ answer: expect.stringMatching(/^250 2\.0\.0 Ok: queued as/) });
  });

  it('tells a bounce, and the notice that went back', () => {
    expect(told('unknown-there')).toEqual([
      ...['received', 'message-id', 'judged', 'queued', 'bounced', 'returned', 'removed'],
    ]);
    const returned = find('unknown-there').events.find(({ event }) => event.kind === 'returned')?.event;
    const notice = stories.find(({ id }) => returned?.kind === 'returned' && id === returned.notice);
    expect(notice).toMatchObject({ from: '', done: true });
    expect([...(notice?.recipients ?? [])]).toEqual([ada]);
    // It has no sender, which changes Rspamd's line.
    expect(notice?.events.map(({ event }) => event.kind)).toContain('judged');
  });

  it('keeps what waits open', () => {
    expect(find('mailbox-full').done).toBe(false);
    expect(told('mailbox-full').filter((kind) => kind === 'deferred').length).toBeGreaterThan(0);
  });

  it('tells every recipient of one message, with the mailbox that Dovecot chose', () => {
    const deliveries = find('four-recipients').events.flatMap(({ event }) =>
      event.kind === 'delivery' ? [`${event.to} ${event.status}`] : [],
    );
    expect(new Set(deliveries)).toEqual(
      new Set([
        `${ada} sent`,
        'nobody@receiver.test bounced',
        'sink@receiver.test sent',
        'full@receiver.test deferred',
      ]),
    );
    const stored = find('four-recipients').events.find(({ event }) => event.kind === 'stored')?.event;
    expect(stored).toMatchObject({ user: ada, mailbox: 'INBOX' });
  });

  it('knows by which alias a mail came', () => {
    const story = find('alias');
    expect([...story.recipients].sort()).toEqual([ada, 'bob@rehearsal.test', 'info@rehearsal.test']);
    expect(told('alias').filter((kind) => kind === 'stored')).toHaveLength(2);
  });

  it('tells what the milter refused, and what was refused before it had a name', () => {
    expect(find('gtube')).toMatchObject({ done: true, from: 'stranger@receiver.test' });
    expect(find('gtube').events.at(-1)?.event).toMatchObject({
      kind: 'rejected',
      stage: 'END-OF-MESSAGE',
      answer: '5.7.1 Gtube pattern',
    });
    const unknown = stories.find(({ recipients }) => recipients.has('nope@rehearsal.test'));
    expect(unknown?.events[0]?.event).toEqual({
      kind: 'rejected',
      service: 'smtpd',
      client: 'mx.receiver.test[198.51.100.80]',
      stage: 'RCPT',
      answer: '550 5.1.1 <nope@rehearsal.test>: Recipient address rejected: User unknown',
      from: 'stranger@receiver.test',
      to: 'nope@rehearsal.test',
      helo: 'mx.receiver.test',
    });
  });

  it('waits out a mail store that is down', () => {
    expect(told('while-dovecot-is-down')).toEqual([
      ...['received', 'message-id', 'judged', 'queued', 'deferred', 'queued', 'stored', 'sent', 'removed'],
    ]);
  });

  it('tells our own probes from mail', () => {
    const probes = stories.filter(isProbe);
    expect(probes.length).toBeGreaterThan(10);
    expect(probes.filter(({ events }) => events.some(({ event }) => event.kind === 'delivery'))).toEqual([]);
  });

  it('is told while it happens: one message by its id, from its beginning and each word once', () => {
    const { id, messageId, events } = find('to-echo');
    for (const wanted of [messageId, id]) {
      const follower = new Follower((story) => fits(story, { messageId: wanted }), 0);
      const news = textOf(release)
        .split('\n')
        .flatMap((line) => {
          const told = follower.take(line);
          return told === undefined
            ? []
            : [{ id: told.story.id, from: told.from, to: told.story.events.length }];
        });
      expect(new Set(news.map((one) => one.id))).toEqual(new Set([id]));
      expect(news[0]?.from).toBe(0);
      expect(news.slice(1).map(({ from }) => from)).toEqual(news.slice(0, -1).map(({ to }) => to));
      expect(news.at(-1)?.to).toBe(events.length);
    }
  });

  it('is followed from where it is: what is over is not told again, what is under way is told whole', () => {
    const { id, messageId } = find('to-echo');
    const text = textOf(release).split('\n');
    const middle = text.findIndex((line) => line.includes(messageId)) + 1;
    const follower = new Follower(() => true, 0);
    follower.catchUp(text.slice(0, middle).join('\n'));
    const first = text.slice(middle).flatMap((line) => follower.take(line) ?? []);
    const own = first.filter(({ story }) => story.id === id);
    expect(own[0]?.from).toBe(0);
    expect(own.length).toBeGreaterThan(1);
    follower.catchUp('');
    expect(follower.take(text[middle - 2] ?? '')?.from ?? 0).toBe(0);
  });

  it('finds by message id, queue id, sender and recipient', () => {
    const story = find('to-sink');
    const all = (filter: Parameters<typeof fits>[1]) => stories.filter((one) => fits(one, filter));
    expect(all({ messageId: story.messageId })).toEqual([story]);
    expect(all({ messageId: story.id })).toContain(story);
    expect(all({ to: 'SINK@receiver.test', from: ada })).toContain(story);
    expect(all({ to: '@receiver.test', from: '@rehearsal.test' })).toContain(story);
    expect(all({ to: 'sink@receiver.test', from: 'bob@rehearsal.test' })).toEqual([]);
  });

  it('adds up for one domain, and leaves out what others sent', () => {
    const of = (domain: string) =>
      summarizeMail({ ...onlyDomain({ stories, failedLogins }, domain), since: 0, until: 1, domain });
    const whole = summarizeMail({ stories, failedLogins, since: 0, until: 1 });
    expect(of('rehearsal.test').bySender).toEqual(whole.bySender);
    expect(of('rehearsal.test').domain).toBe('rehearsal.test');
    const other = of('does-not-exist.test');
    expect(other.out.byDomain.map(({ domain }) => domain)).toEqual(['does-not-exist.test']);
    expect(other.failedLogins.count).toBe(0);
    expect(of('elsewhere.test').out).toMatchObject({ sent: 0, deferred: 0, bounced: 0 });
  });

  it('adds up to a report', () => {
    const report = summarizeMail({ stories, failedLogins, since: 0, until: 1 });
    expect(report.out).toMatchObject({ deferred: 2, bounced: 3 });
    expect(report.out.byDomain.map(({ domain }) => domain)).toEqual(['receiver.test', 'does-not-exist.test']);
    expect(report.bySender).toEqual([{ sender: ada, sent: report.out.sent, deferred: 2, bounced: 3 }]);
    expect(report.byDay).toHaveLength(1);
    expect(report.in.deferred).toBe(0);
    expect(report.failedLogins).toEqual({
      count: 2,
      clients: [{ client: 'unknown[198.51.100.10]', count: 2 }],
    });
    // Dozens of our own probes were refused, too; only what strangers and users tried counts.
    const refusals = stories.filter(
      (story) => !isProbe(story) && story.events.at(-1)?.event.kind === 'rejected',
    );
    expect(report.in.refused).toBe(refusals.length);
    expect(report.in.refusals.some(({ reason }) => reason.includes('need fully-qualified'))).toBe(false);
    expect(report.answers.map(({ explanation, outcome }) => `${explanation?.id} ${outcome}`).sort()).toEqual([
      'mailbox-full deferred',
      'no-such-domain bounced',
      'unknown-user bounced',
    ]);
    const words = report.answers.map(({ example }) => example).join('\n');
    expect(words).not.toContain('@');
    expect(words).not.toMatch(/\d+\.\d+\.\d+\.\d+/);
  });
});

describe('parseLogLine', () => {
  it('reads the same from both forms of the journal', () => {
    const text = 'ABCDEF: removed';
    const json = JSON.stringify({
      MESSAGE: text,
      SYSLOG_IDENTIFIER: 'postfix/qmgr',
      _SOURCE_REALTIME_TIMESTAMP: '1795499028530980',
      __REALTIME_TIMESTAMP: '1795499028999999',
    });
    const expected = { time: 1795499028.53098, program: 'postfix/qmgr', text };
    expect(parseLogLine(json)).toEqual(expected);
    expect(parseLogLine(`1795499028.530980 mail.example.org postfix/qmgr[12]: ${text}`)).toEqual(expected);
  });

  it.each([
    '',
    '-- Boot 1 --',
    '    continued',
    '{"MESSAGE":',
    '{"MESSAGE":[1,2],"SYSLOG_IDENTIFIER":"x"}',
    'null',
  ])('takes %j for no line', (line) => {
    expect(parseLogLine(line)).toBeUndefined();
  });
});
