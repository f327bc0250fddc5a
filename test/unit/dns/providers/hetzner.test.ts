import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hetzner } from '../../../../src/dns/providers/hetzner.js';
import type { DnsProvider, Zone } from '../../../../src/dns/providers/provider.js';
import type { DnsRecord, LiveRecord } from '../../../../src/dns/record.js';
import { type HetznerWorld, makeHetznerWorld, token } from '../../../conformance/hetzner-world.js';

const txt = (name: string, text: string, ttl = 300): DnsRecord => ({
  name,
  ttl,
  data: { type: 'TXT', text },
});

describe('Hetzner', () => {
  let world: HetznerWorld;
  let provider: DnsProvider;
  let zone: Zone;
  beforeEach(async () => {
    world = await makeHetznerWorld();
    provider = await world.open();
    zone = (await provider.findZone('example.test')) as Zone;
  });
  afterEach(() => world.close());
  const listed = async (name: string): Promise<LiveRecord[]> =>
    (await provider.list(zone)).filter((record) => record.name === name);

  it.each(['', 'with a blank', '“quoted”'])('refuses %j as a token before any request', async (value) => {
    await expect(world.open({ token: value })).rejects.toMatchObject({ code: 'E_DNS_TOKEN', exit: 2 });
  });

  it('says what to do with a token that may only read', async () => {
    const reader = await world.open({ token: 'readonly'.repeat(8) });
    expect(await reader.apply(zone, [{ op: 'create', after: txt('a.example.test', 'x') }])).toMatchObject([
      { ok: false, code: 'E_DNS_TOKEN', error: expect.stringContaining('token_readonly') },
    ]);
  });

  it('waits for an action that runs longer, and reports one that fails', async () => {
    const slow = await makeHetznerWorld('example.test', undefined, { polls: 3 });
    const open = await slow.open();
    const place = (await open.findZone('example.test')) as Zone;
    const after = txt('a.example.test', 'x');
    expect(await open.apply(place, [{ op: 'create', after }])).toMatchObject([{ ok: true }]);
    expect(slow.waits).toEqual([500, 1000]);
    slow.emulator.failNextAction('action_failed', 'the zone is broken');
    const other = txt('b.example.test', 'x');
    expect(await open.apply(place, [{ op: 'create', after: other }])).toEqual([
      { ok: false, code: 'E_DNS_API', error: 'the action failed: action_failed the zone is broken' },
    ]);
    await slow.close();
  });

  it('reads a set without a TTL with the one of the zone', async () => {
    const records = [{ value: '198.51.100.1' }];
    await world.apiZone.put({ name: 'www', type: 'A', records, protectedFromChange: false });
    expect((await listed('www.example.test'))[0]?.ttl).toBe(3600);
  });

  it('takes relative targets as names of the zone', async () => {
    const records = [{ value: '10 mail' }];
    await world.apiZone.put({ name: '@', type: 'MX', records, protectedFromChange: false });
    expect((await listed('example.test'))[0]?.data).toEqual({
      type: 'MX',
      preference: 10,
      exchange: 'mail.example.test',
    });
  });

  it('changes value and TTL of one member, and leaves the others and their comments', async () => {
    await world.seed(txt('example.test', 'theirs', 3600), { comment: 'keep' });
    await world.seed(txt('example.test', 'ours', 3600), { comment: 'smtp-setup/1 abc spf' });
    const before = (await listed('example.test')).find(({ mark }) => mark !== undefined) as LiveRecord;
    const after = txt('example.test', 'ours, changed', 600);
    expect(await provider.apply(zone, [{ op: 'update', before, after }])).toMatchObject([{ ok: true }]);
    const stored = world.apiZone.find('@', 'TXT');
    expect(stored?.ttl).toBe(600);
    expect(stored?.records).toEqual([
      { value: '"theirs"', comment: 'keep' },
      { value: '"ours, changed"', comment: 'smtp-setup/1 abc spf' },
    ]);
  });

  it('names the field that the API found wrong', async () => {
    await world.seed(txt('both.example.test', 'x'));
    const after: DnsRecord = {
      name: 'both.example.test',
      ttl: 300,
      data: { type: 'CNAME', target: 'example.test' },
    };
    expect(await provider.apply(zone, [{ op: 'create', after }])).toMatchObject([
      { ok: false, code: 'E_DNS_API', error: expect.stringMatching(/^HTTP 422: invalid_input; .*CNAME/) },
    ]);
  });

  it.each([
    [{ name: 'second.test', mode: 'secondary' as const }, 'unknown', /secondary/],
    [{ name: 'lame.test', delegation: 'lame' as const }, 'pending', /lame/],
  ])('says why nobody would see what is written to %j', async (settings, state, note) => {
    world.emulator.addZone(settings);
    expect(await provider.findZone(settings.name)).toMatchObject({
      state,
      note: expect.stringMatching(note),
    });
  });

  it('says when it talks to another endpoint, and never shows the token', async () => {
    expect(world.log.join('\n')).toMatch(/^Hetzner API endpoint: http:\/\/127\.0\.0\.1/);
    expect(world.log.join('\n')).not.toContain(token);
    expect(hetzner.baseUrlEnv).toBe('HCLOUD_ENDPOINT');
  });
});

describe('the Hetzner emulator', () => {
  it.each<[string, string, string, object | undefined, number]>([
    ['an unknown path', 'GET', '/v1/dns', undefined, 404],
    ['an unknown zone', 'GET', '/v1/zones/99/rrsets', undefined, 404],
    ['an unknown parameter', 'GET', '/v1/zones?zone=x', undefined, 422],
    ['too large a page', 'GET', '/v1/zones/42/rrsets?per_page=51', undefined, 422],
    ['another method', 'PATCH', '/v1/zones/42/rrsets', {}, 405],
    ['a missing field', 'POST', '/v1/zones/42/rrsets', { name: 'a', type: 'A' }, 422],
    ['an unknown field', 'POST', '/v1/zones/42/rrsets/a/A/actions/add_records', { records: [], x: 1 }, 422],
    [
      'an unquoted TXT',
      'POST',
      '/v1/zones/42/rrsets/a/TXT/actions/add_records',
      { records: [{ value: 'bare' }] },
      422,
    ],
    [
      'a TXT string of 256 bytes',
      'POST',
      '/v1/zones/42/rrsets/a/TXT/actions/add_records',
      { records: [{ value: `"${'x'.repeat(256)}"` }] },
      422,
    ],
    [
      'a TTL of 59',
      'POST',
      '/v1/zones/42/rrsets/a/TXT/actions/add_records',
      { records: [{ value: '"x"' }], ttl: 59 },
      422,
    ],
    ['a set that is not there', 'POST', '/v1/zones/42/rrsets/a/TXT/actions/change_ttl', { ttl: 60 }, 404],
  ])('refuses %s', async (_what, method, url, body, status) => {
    const { emulator, close } = await makeHetznerWorld();
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const text = Buffer.from(body === undefined ? '' : JSON.stringify(body));
    expect(await emulator.answer({ method, url, headers, body: text })).toMatchObject({ status });
    expect(await emulator.answer({ method, url, headers: {}, body: text })).toMatchObject(
      url.startsWith('/v1/') ? { status: 401 } : { status },
    );
    await close();
  });
});
