import { describe, expect, it } from 'vitest';
import { makeTestApi } from './api-client.js';

const a = (name: string, content = '198.51.100.1', more: object = {}) => ({
  type: 'A',
  name,
  content,
  ttl: 300,
  ...more,
});

describe('records of the Cloudflare emulator', () => {
  it('creates, reads, edits, overwrites and deletes a record, and publishes each state', async () => {
    const { records, served } = makeTestApi();
    const created = await records('POST', '', a('www', '198.51.100.1', { comment: 'mine' }));
    expect(created.status).toBe(200);
    expect(created.body).toMatchObject({
      success: true,
      errors: [],
      result: {
        name: 'www.example.test',
        type: 'A',
        content: '198.51.100.1',
        ttl: 300,
        proxied: false,
        proxiable: true,
        comment: 'mine',
        tags: [],
        meta: {},
      },
    });
    const { id } = created.body.result;
    expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect(served('www.example.test')).toEqual(['300 A 198.51.100.1']);
    const edited = await records('PATCH', `/${id}`, { content: '198.51.100.2' });
    expect(edited.body.result).toMatchObject({ content: '198.51.100.2', ttl: 300, comment: 'mine' });
    const put = await records('PUT', `/${id}`, { type: 'A', name: 'www', content: '198.51.100.3' });
    expect(put.body.result, 'PUT resets what it does not name').toMatchObject({ ttl: 1, comment: null });
    expect(served('www.example.test')).toEqual(['300 A 198.51.100.3']);
    expect((await records('GET', `/${id}`)).body.result.content).toBe('198.51.100.3');
    expect((await records('DELETE', `/${id}`)).body.result).toEqual({ id });
    expect(served('www.example.test')).toEqual([]);
    expect((await records('GET', `/${id}`)).body.errors).toEqual([
      { code: 81044, message: 'Record does not exist.' },
    ]);
  });

  it.each([
    ['a bad address', a('x', '1.2.3'), 9005],
    ['a bad IPv6 address', { ...a('x', '1.2.3.4'), type: 'AAAA' }, 9006],
    ['no content', { type: 'A', name: 'x', ttl: 300 }, 9005],
    ['content of the wrong type', a('x', 5 as unknown as string), 9005],
    ['a host name with blanks', { type: 'CNAME', name: 'x', content: 'not a host', ttl: 300 }, 9007],
    [
      'an address where a host name belongs',
      { type: 'MX', name: 'x', content: '1.2.3.4', priority: 1 },
      9007,
    ],
    ['inconsistent quotes', { type: 'TXT', name: 'x', content: '"these" ones"', ttl: 300 }, 9005],
    ['2049 bytes of text', { type: 'TXT', name: 'x', content: 'x'.repeat(2049), ttl: 300 }, 9005],
  ])('refuses %s with its own code', async (_, body, code) => {
    const answer = await makeTestApi().records('POST', '', body);
    expect(answer.status).toBe(400);
    expect(answer.body.success).toBe(false);
    expect(answer.body.result).toBeNull();
    expect(answer.body.errors[0].code).toBe(code);
  });

  it.each([
    ['no name', { type: 'A', content: '198.51.100.1' }, 9000],
    ['a name with blanks', a('a b'), 9000],
    ['a label of 64 letters', a('x'.repeat(64)), 9000],
    ['no type', { name: 'x', content: 'y' }, 9003],
    ['an unknown type', { ...a('x'), type: 'SPF' }, 9003],
    ['a TTL of 59', a('x', '198.51.100.1', { ttl: 59 }), 9021],
    ['a TTL of 86401', a('x', '198.51.100.1', { ttl: 86401 }), 9021],
    ['a TTL as text', a('x', '198.51.100.1', { ttl: '300' }), 9021],
    ['a proxied TXT', { type: 'TXT', name: 'x', content: 'y', proxied: true }, 9004],
    ['an MX without priority', { type: 'MX', name: 'x', content: 'mail.example.test' }, 9008],
    ['an SRV without data', { type: 'SRV', name: 'x' }, 9101],
    [
      'a TLSA with half a byte',
      { type: 'TLSA', name: 'x', data: { usage: 3, selector: 1, matching_type: 1, certificate: 'abc' } },
      9101,
    ],
    ['a comment of 101 characters', a('x', '198.51.100.1', { comment: 'c'.repeat(101) }), 9300],
    ['tags on a free plan', a('x', '198.51.100.1', { tags: ['a:b'] }), 9302],
    ['a misspelt field', a('x', '198.51.100.1', { tll: 5 }), 9999],
  ])('refuses %s in a validation envelope', async (_, body, code) => {
    const answer = await makeTestApi().records('POST', '', body);
    expect(answer.status).toBe(400);
    expect(answer.body.errors).toMatchObject([{ code: 1004, error_chain: [{ code }] }]);
  });

  it('refuses TXT records of one name that are too long together', async () => {
    const { records } = makeTestApi();
    const add = (n: number) =>
      records('POST', '', { type: 'TXT', name: '@', content: `${n}`.repeat(2000), ttl: 300 });
    for (const n of [1, 2, 3, 4]) expect((await add(n)).status).toBe(200);
    expect((await add(5)).body.errors[0].code).toBe(9005);
  });

  it('takes a comment of 100 characters', async () => {
    const answer = await makeTestApi().records(
      'POST',
      '',
      a('x', '198.51.100.1', { comment: 'ü'.repeat(100) }),
    );
    expect(answer.status).toBe(200);
  });

  it('quotes and splits TXT content, and returns it so', async () => {
    const { records, served } = makeTestApi();
    const long = await records('POST', '', { type: 'TXT', name: '@', content: 'k'.repeat(300), ttl: 300 });
    expect(long.body.result.content).toBe(`"${'k'.repeat(255)}" "${'k'.repeat(45)}"`);
    const odd = await records('POST', '', {
      type: 'TXT',
      name: '@',
      content: '"a\\"b\\\\c;\\228"',
      ttl: 300,
    });
    expect(odd.body.result.content).toBe('"a\\"b\\\\c;\\228"');
    expect(served('example.test')).toContain('300 TXT "a\\"b\\\\c;\\228"');
  });

  it('stores structured records with data, content and priority', async () => {
    const { records, served } = makeTestApi();
    const srv = {
      type: 'SRV',
      name: '_imaps._tcp',
      data: { priority: 0, weight: 1, port: 993, target: 'mail.example.test' },
    };
    expect((await records('POST', '', srv)).body.result).toMatchObject({
      content: '1 993 mail.example.test',
      priority: 0,
    });
    const caa = { type: 'CAA', name: '@', data: { flags: 0, tag: 'issue', value: 'letsencrypt.org' } };
    expect((await records('POST', '', caa)).body.result.content).toBe('0 issue "letsencrypt.org"');
    const none = { type: 'MX', name: 'none', content: '.', priority: 0 };
    expect((await records('POST', '', none)).body.result.content).toBe('.');
    expect(served('none.example.test')).toEqual(['300 MX 0 .']);
    expect(served('_imaps._tcp.example.test')).toEqual(['300 SRV 0 1 993 mail.example.test.']);
    expect(served('example.test')).toEqual(['300 CAA 0 issue "letsencrypt.org"']);
  });

  it('writes addresses and names in canonical form', async () => {
    const { records } = makeTestApi();
    const aaaa = { type: 'AAAA', name: 'Mail.EXAMPLE.test.', content: '2001:DB8:0:0::1', ttl: 300 };
    expect((await records('POST', '', aaaa)).body.result).toMatchObject({
      name: 'mail.example.test',
      content: '2001:db8::1',
    });
    const idn = await records('POST', '', a('grüße'));
    expect(idn.body.result.name).toBe('xn--gre-6ka8l.example.test');
  });

  it('refuses an identical record, whatever its TTL', async () => {
    const { records } = makeTestApi();
    await records('POST', '', a('x'));
    const again = await records('POST', '', a('x', '198.51.100.1', { ttl: 600 }));
    expect(again.status).toBe(400);
    expect(again.body.errors).toEqual([{ code: 81058, message: 'An identical record already exists.' }]);
    expect((await records('POST', '', a('x', '198.51.100.2'))).status).toBe(200);
  });

  it('refuses a CNAME beside addresses, and an address beside a CNAME, but not a TXT', async () => {
    const { records } = makeTestApi();
    const cname = (name: string) => ({ type: 'CNAME', name, content: 'elsewhere.test', ttl: 300 });
    await records('POST', '', a('x'));
    expect((await records('POST', '', cname('x'))).body.errors[0].code).toBe(81053);
    await records('POST', '', cname('y'));
    expect((await records('POST', '', a('y'))).body.errors[0].code).toBe(81054);
    expect((await records('POST', '', { type: 'TXT', name: 'y', content: 't', ttl: 300 })).status).toBe(200);
  });

  it('answers for a proxied name with the address of the proxy, and its TTL is automatic', async () => {
    const { records, served } = makeTestApi({ proxyAddresses: ['198.51.100.250', '2001:db8::250'] });
    const proxied = await records('POST', '', a('www', '198.51.100.1', { proxied: true, ttl: 7200 }));
    expect(proxied.body.result).toMatchObject({ content: '198.51.100.1', ttl: 1, proxied: true });
    expect(served('www.example.test')).toEqual(['300 A 198.51.100.250', '300 AAAA 2001:db8::250']);
    await records('PATCH', `/${proxied.body.result.id}`, { proxied: false });
    expect(served('www.example.test')).toEqual(['300 A 198.51.100.1']);
  });

  it('keeps its hands off records that Cloudflare manages', async () => {
    const { emulator, records } = makeTestApi();
    const { id } = await emulator.seed(
      'example.test',
      { type: 'TXT', name: 'x', content: 'k' },
      { read_only: true },
    );
    expect((await records('GET', `/${id}`)).body.result.meta).toEqual({ read_only: true });
    for (const [method, body] of [['DELETE'], ['PATCH', { content: 'y' }]] as const) {
      expect((await records(method, `/${id}`, body)).status).toBe(400);
    }
    expect(emulator.records('example.test')).toHaveLength(1);
  });

  it('gives members of an RRset one TTL', async () => {
    const { records, served } = makeTestApi();
    await records('POST', '', a('x', '198.51.100.1', { ttl: 600 }));
    await records('POST', '', a('x', '198.51.100.2', { ttl: 120 }));
    expect(served('x.example.test')).toEqual(['120 A 198.51.100.1', '120 A 198.51.100.2']);
  });

  it('stops at the quota of the zone', async () => {
    const { emulator, send } = makeTestApi();
    emulator.addZone({ name: 'small.test', id: 'f'.repeat(32), quota: 1 });
    const post = (name: string) => send('POST', `/zones/${'f'.repeat(32)}/dns_records`, a(name));
    expect((await post('a')).status).toBe(200);
    expect((await post('b')).body.errors[0].code).toBe(81045);
  });
});
