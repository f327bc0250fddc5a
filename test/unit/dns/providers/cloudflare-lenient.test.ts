import { expect, it } from 'vitest';
import { cloudflare } from '../../../../src/dns/providers/cloudflare.js';
import type { DnsRecord } from '../../../../src/dns/record.js';
import { token } from './open-provider.js';

/** Answers that the API, or what stands between, may give and that our own emulator never does. */
interface Answer {
  status?: number;
  type?: string;
  body: unknown;
}

const zone = { id: 'z1', name: 'example.test', nameServers: [], state: 'active' as const };
const records = Array.from({ length: 120 }, (_, index) => ({
  id: `r${index}`,
  name: `N${index}.example.test.`,
  type: index === 7 ? 'MX' : 'TXT',
  content: index === 7 ? 'mx.example.test' : index % 2 === 0 ? 'plain text' : '"plain text"',
  ...(index === 7 ? { priority: 10 } : {}),
  ttl: 1,
  comment: null,
  tags: [],
  proxiable: false,
  created_on: '2026-11-30T00:00:00Z',
  settings: {},
  meta: {},
  novelty: { nested: [1] },
}));
const fine = (result: unknown, more = {}) => ({ success: true, errors: [], messages: [], result, ...more });

async function open(answer: (url: URL, method: string) => Answer) {
  const asked: string[] = [];
  const provider = await cloudflare.open({
    credentials: { token },
    fetch: async (input, init) => {
      const url = new URL(String(input));
      const method = init?.method ?? 'GET';
      asked.push(`${method} ${url.pathname}${url.search}`);
      const { status = 200, type = 'application/json', body } = answer(url, method);
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      return new Response(text === '' ? null : text, { status, headers: { 'content-type': type } });
    },
    signal: new AbortController().signal,
    log: () => undefined,
    wait: async () => undefined,
    baseUrl: 'https://api.test/client/v4/',
  });
  return { provider, asked };
}

const pageOf = (url: URL, size: number) => {
  const page = Number(url.searchParams.get('page') ?? 1);
  return { page, result: records.slice((page - 1) * size, page * size) };
};

it.each([
  [
    'caps the page at 50 and counts pages only',
    (url: URL) => {
      const { page, result } = pageOf(url, 50);
      return fine(result, { result_info: { page, per_page: 50, count: result.length, total_pages: 3 } });
    },
  ],
  ['caps the page at 50 and says nothing of it', (url: URL) => fine(pageOf(url, 50).result)],
  ['gives everything on every page', () => fine(records)],
  [
    'counts the records of each page, and pages',
    (url: URL) => {
      const { page, result } = pageOf(url, 100);
      return fine(result, { result_info: { page, total_count: result.length, total_pages: 2 } });
    },
  ],
  ['counts them all', (url: URL) => fine(pageOf(url, 50).result, { result_info: { total_count: 120 } })],
])('reads a whole zone from an API that %s', async (_, answer) => {
  const { provider, asked } = await open((url) => ({ body: answer(url) }));
  const listed = await provider.list(zone);
  expect(listed).toHaveLength(120);
  expect(listed[7]?.data).toEqual({ type: 'MX', preference: 10, exchange: 'mx.example.test' });
  expect(listed[3]).toMatchObject({ name: 'n3.example.test', ttl: 300, data: { text: 'plain text' } });
  expect(asked.length).toBeLessThanOrEqual(4);
});

it.each<[string, Answer]>([
  [
    'a failure under 200',
    { body: { success: false, errors: [{ code: 9999, message: 'no' }], result: null } },
  ],
  ['the page of a proxy', { type: 'text/html', body: '<html>Please\u001b[31m log in</html>' }],
  ['an empty answer', { body: '' }],
  ['another API', { body: { items: [] } }],
])('never takes %s for an empty zone, or for a record that was written', async (_, answer) => {
  const reading = await open(() => answer);
  await expect(reading.provider.list(zone)).rejects.toMatchObject({ code: 'E_DNS_API', exit: 1 });
  await expect(reading.provider.findZone('example.test')).rejects.toMatchObject({ code: 'E_DNS_API' });
  await expect(reading.provider.verify()).rejects.toMatchObject({ code: 'E_DNS_API' });
  const writing = await open((_url, method) => (method === 'GET' ? { body: fine([]) } : answer));
  const after: DnsRecord = { name: 'a.example.test', ttl: 300, data: { type: 'TXT', text: 'x' } };
  const [applied] = await writing.provider
    .apply(zone, [{ op: 'create', after }])
    .catch((error: unknown) => [error]);
  expect(applied).not.toMatchObject({ ok: true });
});

it('shows what the API says in messages when it names no errors', async () => {
  const body = {
    success: false,
    errors: [],
    messages: [{ code: 7003, message: 'maintenance' }],
    result: null,
  };
  const { provider } = await open(() => ({ status: 400, body }));
  await expect(provider.list(zone)).rejects.toMatchObject({ evidence: ['HTTP 400: 7003 maintenance'] });
});

