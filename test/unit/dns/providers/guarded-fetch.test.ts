import { describe, expect, it } from 'vitest';
import { guardFetch } from '../../../../src/dns/providers/guarded-fetch.js';

const guard = { headers: new Set(['accept']), fixed: { authorization: 'Bearer t' }, maxBytes: 100 };
const answering =
  (response: Response): typeof fetch =>
  async () =>
    response;

describe('guarded fetch', () => {
  it('sends known headers and the fixed ones, and follows no redirect', async () => {
    let seen: RequestInit | undefined;
    const guarded = guardFetch(async (_, init) => {
      seen = init;
      return new Response('ok');
    }, guard);
    await guarded('https://api.example.test/', {
      headers: { Accept: 'a', 'X-Evil': '1', Authorization: 'stolen' },
    });
    expect(Object.fromEntries(seen?.headers as Headers)).toEqual({ accept: 'a', authorization: 'Bearer t' });
    expect(seen?.redirect).toBe('manual');
  });

  it.each([301, 302, 307, 308])(
    'refuses a redirect with %d and shows where to, harmlessly',
    async (status) => {
      const response = new Response(null, { status, headers: { location: 'https://evil.test/\u0085x' } });
      const request = guardFetch(answering(response), guard)('https://api.example.test/');
      await expect(request).rejects.toMatchObject({
        code: 'E_DNS_REDIRECT',
        evidence: [`HTTP ${status} to https://evil.test/x`],
      });
    },
  );

  it('reads up to the limit and not beyond', async () => {
    const read = async (size: number): Promise<number> => {
      const response = await guardFetch(answering(new Response('x'.repeat(size))), guard)('https://a.test/');
      return (await response.text()).length;
    };
    expect(await read(100)).toBe(100);
    await expect(read(101)).rejects.toMatchObject({ code: 'E_DNS_ANSWER_TOO_LONG' });
  });

  it('passes status, headers and empty answers on', async () => {
    const response = new Response('{}', {
      status: 429,
      headers: { 'retry-after': '5', 'content-encoding': 'gzip' },
    });
    const got = await guardFetch(answering(response), guard)('https://a.test/');
    expect([got.status, got.headers.get('retry-after'), got.headers.get('content-encoding')]).toEqual([
      429,
      '5',
      null,
    ]);
    const empty = await guardFetch(answering(new Response(null, { status: 204 })), guard)('https://a.test/');
    expect([empty.status, await empty.text()]).toEqual([204, '']);
  });
});
