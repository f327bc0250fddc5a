import { describe, expect, it } from 'vitest';
import type { WireReply } from '../../../../src/dns/resolver/decode.js';
import { cacheResolver, createRecursiveResolver } from '../../../../src/dns/resolver/recursive.js';
import { formatServerAddress, parseServerAddress } from '../../../../src/dns/resolver/server-address.js';
import { limitQueries, type Query } from '../../../../src/dns/resolver/wire.js';

const servers = [
  { address: '198.51.100.1', port: 53 },
  { address: '198.51.100.2', port: 5353 },
];
const reply = (rcode: number, more: Partial<WireReply> = {}): WireReply => ({
  ok: true,
  rcode,
  authoritative: false,
  truncated: false,
  recursionAvailable: true,
  authenticData: false,
  edns: true,
  answers: [],
  authority: [],
  additional: [],
  transport: 'udp',
  ...more,
});
/** Each server's reply; `undefined` is silence. */
function scripted(replies: Record<string, WireReply | undefined>, asked: string[] = []): Query {
  return async ({ address }, name, type, options) => {
    asked.push(`${address} ${name} ${type}${options?.checkingDisabled ? ' CD' : ''}`);
    return replies[address] ?? { ok: false, reason: 'timeout', detail: 'no reply' };
  };
}
const address = { name: 'a.example.org', ttl: 60, data: { type: 'A', address: '192.0.2.1' } } as const;

describe('createRecursiveResolver', () => {
  it('asks the next server only when the first gives no usable answer', async () => {
    const asked: string[] = [];
    const query = scripted(
      { '198.51.100.1': reply(2), '198.51.100.2': reply(0, { answers: [address], authenticData: true }) },
      asked,
    );
    const answer = await createRecursiveResolver({ servers, query }).resolve('A.example.org', 'A');
    expect(answer).toMatchObject({
      status: 'ok',
      ad: true,
      via: 'resolver 198.51.100.2:5353',
      level: 'recursive',
    });
    expect(asked).toEqual(['198.51.100.1 a.example.org A', '198.51.100.2 a.example.org A']);
    asked.length = 0;
    const denied = scripted({ '198.51.100.1': reply(3) }, asked);
    expect(
      await createRecursiveResolver({ servers, query: denied }).resolve('a.example.org', 'A'),
    ).toMatchObject({ status: 'nxdomain' });
    expect(asked).toHaveLength(1);
  });
  it.each([
    [reply(2), 'servfail', 'the server answered SERVFAIL'],
    [reply(5), 'refused', 'the server answered REFUSED'],
    [reply(9), 'servfail', 'the server answered NOTAUTH'],
    [reply(23), 'servfail', 'the server answered error 23'],
    [undefined, 'timeout', 'no reply'],
  ])('%#: %s is no absence', async (one, status, detail) => {
    const query = scripted({ '198.51.100.1': one, '198.51.100.2': one });
    expect(await createRecursiveResolver({ servers, query }).resolve('a.example.org', 'A')).toMatchObject({
      status,
      detail,
      records: [],
    });
  });
  it('takes the referral of a server that does not recurse for no absence', async () => {
    const data = { type: 'NS', target: 'a.nic.org' } as const;
    const referral = reply(0, { recursionAvailable: false, authority: [{ name: 'org', ttl: 60, data }] });
    const query = scripted({ '198.51.100.1': referral, '198.51.100.2': reply(0, { answers: [address] }) });
    expect(await createRecursiveResolver({ servers, query }).resolve('a.example.org', 'A')).toMatchObject({
      status: 'ok',
    });
    const alone = createRecursiveResolver({ servers: servers.slice(0, 1), query });
    expect(await alone.resolve('a.example.org', 'A')).toMatchObject({ status: 'refused', records: [] });
  });
  it('follows CNAMEs in the answer, in bounded steps, and reads the negative TTL', async () => {
    const link = (name: string, target: string) =>
      ({ name, ttl: 60, data: { type: 'CNAME', target } }) as const;
    const soa = {
      name: 'example.org',
      ttl: 900,
      data: { type: 'SOA', mname: 'ns', rname: 'h', serial: 1, minimum: 300 },
    } as const;
    const ask = async (one: WireReply) =>
      createRecursiveResolver({ servers, query: scripted({ '198.51.100.1': one }) }).resolve(
        'w.example.org',
        'A',
      );
    const chained = await ask(
      reply(0, {
        answers: [link('w.example.org', 'v.example.org'), link('v.example.org', 'a.example.org'), address],
      }),
    );
    expect(chained).toMatchObject({ status: 'ok', records: [address] });
    expect(chained.chain).toHaveLength(2);
    expect(await ask(reply(0, { answers: [link('w.example.org', 'w.example.org')] }))).toMatchObject({
      status: 'nodata',
    });
    expect(await ask(reply(0, { answers: [address] }))).toMatchObject({ status: 'nodata' });
    expect((await ask(reply(3, { authority: [soa] }))).soa).toMatchObject({
      zone: 'example.org',
      negativeTtl: 300,
    });
    expect((await ask(reply(3, { authority: [{ ...soa, name: 'elsewhere.net' }] }))).soa).toBeUndefined();
  });
  it('says so when the machine has no resolver', async () => {
    expect(
      await createRecursiveResolver({ servers: [], query: scripted({}) }).resolve('a.example.org', 'A'),
    ).toMatchObject({ status: 'timeout', via: 'no resolver' });
  });
});

