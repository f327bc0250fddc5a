import { afterEach, describe, expect, it } from 'vitest';
import { readRecord } from '../../../../src/dns/providers/cloudflare/record-codec.js';
import { cloudflare } from '../../../../src/dns/providers/cloudflare.js';
import type { Change, Zone } from '../../../../src/dns/providers/provider.js';
import type { DnsRecord, LiveRecord, RecordData } from '../../../../src/dns/record.js';
import { openOverEmulator, token } from './open-provider.js';

const txt = (name: string, text: string): DnsRecord => ({ name, ttl: 300, data: { type: 'TXT', text } });
const zoneOf = async (opened: Awaited<ReturnType<typeof openOverEmulator>>): Promise<Zone> => {
  const zone = await opened.provider.findZone('example.test');
  if (!zone) throw new Error('no zone');
  return zone;
};

describe('opening Cloudflare', () => {
  const saved = { ...process.env };
  afterEach(() => {
    process.env = { ...saved };
  });

  it('sends the token and nothing else that the environment holds', async () => {
    process.env.CLOUDFLARE_API_TOKEN = 'token-of-the-environment-0123456789abc';
    process.env.CLOUDFLARE_API_KEY = 'a'.repeat(37);
    process.env.CLOUDFLARE_EMAIL = 'someone@example.test';
    process.env.CLOUDFLARE_API_USER_SERVICE_KEY = 'v1.0-service';
    process.env.CLOUDFLARE_BASE_URL = 'http://127.0.0.1:1/evil';
    process.env.CLOUDFLARE_CUSTOM_HEADERS = 'X-Evil: 1\nAuthorization: Bearer stolen';
    const opened = await openOverEmulator();
    await opened.provider.verify();
    await opened.provider.list(await zoneOf(opened));
    expect(opened.requests.length).toBeGreaterThan(2);
    for (const { url, headers } of opened.requests) {
      expect(url).toMatch(/^https:\/\/api\.cloudflare\.com\/client\/v4\//);
      expect(headers.authorization).toBe(`Bearer ${token}`);
      const names = Object.keys(headers).filter((name) => name !== 'content-type');
      expect(names.sort()).toEqual(['accept', 'api-version', 'authorization', 'user-agent']);
    }
  });

  it('says when it talks to another endpoint', async () => {
    const { log } = await openOverEmulator({ context: { baseUrl: 'https://proxy.example.test/client/v4' } });
    expect(log).toEqual(['Cloudflare API endpoint: https://proxy.example.test/client/v4']);
  });

  it.each(['', 'with blanks in it 0123456789 0123456789', 'x'.repeat(40).concat('\n'), '“quoted”'])(
    'refuses %j as a token before any request',
    async (value) => {
      const opened = openOverEmulator({ context: { credentials: { token: value } } });
      await expect(opened).rejects.toMatchObject({ code: 'E_DNS_TOKEN', exit: 2 });
    },
  );
});

describe('verifying a Cloudflare token', () => {
  it('tells how far it reaches', async () => {
    const { provider } = await openOverEmulator();
    expect((await provider.verify()).detail).toBe('active, reaches 1 zone');
  });

  it('believes a token of an account, which the verify call does not know', async () => {
    const { emulator, provider } = await openOverEmulator();
    emulator.addToken({ value: token, access: 'edit', zones: 'all', accountOwned: true });
    expect((await provider.verify()).detail).toBe('token of an account, reaches 1 zone');
  });

  it('refuses a token that reaches no zone', async () => {
    const { emulator, provider } = await openOverEmulator();
    emulator.addToken({ value: token, access: 'edit', zones: [] });
    await expect(provider.verify()).rejects.toMatchObject({ code: 'E_DNS_NO_ZONES', exit: 2 });
  });

  it('names the API error of a refused token, and what to do', async () => {
    const { emulator, provider } = await openOverEmulator();
    emulator.tokens.expire(token);
    await expect(provider.verify()).rejects.toMatchObject({
      code: 'E_DNS_TOKEN',
      exit: 2,
      evidence: ['HTTP 403: 9109 Invalid access token'],
      fix: [expect.stringContaining('https://dash.cloudflare.com/profile/api-tokens'), expect.any(String)],
    });
  });

  it('lets no control character of an API error through', async () => {
    const { emulator, provider } = await openOverEmulator();
    emulator.addFault({ answer: 403, code: 9109, message: 'Bad \u001b[31mtoken\u202e\r\nX-Evil: 1\u0007' });
    const error = await provider.verify().catch((caught: unknown) => caught as { evidence: string[] });
    expect((error as { evidence: string[] }).evidence).toEqual(['HTTP 403: 9109 Bad token X-Evil: 1']);
  });
});

describe('finding a zone at Cloudflare', () => {
  it('takes the longest suffix, also of a delegated sub-zone', async () => {
    const { emulator, provider } = await openOverEmulator();
    emulator.addZone({
      name: 'sub.example.test',
      nameServers: ['a.ns.cloudflare.test', 'B.NS.cloudflare.test.'],
    });
    expect(await provider.findZone('mail.sub.example.test')).toMatchObject({
      name: 'sub.example.test',
      nameServers: ['a.ns.cloudflare.test', 'b.ns.cloudflare.test'],
    });
    expect((await provider.findZone('mail.example.test'))?.name).toBe('example.test');
    expect((await provider.findZone('Mail.Example.TEST.'))?.name).toBe('example.test');
    expect(await provider.findZone('mail.notexample.test')).toBeNull();
  });

  it.each([
    [{ status: 'pending' }, 'pending', /pending/],
    [{ status: 'initializing' }, 'pending', /pending/],
    [{ status: 'moved' }, 'unknown', /moved/],
    [{ type: 'partial' }, 'unknown', /partial/],
    [{ type: 'secondary' }, 'unknown', /secondary/],
    [{ paused: true }, 'active', /paused/],
    [{}, 'active', undefined],
  ] as const)('explains %j', async (settings, state, note) => {
    const { emulator, provider } = await openOverEmulator();
    emulator.addZone({ name: 'other.test', ...settings });
    const zone = await provider.findZone('other.test');
    expect(zone?.state).toBe(state);
    if (note) expect(zone?.note).toMatch(note);
    else expect(zone?.note).toBeUndefined();
  });

  it.each([
    [undefined, undefined],
    [null, undefined],
    [[], undefined],
    [
      ['NS1.own.test.', 'ns2.own.test'],
      ['ns1.own.test', 'ns2.own.test'],
    ],
  ])("knows the name servers of one's own: %j", async (vanityNameServers, expected) => {
    const { emulator, provider } = await openOverEmulator();
    emulator.addZone({
      name: 'other.test',
      ...(vanityNameServers === undefined ? {} : { vanityNameServers }),
    });
    const zone = await provider.findZone('other.test');
    expect(zone?.customNameServers).toEqual(expected);
    expect(zone?.nameServers).toEqual(['ada.ns.cloudflare.com', 'bob.ns.cloudflare.com']);
  });

  it('prefers the active one of two zones of the same name', async () => {
    const { emulator, provider } = await openOverEmulator();
    emulator.addZone({ name: 'twice.test', status: 'moved' });
    const active = emulator.addZone({ name: 'twice.test' });
    expect((await provider.findZone('twice.test'))?.id).toBe(active.id);
  });
});

describe('records at Cloudflare', () => {
  it('reads an automatic TTL as the 300 seconds it means, and knows what is proxied', async () => {
    const opened = await openOverEmulator();
    await opened.emulator.seed('example.test', {
      type: 'A',
      name: 'www',
      content: '198.51.100.1',
      proxied: true,
    });
    expect(await opened.provider.list(await zoneOf(opened))).toMatchObject([
      { name: 'www.example.test', ttl: 300, proxied: true, data: { type: 'A', address: '198.51.100.1' } },
    ]);
  });

  it.each([
    [
      { type: 'SRV', content: '1 993 mail.example.test', priority: 5 },
      { type: 'SRV', priority: 5, weight: 1, port: 993, target: 'mail.example.test' },
    ],
    [
      { type: 'CAA', content: '0 issue "letsencrypt.org"' },
      { type: 'CAA', flags: 0, tag: 'issue', value: 'letsencrypt.org' },
    ],
    [
      { type: 'TLSA', content: '3 1 1 ABCD' },
      { type: 'TLSA', usage: 3, selector: 1, matchingType: 1, data: 'abcd' },
    ],
  ])('reads %j without its fields apart', (answer, data) => {
    expect(readRecord({ id: 'x', name: '_a.example.test', ttl: 1, ...answer })?.data).toEqual(data);
  });

  it('reads types that it does not write as they stand', async () => {
    const opened = await openOverEmulator();
    await opened.emulator.seed('example.test', { type: 'SSHFP', name: 'x', content: '4 2 AB' });
    const [record] = await opened.provider.list(await zoneOf(opened));
    expect(record?.data).toEqual({ type: 'OTHER', rrtype: 'SSHFP', text: '4 2 AB' });
    expect(opened.provider.audit(record as DnsRecord)).toHaveLength(1);
  });

  it('never proxies an address it writes, and takes the proxy away when told to update one', async () => {
    const opened = await openOverEmulator();
    const zone = await zoneOf(opened);
    await opened.emulator.seed('example.test', {
      type: 'A',
      name: 'mail',
      content: '198.51.100.1',
      proxied: true,
    });
    const [before] = await opened.provider.list(zone);
    if (!before) throw new Error('no record');
    const after: DnsRecord = { name: before.name, ttl: before.ttl, data: before.data };
    const applied = await opened.provider.apply(zone, [{ op: 'update', before, after }]);
    expect(applied).toMatchObject([{ ok: true }]);
    expect(opened.emulator.records('example.test')).toMatchObject([
      { proxied: false, content: '198.51.100.1' },
    ]);
  });

  it('keeps an automatic TTL in an update, and gives proxy and TTL back as they were when told to', async () => {
    const opened = await openOverEmulator();
    const { emulator, provider } = opened;
    const zone = await zoneOf(opened);
    await emulator.seed('example.test', { type: 'TXT', name: 'x', content: '"old"', ttl: 1 });
    await emulator.seed('example.test', { type: 'A', name: 'y', content: '198.51.100.1', proxied: true });
    const stored = () =>
      emulator.records('example.test').map(({ content, ttl, proxied }) => ({ content, ttl, proxied }));
    const first = stored();
    const before = await provider.list(zone);
    const data: RecordData[] = [
      { type: 'TXT', text: 'new' },
      { type: 'A', address: '198.51.100.2' },
    ];
    const changes = before.map((record): Change => {
      const after = data.find(({ type }) => type === record.data.type) as RecordData;
      return { op: 'update', before: record, after: { name: record.name, ttl: record.ttl, data: after } };
    });
    expect(await provider.apply(zone, changes)).toMatchObject([{ ok: true }, { ok: true }]);
    expect(stored()).toEqual([
      { content: '"new"', ttl: 1, proxied: false },
      { content: '198.51.100.2', ttl: 1, proxied: false },
    ]);
    const now = await provider.list(zone);
    const back = now.map((record, index): Change => {
      const { name, ttl, data: value, proxied, autoTtl } = before[index] as LiveRecord;
      const after = { name, ttl, data: value, ...(proxied && { proxied }), ...(autoTtl && { autoTtl }) };
      return { op: 'update', before: record, after };
    });
    expect(await provider.apply(zone, back)).toMatchObject([{ ok: true }, { ok: true }]);
    expect(stored()).toEqual(first);
  });

  it('lists a zone whole, however short the pages are and whatever they say of the others', async () => {
    const { emulator } = await openOverEmulator();
    const bodies = Array.from({ length: 250 }, (_, n) => ({ type: 'TXT', name: `n${n}`, content: 'x' }));
    await emulator.zoneNamed('example.test').seedAll(bodies);
    for (const known of [true, false]) {
      const shorten: typeof globalThis.fetch = async (input, init) => {
        const url = new URL(String(input));
        if (url.pathname.endsWith('/dns_records')) url.searchParams.set('per_page', '100');
        const headers = Object.fromEntries(new Headers(init?.headers));
        const request = { method: 'GET', url: url.pathname + url.search, headers, body: Buffer.from('') };
        const answer = await emulator.answer(request);
        if (answer === 'reset') throw new TypeError('fetch failed');
        const { result_info: info, ...rest } = JSON.parse(String(answer.body));
        const body = JSON.stringify(known ? { ...rest, result_info: info } : rest);
        return new Response(body, { status: answer.status, headers: answer.headers });
      };
      const { provider } = await openOverEmulator({ context: { fetch: shorten } });
      const zone = await provider.findZone('example.test');
      expect(await provider.list(zone as Zone)).toHaveLength(250);
    }
  });

  it('fails rather than return a part when pages do not add up', async () => {
    const opened = await openOverEmulator();
    const zone = await zoneOf(opened);
    const store = opened.emulator.zoneNamed('example.test');
    const bodies = Array.from({ length: 1200 }, (_, index) => ({
      type: 'TXT',
      name: `n${index}`,
      content: 'x',
    }));
    const stored = await store.seedAll(bodies);
    const list = store.list.bind(store);
    let calls = 0;
    // Someone deletes a record of the first page before each second page is read.
    store.list = () => list().slice(calls++ % 2);
    await expect(opened.provider.list(zone)).rejects.toMatchObject({ code: 'E_DNS_LIST_INCOMPLETE' });
    store.list = list;
    expect(await opened.provider.list(zone)).toHaveLength(stored.length);
  });

  it('reads again when a zone changed between two pages', async () => {
    const opened = await openOverEmulator();
    const zone = await zoneOf(opened);
    const store = opened.emulator.zoneNamed('example.test');
    await store.seedAll(
      Array.from({ length: 1200 }, (_, index) => ({ type: 'TXT', name: `n${index}`, content: 'x' })),
    );
    const list = store.list.bind(store);
    let calls = 0;
    store.list = () => list().slice(calls++ === 1 ? 1 : 0);
    expect(await opened.provider.list(zone)).toHaveLength(1200);
    expect(opened.log.join()).toContain('reading it again');
  });

  it('writes more than a batch may hold in several', async () => {
    const opened = await openOverEmulator();
    const zone = await zoneOf(opened);
    const changes = Array.from({ length: 450 }, (_, index) => ({
      op: 'create' as const,
      after: txt(`n${index}.example.test`, 'x'),
    }));
    const applied = await opened.provider.apply(zone, changes);
    expect(applied.every((result) => result.ok)).toBe(true);
    expect(opened.emulator.callLog().filter((call) => call.write)).toHaveLength(3);
    expect(opened.emulator.records('example.test')).toHaveLength(450);
  });

  it('replaces an alias by an address in one batch', async () => {
    const opened = await openOverEmulator();
    const zone = await zoneOf(opened);
    await opened.emulator.seed('example.test', { type: 'CNAME', name: 'mail', content: 'elsewhere.test' });
    const [before] = await opened.provider.list(zone);
    if (!before) throw new Error('no record');
    const after: DnsRecord = {
      name: 'mail.example.test',
      ttl: 300,
      data: { type: 'A', address: '198.51.100.1' },
    };
    const applied = await opened.provider.apply(zone, [
      { op: 'create', after },
      { op: 'delete', before },
    ]);
    expect(applied.map((result) => result.ok)).toEqual([true, true]);
    expect(opened.emulator.writeCount()).toBe(1);
  });

  it('takes a record that someone else made meanwhile for its own success', async () => {
    const opened = await openOverEmulator();
    const zone = await zoneOf(opened);
    // A reading that is older than the write of the other one.
    const store = opened.emulator.zoneNamed('example.test');
    const list = store.list.bind(store);
    await opened.emulator.seed('example.test', { type: 'TXT', name: 'x', content: 'y' });
    store.list = () => {
      store.list = list;
      return [];
    };
    const applied = await opened.provider.apply(zone, [{ op: 'create', after: txt('x.example.test', 'y') }]);
    expect(applied).toMatchObject([{ ok: true, record: { name: 'x.example.test' } }]);
    expect(opened.emulator.callLog().filter((call) => call.write)).toMatchObject([{ status: 400 }]);
  });

  it('does not change the type of a record', async () => {
    const opened = await openOverEmulator();
    const zone = await zoneOf(opened);
    await opened.emulator.seed('example.test', { type: 'TXT', name: 'x', content: 'y' });
    const [before] = await opened.provider.list(zone);
    if (!before) throw new Error('no record');
    const after: DnsRecord = { name: before.name, ttl: 300, data: { type: 'A', address: '198.51.100.1' } };
    const applied = await opened.provider.apply(zone, [{ op: 'update', before, after }]);
    expect(applied).toMatchObject([{ ok: false, code: 'E_DNS_AUDIT' }]);
  });

  it('does not go on one by one with a token that may not write', async () => {
    const opened = await openOverEmulator();
    const zone = await zoneOf(opened);
    opened.emulator.addToken({ value: token, access: 'read', zones: 'all' });
    const applied = await opened.provider.apply(zone, [
      { op: 'create', after: txt('a.example.test', 'x') },
      { op: 'create', after: txt('b.example.test', 'x') },
    ]);
    expect(applied).toMatchObject([
      { ok: false, code: 'E_DNS_TOKEN', error: 'HTTP 403: 10000 Authentication error' },
      { ok: false, code: 'E_DNS_TOKEN' },
    ]);
    expect(opened.emulator.writeCount()).toBe(1);
  });

  it('says that it does not know when the zone cannot be read after a lost answer', async () => {
    const opened = await openOverEmulator();
    const zone = await zoneOf(opened);
    opened.emulator.addFault({ method: 'POST', answer: 'reset', when: 'after' });
    opened.emulator.addFault({ method: 'GET', skip: 1, times: 10, answer: 500 });
    const applied = await opened.provider.apply(zone, [{ op: 'create', after: txt('a.example.test', 'x') }]);
    expect(applied).toMatchObject([{ ok: false, code: 'E_DNS_UNREACHABLE' }]);
    expect((applied[0] as { error: string }).error).toMatch(/^not known whether it was written/);
  });

  it('backs off further each time, but not longer than it must', async () => {
    const opened = await openOverEmulator();
    const zone = await zoneOf(opened);
    opened.emulator.addFault({ answer: 503, times: 3 });
    await opened.provider.list(zone);
    expect(opened.waits).toEqual([500, 1000, 2000]);
    opened.waits.length = 0;
    opened.emulator.addFault({ answer: 429, retryAfter: 86_400 });
    await opened.provider.list(zone);
    expect(opened.waits).toEqual([300_000]);
  });

  it('stops at once when cancelled', async () => {
    const controller = new AbortController();
    const opened = await openOverEmulator({
      context: {
        signal: controller.signal,
        wait: async () => {
          controller.abort();
          throw controller.signal.reason;
        },
      },
    });
    const zone = await zoneOf(opened);
    opened.emulator.addFault({ answer: 503, times: 5 });
    await expect(opened.provider.list(zone)).rejects.toMatchObject({ code: 'E_CANCELLED', exit: 130 });
    expect(opened.emulator.faults.remaining()).toBe(4);
  });
});

describe('what Cloudflare would refuse', () => {
  it.each([
    [{ ...txt('x.example.test', 'y'), ttl: 59 }, /TTL/],
    [{ ...txt('x.example.test', 'y'), ttl: 86_401 }, /TTL/],
    [txt('x.example.test', ''), /empty/],
    [txt('x.example.test', 'ü'.repeat(1025)), /2048/],
    [txt('bad name.example.test', 'y'), /name/],
    [{ name: 'x', ttl: 300, data: { type: 'CAA', flags: 0, tag: 'issue', value: 'a"b' } }, /CAA/],
    [{ name: 'x', ttl: 300, data: { type: 'OTHER', rrtype: 'LOC', text: '' } }, /not written/],
  ] as [DnsRecord, RegExp][])('%j', async (record, reason) => {
    const { provider } = await openOverEmulator();
    expect(provider.audit(record)).toEqual([expect.stringMatching(reason)]);
  });

  it('declares limits that its own audit keeps to', () => {
    expect(cloudflare.capabilities.batchMax).toBe(200);
    expect(cloudflare.credentials[0]?.env).toEqual([
      'CLOUDFLARE_API_TOKEN',
      'CLOUDFLARE_DNS_API_TOKEN',
      'CF_DNS_API_TOKEN',
    ]);
  });
});
