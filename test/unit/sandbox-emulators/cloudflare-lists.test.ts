import { describe, expect, it } from 'vitest';
import { makeTestApi, type TestApi, zoneId, zoneName } from './api-client.js';

async function fill({ emulator }: TestApi): Promise<void> {
  await emulator.zoneNamed(zoneName).seedAll([
    { type: 'A', name: 'www', content: '198.51.100.1', proxied: true },
    { type: 'A', name: 'mail', content: '198.51.100.2', ttl: 60, comment: 'smtp-setup/1 abc a' },
    { type: 'TXT', name: '@', content: 'v=spf1 -all', ttl: 3600, comment: 'Ask Bob' },
    { type: 'TXT', name: '_dmarc', content: 'v=DMARC1; p=none', ttl: 3600 },
  ]);
}

describe('lists of the Cloudflare emulator', () => {
  it.each([
    ['name.exact=mail.example.test', ['mail']],
    ['name=MAIL.example.test', ['mail']],
    ['name.startswith=ma', ['mail']],
    ['name.contains=w.ex', ['www']],
    ['name.endswith=.example.test', ['www', 'mail', '_dmarc']],
    ['type=TXT', ['@', '_dmarc']],
    ['content.contains=spf1', ['@']],
    ['content.exact=198.51.100.1', ['www']],
    ['comment.startswith=smtp-setup/', ['mail']],
    ['comment.exact=ask bob', ['@']],
    ['comment.present=', ['mail', '@']],
    ['comment.absent=', ['www', '_dmarc']],
    ['proxied=true', ['www']],
    ['search=dmarc', ['_dmarc']],
    ['type=TXT&name.startswith=_', ['_dmarc']],
    ['type=TXT&name.startswith=ma&match=any', ['@', '_dmarc', 'mail']],
  ])('filters by %s', async (query, names) => {
    const api = makeTestApi();
    await fill(api);
    const answer = await api.records('GET', `?${query}`);
    expect(answer.status).toBe(200);
    const shown = answer.body.result.map(
      (r: { name: string }) => r.name.replace(/\.?example\.test$/, '') || '@',
    );
    expect(shown.sort()).toEqual([...names].sort());
  });

  it.each([
    '?nmae=x',
    '?match=some',
    '?order=size',
    '?proxied=maybe',
    '?per_page=0',
    '?page=x',
    '?comment.like=x',
  ])('refuses %s', async (query) => {
    expect((await makeTestApi().records('GET', query)).status).toBe(400);
  });

  it('pages through records and answers an empty page beyond the last', async () => {
    const api = makeTestApi();
    await fill(api);
    const pages = [];
    for (const page of [1, 2, 3]) pages.push((await api.records('GET', `?per_page=3&page=${page}`)).body);
    expect(pages.map((page) => page.result.length)).toEqual([3, 1, 0]);
    expect(pages[1].result_info).toEqual({ page: 2, per_page: 3, count: 1, total_count: 4, total_pages: 2 });
  });

  it('orders by a field in both directions', async () => {
    const api = makeTestApi();
    await fill(api);
    const ttls = async (query: string) =>
      (await api.records('GET', query)).body.result.map((r: { ttl: number }) => r.ttl);
    expect(await ttls('?order=ttl')).toEqual([1, 60, 3600, 3600]);
    expect(await ttls('?order=ttl&direction=desc')).toEqual([3600, 3600, 60, 1]);
  });

  it('lists zones by name, status and page', async () => {
    const { emulator, send } = makeTestApi();
    emulator.addZone({ name: 'waiting.test', status: 'pending', type: 'partial', paused: true });
    const all = await send('GET', '/zones');
    expect(all.body.result_info).toMatchObject({ per_page: 20, total_count: 2 });
    const byName = await send('GET', '/zones?name=waiting.test');
    expect(byName.body.result).toMatchObject([{ status: 'pending', type: 'partial', paused: true }]);
    expect((await send('GET', '/zones?status=active')).body.result).toMatchObject([{ name: zoneName }]);
    expect((await send('GET', '/zones?per_page=51')).status).toBe(400);
    const one = await send('GET', `/zones/${zoneId}`);
    expect(one.body.result).toMatchObject({ id: zoneId, name: zoneName, paused: false, type: 'full' });
    expect(one.body.result.name_servers).toHaveLength(2);
  });

  it('exports a zone file and imports it again', async () => {
    const from = makeTestApi();
    await fill(from);
    const exported = await from.records('GET', '/export');
    expect(exported.text).toContain('mail.example.test.\t60\tIN\tA\t198.51.100.2');
    const to = makeTestApi();
    const form = new FormData();
    form.set('file', new File([exported.text], 'zone.txt'));
    const encoded = new Response(form);
    const answer = await to.send('POST', `/zones/${zoneId}/dns_records/import`, await encoded.text(), {
      'content-type': encoded.headers.get('content-type') ?? '',
    });
    expect(answer.body.result).toEqual({ recs_added: 4, total_records_parsed: 4 });
    const contents = (api: TestApi) =>
      api.emulator
        .records(zoneName)
        .map((record) => record.content)
        .sort();
    expect(contents(to)).toEqual(contents(from));
  });
});
