import { describe, expect, it } from 'vitest';
import type { PinnedResponse } from '../../../../src/checks/pinned-fetch.js';
import { intendedPorts } from '../../../../src/checks/server/intended-ports.js';
import type { ServerTarget } from '../../../../src/checks/server/server-check.js';
import {
  autoconfigServed,
  autodiscoverServed,
  policyServed,
  stsServed,
  webCertificate,
} from '../../../../src/checks/server/web.js';
import type { RecordData } from '../../../../src/dns/record.js';
import type { Answer, AnswerStatus, Resolver } from '../../../../src/dns/resolver/types.js';

const here = '198.51.100.25';

/** A resolver of these records: every other name is absent, and `broken` names cannot be found out. */
function resolverOf(records: Readonly<Record<string, RecordData>>, broken: readonly string[] = []): Resolver {
  return {
    resolve: async (name, type): Promise<Answer> => {
      const data = records[name];
      const found = data !== undefined && data.type === type;
      const status: AnswerStatus = broken.includes(name) ? 'servfail' : found ? 'ok' : 'nxdomain';
      return {
        name,
        type,
        status,
        records: found ? [{ name, ttl: 300, data }] : [],
        chain: [],
        ad: false,
        via: 'resolver 198.51.100.53',
        level: 'recursive',
      };
    },
  };
}

const toHere: RecordData = { type: 'A', address: here };
const published = {
  'autoconfig.example.org': toHere,
  'mta-sts.example.org': toHere,
  '_mta-sts.example.org': { type: 'TXT', text: 'v=STSv1; id=20261124;' },
} as const satisfies Record<string, RecordData>;

function targetOf(
  response: PinnedResponse,
  resolver: Resolver = resolverOf(published),
  more: Partial<ServerTarget> = {},
): { target: ServerTarget; asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    target: {
      hostname: 'mail.example.org',
      addresses: [here],
      domains: ['example.org'],
      ports: intendedPorts(),
      privateCa: false,
      ehloName: 'checker.invalid',
      timeout: 5000,
      now: Date.parse('2026-11-24T00:00:00Z'),
      resolver,
      fetch: async ({ url, addresses }) => {
        asked.push(`${url.href} ${addresses.join(' ')}`);
        return response;
      },
      ...more,
    },
  };
}

const page = (body: string, status = 200): PinnedResponse => ({
  ok: true,
  status,
  contentType: 'text/plain',
  body,
  tooLong: false,
});
const settings = (host: string, ...ports: number[]) =>
  `<clientConfig version="1.1">${ports.map((port) => `<hostname>${host}</hostname><port>${port}</port>`).join('')}</clientConfig>`;
const policy = (mode: string, ...mx: string[]) =>
  ['version: STSv1', `mode: ${mode}`, ...mx.map((name) => `mx: ${name}`), 'max_age: 604800', ''].join('\r\n');

describe('WEB-AUTOCONFIG', () => {
  const judge = async (...given: Parameters<typeof targetOf>) =>
    autoconfigServed.run(targetOf(...given).target, here);

  it('passes when the settings name this server and both ports, and asks this address alone', async () => {
    const { target, asked } = targetOf(page(settings('mail.example.org', 993, 465)));
    expect(await autoconfigServed.run(target, here)).toMatchObject([{ status: 'pass' }]);
    expect(asked).toEqual([
      `https://autoconfig.example.org/mail/config-v1.1.xml?emailaddress=probe@example.org ${here}`,
    ]);
  });

  it.each([
    ['another server', settings('mail.other.test', 993, 465), 'mail.example.org'],
    ['no port for sending', settings('mail.example.org', 993), 'port 465'],
    ['some other page', '<html>Welcome to nginx!</html>', '<clientConfig>'],
  ])('fails for %s', async (_what, body, expected) => {
    expect(await judge(page(body))).toMatchObject([
      {
        status: 'fail',
        expected: expect.stringContaining(expected),
        fix: expect.stringContaining('apply'),
      },
    ]);
  });

  it('tells that it asked for nothing where the name is not published or leads elsewhere', async () => {
    const elsewhere: RecordData = { type: 'A', address: '198.51.100.99' };
    const zones: Record<string, RecordData>[] = [{}, { 'autoconfig.example.org': elsewhere }];
    for (const records of zones) {
      const { target, asked } = targetOf(page(''), resolverOf(records));
      expect(await autoconfigServed.run(target, here)).toMatchObject([{ status: 'info' }]);
      expect(asked).toEqual([]);
    }
  });

  it('takes a broken DNS for unknown, never for absent', async () => {
    expect(await judge(page(''), resolverOf({}, ['autoconfig.example.org']))).toMatchObject([
      { status: 'unknown', observed: 'servfail' },
    ]);
  });
});