it('takes an id for what it is, whatever its type', async () => {
  const numbered = records.slice(0, 2).map((record, index) => ({ ...record, id: 700 + index }));
  const { provider, asked } = await open((url, method) => {
    if (method !== 'GET') return { body: fine({ ...numbered[0], content: 'new' }) };
    return { body: fine(url.pathname.endsWith('/zones') ? [{ ...zone, id: 42 }] : numbered) };
  });
  const found = await provider.findZone('example.test');
  expect(found?.id).toBe('42');
  if (found === null) return;
  const [before] = await provider.list(found);
  if (before === undefined) throw new Error('no record');
  const after: DnsRecord = { ...before, data: { type: 'TXT', text: 'new' } };
  expect(await provider.apply(found, [{ op: 'update', before, after }])).toMatchObject([{ ok: true }]);
  expect(asked).toContain('PATCH /client/v4/zones/42/dns_records/700');
});

it('asks for no top-level domain', async () => {
  const { provider, asked } = await open(() => ({ body: fine([]) }));
  expect(await provider.findZone('mail.example.test')).toBeNull();
  expect(asked.map((line) => line.replace(/^.*name=/, ''))).toEqual(['mail.example.test', 'example.test']);
});

it.each([1000, 9103, 9106, 9109, 10_000])('knows by code %i that it is the token', async (code) => {
  const body = { success: false, errors: [{ code, message: 'no' }], messages: [], result: null };
  for (const status of [200, 400, 404]) {
    const { provider } = await open(() => ({ status, body }));
    await expect(provider.list(zone)).rejects.toMatchObject({ code: 'E_DNS_TOKEN', exit: 2 });
  }
  const { provider } = await open(() => ({ status: 403, body: { ...body, errors: [] } }));
  await expect(provider.list(zone)).rejects.toMatchObject({ code: 'E_DNS_TOKEN', exit: 2 });
});

it('reads what is written in another way', async () => {
  const odd = [
    { id: 'a', name: 'example.test', type: 'mx', content: 'mx.example.test', priority: '10', ttl: '300' },
    { id: 'b', name: 'example.test', type: 'txt', content: 'v=spf1 -all' },
    {
      id: 'c',
      name: '_25._tcp.mx.example.test',
      type: 'TLSA',
      data: { usage: '3', selector: '1', matching_type: '1', certificate: 'ab' },
      ttl: null,
    },
  ];
  const { provider } = await open(() => ({ body: fine(odd) }));
  const [mx, spf, tlsa] = await provider.list(zone);
  expect(mx).toMatchObject({ ttl: 300, data: { type: 'MX', preference: 10 } });
  // What has no TTL has the automatic one.
  expect(spf).toMatchObject({ ttl: 300, autoTtl: true, data: { type: 'TXT', text: 'v=spf1 -all' } });
  expect(tlsa?.data).toEqual({ type: 'TLSA', usage: 3, selector: 1, matchingType: 1, data: 'ab' });
});

it('reads no zone in which a name is not one of the zone', async () => {
  const relative = { ...records[0], name: 'www' };
  const { provider } = await open(() => ({ body: fine([relative]) }));
  await expect(provider.list(zone)).rejects.toMatchObject({ code: 'E_DNS_API', evidence: ['www'] });
});

it.each([
  ['a limit', { status: 429, body: { success: false, errors: [], result: null } }],
  ['a server error', { status: 500, body: 'oops' }],
  ['a method that there is not', { status: 405, body: '' }],
  ['nothing', { body: fine(null) }],
  ['something else', { body: { success: true } }],
])('proves a token by the zones that it reaches, although its verification answers %s', async (_, answer) => {
  const { provider } = await open((url) =>
    url.pathname.endsWith('/verify') ? answer : { body: fine([{ ...zone, status: 'Active' }]) },
  );
  expect((await provider.verify()).detail).toBe('reaches 1 zone');
  expect((await provider.findZone('example.test'))?.state).toBe('active');
});

it.each([
  ['nothing', { status: 204, body: '' }],
  ['an empty text', { body: '' }],
  ['success alone', { body: { success: true } }],
])('believes a deletion that answers %s', async (_, answer) => {
  const { provider } = await open((url, method) => {
    if (url.pathname.endsWith('/batch')) return { status: 501, body: 'Unsupported method' };
    return method === 'DELETE' ? answer : { body: fine(records) };
  });
  const [before] = await provider.list(zone);
  if (before === undefined) throw new Error('no record');
  expect(await provider.apply(zone, [{ op: 'delete', before }])).toMatchObject([{ ok: true }]);
});

it('writes one by one where batches are not implemented', async () => {
  const { provider, asked } = await open((url, method) => {
    if (url.pathname.endsWith('/batch')) return { status: 501, body: 'Unsupported method' };
    return { body: fine(method === 'POST' ? records[0] : []) };
  });
  const after: DnsRecord = { name: 'n0.example.test', ttl: 300, data: { type: 'TXT', text: 'plain text' } };
  const other: DnsRecord = { ...after, data: { type: 'TXT', text: 'other' } };
  const changes = [after, other].map((record) => ({ op: 'create' as const, after: record }));
  await provider.apply(zone, changes);
  expect(asked.filter((line) => line.endsWith('/batch'))).toHaveLength(1);
  expect(asked.filter((line) => line === 'POST /client/v4/zones/z1/dns_records')).toHaveLength(2);
});

it('asks to look at the base URL where nothing of the API is found', async () => {
  const { provider } = await open(() => ({ status: 404, body: 'not found' }));
  await expect(provider.list(zone)).rejects.toMatchObject({
    code: 'E_DNS_API',
    fix: [expect.stringContaining('/client/v4'), expect.stringContaining('Run the command again')],
  });
});