describe('cacheResolver', () => {
  it('asks once for each name, type and CD, in any case of letters', async () => {
    const asked: string[] = [];
    const cached = cacheResolver(
      createRecursiveResolver({ servers, query: scripted({ '198.51.100.1': reply(0) }, asked) }),
    );
    await Promise.all([
      cached.resolve('a.example.org', 'A'),
      cached.resolve('A.EXAMPLE.org', 'A'),
      cached.resolve('a.example.org', 'AAAA'),
      cached.resolve('a.example.org', 'A', { checkingDisabled: true }),
    ]);
    expect(asked).toEqual([
      '198.51.100.1 a.example.org A',
      '198.51.100.1 a.example.org AAAA',
      '198.51.100.1 a.example.org A CD',
    ]);
  });
});

describe('limitQueries', () => {
  it('keeps to the limit, and gives the place on when a query fails', async () => {
    let running = 0;
    let most = 0;
    const inner: Query = async (_, name) => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      if (name === 'n3') throw new Error('broken');
      return reply(0);
    };
    const limited = limitQueries(inner, 3);
    const done = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) => limited({ address: 'x', port: 53 }, `n${index}`, 'A')),
    );
    expect(most).toBe(3);
    expect(done.filter(({ status }) => status === 'rejected')).toHaveLength(1);
  });
});

describe('server addresses', () => {
  it.each([
    ['198.51.100.53', { address: '198.51.100.53', port: 53 }],
    ['198.51.100.53:5300', { address: '198.51.100.53', port: 5300 }],
    ['[2001:DB8::53]:5300', { address: '2001:db8::53', port: 5300 }],
    ['2001:db8::53', { address: '2001:db8::53', port: 53 }],
    ['[2001:db8::53]', { address: '2001:db8::53', port: 53 }],
    ['dns.example.org', undefined],
    ['198.51.100.53:0', undefined],
    ['198.51.100.53:70000', undefined],
    ['fe80::1%eth0', undefined],
    ['', undefined],
  ])('%s', (text, expected) => {
    expect(parseServerAddress(text)).toEqual(expected);
  });
  it('are written as they are read', () => {
    for (const text of ['198.51.100.53', '198.51.100.53:5300', '[2001:db8::53]:5300', '2001:db8::53']) {
      const parsed = parseServerAddress(text);
      expect(parsed && formatServerAddress(parsed)).toBe(text);
    }
  });
});
