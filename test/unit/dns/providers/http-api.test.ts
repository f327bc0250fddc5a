import { describe, expect, it } from 'vitest';
import { collectPages, type Page } from '../../../../src/dns/providers/collect-pages.js';
import { HttpApi, HttpFailure } from '../../../../src/dns/providers/http-api.js';
import { readPresentation } from '../../../../src/dns/providers/presentation.js';
import type { ProviderContext } from '../../../../src/dns/providers/provider.js';

function makeApi(
  answer: (request: Request) => Response | Promise<Response>,
  signal = new AbortController().signal,
) {
  const waits: number[] = [];
  const requests: Request[] = [];
  const context: ProviderContext = {
    credentials: {},
    fetch: async (input, init) => {
      requests.push(new Request(String(input), init));
      return answer(requests.at(-1) as Request);
    },
    signal,
    log: () => undefined,
    wait: async (milliseconds) => void waits.push(milliseconds),
  };
  const api = new HttpApi(context, {
    title: 'Test',
    baseUrl: 'https://api.example.test/v1',
    headers: { authorization: 'Bearer secret' },
    tokenFix: ['Make a token.'],
    describe: (body) => JSON.stringify(body),
  });
  return { api, context, waits, requests };
}
const json = (status: number, body: unknown = {}, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify(body), { status, headers });

describe('the HTTP side of providers', () => {
  it('repeats a read as long as it fails in passing, and honours Retry-After', async () => {
    const answers = [json(503), json(429, {}, { 'retry-after': '9' }), json(200, { a: 1 })];
    const { api, waits } = makeApi(() => answers.shift() as Response);
    expect(await api.read('look', '/x')).toEqual({ a: 1 });
    expect(waits).toEqual([500, 9000]);
  });

  it('honours a Retry-After that is a date', async () => {
    const later = new Date(Date.now() + 86_400_000).toUTCString();
    const answers = [json(429, {}, { 'retry-after': later }), json(200, { a: 1 })];
    const { api, waits } = makeApi(() => answers.shift() as Response);
    await api.read('look', '/x');
    // A day; no wait is longer than five minutes.
    expect(waits).toEqual([300_000]);
  });

  it.each([
    [401, 'E_DNS_TOKEN', 2],
    [403, 'E_DNS_TOKEN', 2],
    [429, 'E_DNS_RATE_LIMIT', 1],
    [500, 'E_DNS_UNREACHABLE', 1],
    [418, 'E_DNS_API', 1],
  ])('says what HTTP %i means', async (status, code, exit) => {
    const { api } = makeApi(() => json(status, { why: 'teapot' }));
    await expect(api.read('look', '/x')).rejects.toMatchObject({
      code,
      exit,
      evidence: [`HTTP ${status}: {"why":"teapot"}`],
    });
  });

  it('knows a 404 from a failure where it is an answer', async () => {
    const { api } = makeApi(() => json(404));
    expect(await api.read('look', '/x', true)).toBeUndefined();
    await expect(api.read('look', '/x')).rejects.toMatchObject({ code: 'E_DNS_API' });
  });

  it('takes a page of HTML for no answer', async () => {
    const { api } = makeApi(() => new Response('<html>', { status: 200 }));
    await expect(api.read('look', '/x')).rejects.toMatchObject({ code: 'E_DNS_UNREACHABLE' });
  });

  it('never repeats a write by itself', async () => {
    const { api, requests } = makeApi(() => json(503));
    await expect(api.send('POST', '/x', { a: 1 })).rejects.toBeInstanceOf(HttpFailure);
    expect(requests).toHaveLength(1);
    expect(requests[0]?.headers.get('content-type')).toBe('application/json');
  });

  it('strips control characters from what an API says', async () => {
    const { api } = makeApi(() => json(400, 'a\u001b[31mb'));
    const error = await api.send('GET', '/x').catch((caught: unknown) => caught);
    expect((error as Error).message).not.toContain('\u001b');
  });

  it('ends as cancelled when the user stops it', async () => {
    const controller = new AbortController();
    const { api } = makeApi(() => {
      controller.abort();
      throw new DOMException('aborted', 'AbortError');
    }, controller.signal);
    await expect(api.read('look', '/x')).rejects.toMatchObject({ code: 'E_CANCELLED', exit: 130 });
  });
});

describe('collecting pages', () => {
  const { context } = makeApi(() => json(200));
  const collect = (pages: (page: number, call: number) => Page) => {
    let call = 0;
    return collectPages(context, 'example.test', async (page) => pages(page, ++call), String);
  };

  it('reads until all that was announced is there', async () => {
    const pages = [['a', 'b'], ['c']];
    expect(await collect((page) => ({ items: pages[page - 1] ?? [], total: 3 }))).toEqual(['a', 'b', 'c']);
  });

  it('starts again when the listing changed meanwhile', async () => {
    const answers: Page[] = [
      { items: ['a', 'b'], total: 3 },
      { items: [], total: 2 },
      { items: ['a', 'c'], total: 2 },
    ];
    expect(await collect((_page, call) => answers[call - 1] as Page)).toEqual(['a', 'c']);
  });

  it.each<[string, (page: number) => Page]>([
    ['a page that ends early', (page) => ({ items: page === 1 ? ['a'] : [], total: 2 })],
    ['the same page again and again', () => ({ items: ['a'], total: 2 })],
    ['a total that moves', (page) => ({ items: [page], total: 5 + page })],
  ])('refuses %s instead of returning a part', async (_what, pages) => {
    await expect(collect(pages)).rejects.toMatchObject({ code: 'E_DNS_LIST_INCOMPLETE', exit: 1 });
  });
});

describe('data in zone-file form', () => {
  const read = (type: string, content: string) =>
    readPresentation({ name: 'A.example.test.', ttl: 60, type, content }, 'example.test');

  it('becomes fields, relative names within the zone', () => {
    expect(read('MX', '10 mail')).toEqual({
      name: 'a.example.test',
      ttl: 60,
      data: { type: 'MX', preference: 10, exchange: 'mail.example.test' },
    });
    expect(read('TXT', '"a;b" "c"').data).toEqual({ type: 'TXT', text: 'a;bc' });
  });

  it.each([
    ['MX', 'ten mail'],
    ['TXT', '"open'],
    ['A', '198.51.100.1\nevil A 198.51.100.2'],
  ])('is kept as it stands when it cannot be read: %s %j', (type, content) => {
    expect(read(type, content).data).toMatchObject({ type: 'OTHER', rrtype: type });
  });
});
