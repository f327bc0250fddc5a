import { expect, it } from 'vitest';
import { deliveryChecks, judgeTrip } from '../../../../src/checks/delivery/index.js';
import type { Arrival, Trip } from '../../../../src/checks/delivery/trip.js';
import type { Story } from '../../../../src/logs/track.js';

const head = 'Received: by mail.example.org (Postfix) with ESMTPSA id 1\r\nFrom: <a@example.org>\r\n';
const arrival = (raw: string): Arrival => ({ raw, mailbox: 'INBOX', after: 1250 });
const good: Trip = {
  hostname: 'mail.example.org',
  user: 'smtp-setup-check-00c0ffee@example.org',
  ehloName: 'checker.invalid',
  submitted: { accepted: true, reply: '250 2.0.0 Ok: queued as 1' },
  imap: { accepted: true, detail: '' },
  copy: arrival(`${head}\r\nbody\r\n`),
  incoming: { accepted: true, reply: '250 2.0.0 Ok: queued as 2' },
  arrived: arrival(`${head}\r\nbody\r\n`),
  waited: 30,
  keys: async () => undefined,
};

function story(status: 'sent' | 'deferred' | 'bounced', answer: string): Story {
  const event = {
    kind: 'delivery' as const,
    id: '1',
    agent: 'smtp',
    to: 'me@example.net',
    relay: 'mx.example.net[192.0.2.1]:25',
    delay: 0.4,
    dsn: status === 'sent' ? '2.0.0' : '5.7.25',
    status,
    answer,
  };
  return {
    id: '1',
    messageId: '<x@example.org>',
    from: good.user,
    login: good.user,
    client: undefined,
    size: 1,
    recipients: new Set(['me@example.net']),
    events: [{ time: 0, event }],
    done: true,
  };
}

async function judge(
  change: Partial<Trip>,
): Promise<Record<string, { status: string; text: string; fix: string }>> {
  const findings = await judgeTrip({ ...good, ...change });
  return Object.fromEntries(
    findings.map(({ id, status, message, observed, fix }) => [
      id,
      { status, text: `${message} ${observed ?? ''}`, fix: fix?.text ?? '' },
    ]),
  );
}

it('has an id and a reference for each check', () => {
  expect(new Set(deliveryChecks.map(({ id }) => id)).size).toBe(deliveryChecks.length);
  for (const { id, ref } of deliveryChecks) expect(`${id} ${ref}`).toMatch(/^[A-Z]+(-[A-Z]+)+ \S/);
});

it('tells the round trip, and takes an unsigned mail for what it is', async () => {
  const found = await judge({});
  expect(found['DELIVERY-SUBMIT']?.status).toBe('pass');
  expect(found['DELIVERY-ROUND-TRIP']).toMatchObject({
    status: 'pass',
    text: expect.stringContaining('1.3 s'),
  });
  expect(found['DELIVERY-IN']).toMatchObject({ status: 'pass', text: expect.stringContaining('INBOX') });
  expect(found['DELIVERY-PRIVACY']?.status).toBe('pass');
  expect(found['DELIVERY-DKIM']).toMatchObject({ status: 'fail', fix: expect.stringContaining('check dns') });
  expect(found).not.toHaveProperty('DELIVERY-OUT');
});

it('names each link that is broken, and is silent about what follows from it', async () => {
  const refused = await judge({
    submitted: { accepted: false, reply: '535 5.7.8 no' },
    copy: undefined as never,
  });
  expect(refused['DELIVERY-SUBMIT']).toMatchObject({ status: 'fail', text: expect.stringContaining('535') });
  expect(refused).not.toHaveProperty('DELIVERY-ROUND-TRIP');
  const { copy, arrived, ...lost } = good;
  expect(copy && arrived).toBeDefined();
  const nothing = await judgeTrip(lost);
  expect(nothing.map(({ id, status }) => `${id} ${status}`)).toEqual([
    'DELIVERY-SUBMIT pass',
    'DELIVERY-ROUND-TRIP fail',
    'DELIVERY-IN fail',
  ]);
  const imap = await judge({ imap: { accepted: false, detail: 'the login was refused' } });
  expect(imap['DELIVERY-ROUND-TRIP']).toMatchObject({
    status: 'fail',
    text: expect.stringContaining('refused'),
  });
});

it('cannot say what a silent network hides', async () => {
  const silent = { accepted: false, unreachable: true, reply: 'no connection' };
  const found = await judge({ submitted: silent, incoming: silent });
  expect(found['DELIVERY-SUBMIT']?.status).toBe('unknown');
  expect(found['DELIVERY-IN']?.status).toBe('unknown');
  const later = await judge({ incoming: { accepted: false, reply: '450 4.2.0 greylisted' } });
  expect(later['DELIVERY-IN']?.status).toBe('unknown');
});

it('sees a telling header', async () => {
  const telling = `Received: from checker.invalid (x [192.0.2.1])\r\n\tby mail.example.org\r\n${head}`;
  expect((await judge({ copy: arrival(`${telling}\r\nbody\r\n`) }))['DELIVERY-PRIVACY']?.status).toBe('fail');
  const agent = `User-Agent: smtp-setup\r\n${head}`;
  expect((await judge({ copy: arrival(`${agent}\r\nbody\r\n`) }))['DELIVERY-PRIVACY']?.status).toBe('fail');
});

it('says what the receiver said', async () => {
  const to = 'me@example.net';
  const taken = await judge({ to, story: story('sent', '250 2.0.0 OK') });
  expect(taken['DELIVERY-OUT']?.status).toBe('pass');
  // Nobody answers: a person has to look, and is told at what.
  expect(taken['DELIVERY-VERDICT']).toMatchObject({
    status: 'info',
    text: expect.stringContaining('Show original'),
  });
  const refused = await judge({ to, story: story('bounced', '550 5.7.25 no PTR record') });
  expect(refused['DELIVERY-OUT']).toMatchObject({ status: 'fail', text: expect.stringContaining('PTR') });
  expect((await judge({ to, story: story('deferred', '450 later') }))['DELIVERY-OUT']?.status).toBe(
    'unknown',
  );
  expect((await judge({ to }))['DELIVERY-OUT']?.status).toBe('unknown');
});

it('reads the verdicts of an answer', async () => {
  const answer = (results: string) => arrival(`Subject: Re: x\r\n\r\nFound:\r\n${results}\r\n`);
  const ask = async (results: string) =>
    (await judge({ to: 'echo@example.net', answer: answer(results) }))['DELIVERY-VERDICT'];
  const all = 'spf=pass smtp.mailfrom=a; dkim=pass header.d=a; dmarc=pass; x-tls=pass policy.tls=TLSv1.3';
  expect(await ask(all)).toMatchObject({ status: 'pass', text: expect.stringContaining('TLSv1.3') });
  expect(await ask(all.replace('dmarc=pass', 'dmarc=fail'))).toMatchObject({
    status: 'fail',
    text: expect.stringContaining('dmarc=fail'),
    fix: expect.stringContaining('--only dmarc'),
  });
  expect(await ask('spf=pass; dkim=pass; dmarc=pass; x-tls=none')).toMatchObject({
    status: 'fail',
    text: expect.stringContaining('in the clear'),
  });
});