describe('WEB-MTA-STS', () => {
  const judge = async (...given: Parameters<typeof targetOf>) =>
    stsServed.run(targetOf(...given).target, here);

  it.each([
    ['names this server', policy('enforce', 'mail.example.org')],
    ['names it by a pattern', policy('testing', 'mx.other.test', '*.example.org')],
    ['is being withdrawn', policy('none')],
  ])('passes when the policy %s', async (_what, body) => {
    expect(await judge(page(body))).toMatchObject([{ status: 'pass' }]);
  });

  it('fails when the policy names other servers only: senders would deliver nothing', async () => {
    expect(await judge(page(policy('enforce', 'mx.other.test', '*.mail.example.org')))).toMatchObject([
      { status: 'fail', expected: 'mx: mail.example.org', observed: 'mx.other.test, *.mail.example.org' },
    ]);
  });

  it.each([
    ['is no policy', page('<html>Welcome to nginx!</html>'), 'What is served is no policy.'],
    ['is not there', page('gone', 404), 'The page is not there.'],
    [
      'is not served at all',
      { ok: false, reason: 'refused', detail: 'ECONNREFUSED' },
      'The web server refuses.',
    ],
    [
      'has a certificate for another name',
      {
        ok: false,
        reason: 'certificate',
        detail: "Host: mta-sts.example.org. is not in the cert's altnames",
      },
      'The certificate is not good for the name.',
    ],
  ] as const)('fails when what is announced %s', async (_what, response, message) => {
    expect(await judge(response)).toMatchObject([{ status: 'fail', message, fix: expect.any(String) }]);
  });

  it('is unknown when the network is silent, or DNS', async () => {
    for (const reason of ['timeout', 'network'] as const) {
      expect(await judge({ ok: false, reason, detail: 'nothing came' })).toMatchObject([
        { status: 'unknown' },
      ]);
    }
    for (const name of ['_mta-sts.example.org', 'mta-sts.example.org']) {
      expect(await judge(page(''), resolverOf(published, [name]))).toMatchObject([
        { status: 'unknown', subject: name },
      ]);
    }
  });

  it('tells that nothing is announced instead of passing', async () => {
    const { target, asked } = targetOf(page(policy('enforce', 'mail.example.org')), resolverOf({}));
    expect(await stsServed.run(target, here)).toMatchObject([
      { status: 'info', subject: '_mta-sts.example.org' },
    ]);
    expect(asked).toEqual([]);
  });
});

describe('the MTA-STS policy before it is announced', () => {
  it('is looked for at the address, whatever DNS shows', async () => {
    const check = policyServed('example.org');
    const { target } = targetOf(page(policy('testing', 'mail.example.org')), resolverOf({}));
    expect(await check.run(target, here)).toMatchObject([{ status: 'pass' }]);
    const refused = targetOf({ ok: false, reason: 'certificate', detail: 'expired' }, resolverOf({}));
    expect(await check.run(refused.target, here)).toMatchObject([{ status: 'fail' }]);
  });
});

describe('WEB-AUTODISCOVER', () => {
  const published = { 'autodiscover.example.org': toHere };
  const answer = (login: string) =>
    `<Server>mail.example.org</Server><Port>993</Port><Port>465</Port><LoginName>${login}</LoginName>`;

  it('passes when the settings are those of the address that was asked for', async () => {
    const { target } = targetOf(page(answer('probe@example.org')), resolverOf(published));
    expect(await autodiscoverServed.run(target, here)).toMatchObject([{ status: 'pass' }]);
  });

  it('fails when Outlook would log in under another name', async () => {
    const { target } = targetOf(page(answer('%EMAILADDRESS%')), resolverOf(published));
    expect(await autodiscoverServed.run(target, here)).toMatchObject([
      { status: 'fail', expected: '<LoginName>probe@example.org</LoginName>' },
    ]);
  });
});

describe('WEB-CERT', () => {
  const day = 86_400_000;
  const now = Date.parse('2026-11-24T00:00:00Z');
  const shown = (daysLeft: number): PinnedResponse => ({
    ok: true,
    status: 404,
    contentType: 'text/html',
    body: '',
    tooLong: false,
    certificate: { validFrom: now + (daysLeft - 90) * day, validTo: now + daysLeft * day },
  });
  const judge = (response: PinnedResponse) => webCertificate.run(targetOf(response).target, here);

  it('is asked for each name that leads here, whatever page there is', async () => {
    expect(await judge(shown(60))).toMatchObject([
      { status: 'pass', subject: `autoconfig.example.org at ${here}`, observed: '60 days left' },
      { status: 'pass', subject: `mta-sts.example.org at ${here}` },
    ]);
  });

  it('warns when renewal does not work, and fails for a wrong name', async () => {
    expect(await judge(shown(29))).toMatchObject([{ status: 'warn' }, { status: 'warn' }]);
    expect(await judge({ ok: false, reason: 'certificate', detail: 'altnames' })).toMatchObject([
      { status: 'fail', message: 'The certificate is not good for the name.' },
      { status: 'fail' },
    ]);
  });
});
