import { describe, expect, it } from 'vitest';
import { powerdns } from '../../../../src/dns/providers/powerdns.js';

/** What the provider asks for when its credentials are tried out. */
async function requestOf(credentials: Record<string, string>) {
  const requests: { url: string; key: string | null }[] = [];
  const log: string[] = [];
  const provider = await powerdns.open({
    credentials: { key: 'a-key', ...credentials },
    fetch: async (input, init) => {
      requests.push({ url: String(input), key: new Headers(init?.headers).get('x-api-key') });
      return Response.json({ daemon_type: 'authoritative', version: '4.9.0' });
    },
    signal: new AbortController().signal,
    log: (line) => log.push(line),
    wait: async () => undefined,
  });
  const verified = await provider.verify();
  return { requests, log, verified };
}

describe('PowerDNS', () => {
  it.each([
    ['https://ns1.example.test:8081', 'https://ns1.example.test:8081/api/v1/servers/localhost'],
    ['https://ns1.example.test:8081/', 'https://ns1.example.test:8081/api/v1/servers/localhost'],
    ['https://ns1.example.test/api/v1/servers', 'https://ns1.example.test/api/v1/servers/localhost'],
    ['https://ns1.example.test/pdns/api/v1', 'https://ns1.example.test/pdns/api/v1/servers/localhost'],
  ])('takes %s as the address', async (url, asked) => {
    const { requests, verified } = await requestOf({ url });
    expect(requests).toEqual([{ url: asked, key: 'a-key' }]);
    expect(verified.detail).toBe('PowerDNS authoritative 4.9.0');
  });

  it('asks for another server where a proxy stands in front of several', async () => {
    const { requests } = await requestOf({ url: 'https://dns.example.test', server: 'ns2/..' });
    expect(requests[0]?.url).toBe('https://dns.example.test/api/v1/servers/ns2%2F..');
  });

  it('says when the key goes over the network in the open', async () => {
    expect((await requestOf({ url: 'http://ns1.example.test:8081' })).log.join('\n')).toContain(
      'without encryption',
    );
    expect((await requestOf({ url: 'http://127.0.0.1:8081' })).log.join('\n')).not.toContain(
      'without encryption',
    );
  });

  it.each(['ns1.example.test', 'ftp://ns1.example.test', 'https://user:pass@ns1.example.test'])(
    'refuses %s as the address, and shows no password of it',
    async (url) => {
      const refused = requestOf({ url });
      await expect(refused).rejects.toMatchObject({ code: 'E_DNS_ENDPOINT', exit: 2 });
      await expect(refused.catch((error: unknown) => JSON.stringify(error))).resolves.not.toContain('pass@');
    },
  );
});
