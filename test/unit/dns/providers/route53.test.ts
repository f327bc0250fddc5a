import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { DnsProvider, Zone } from '../../../../src/dns/providers/provider.js';
import { readName, readRecordSet, renderValue } from '../../../../src/dns/providers/route53/record-codec.js';
import type { DnsRecord, LiveRecord } from '../../../../src/dns/record.js';
import {
  makeRoute53World,
  type Route53World,
  readerKeyId,
  secretAccessKey,
} from '../../../conformance/route53-world.js';

const txt = (name: string, text: string, ttl = 300): DnsRecord => ({
  name,
  ttl,
  data: { type: 'TXT', text },
});

describe('Route 53', () => {
  const saved = { ...process.env };
  let world: Route53World;
  let provider: DnsProvider;
  let zone: Zone;
  beforeEach(async () => {
    world = await makeRoute53World();
    provider = await world.open();
    zone = (await provider.findZone('example.test')) as Zone;
  });
  afterEach(async () => {
    process.env = { ...saved };
    await world.close();
  });

  it('uses the keys it was given and nothing that the environment holds', async () => {
    Object.assign(process.env, {
      AWS_ACCESS_KEY_ID: 'AKIAENVIRONMENT00000',
      AWS_SECRET_ACCESS_KEY: 'of the environment, not to be used',
      AWS_PROFILE: 'nobody',
      AWS_ENDPOINT_URL: 'http://127.0.0.1:1/evil',
      AWS_ENDPOINT_URL_ROUTE_53: 'http://127.0.0.1:1/evil',
      AWS_CONFIG_FILE: '/nonexistent/config',
      AWS_USE_FIPS_ENDPOINT: 'true',
    });
    const again = await world.open();
    expect((await again.verify()).detail).toBe('reaches 1 hosted zones');
  });

  it('is quiet, also on a version of Node that the SDK will leave behind', async () => {
    const warn = vi.spyOn(process, 'emitWarning');
    await (await world.open()).verify();
    expect(warn).not.toHaveBeenCalled();
    warn.mockRestore();
  });

  it.each([
    ['a wrong secret', { secretAccessKey: 'x'.repeat(40) }, /SignatureDoesNotMatch/],
    ['an unknown key', { accessKeyId: 'AKIANOBODY0000000000' }, /InvalidClientTokenId/],
  ])('says that the credentials are refused because of %s', async (_why, credentials, said) => {
    await expect((await world.open(credentials)).verify()).rejects.toMatchObject({
      code: 'E_DNS_TOKEN',
      exit: 2,
      evidence: [expect.stringMatching(said)],
    });
  });

  it('refuses what cannot be a key before any request, and shows no secret', async () => {
    const error = await world.open({ accessKeyId: 'nonsense' }).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'E_DNS_TOKEN', exit: 2 });
    expect(JSON.stringify(error)).not.toContain(secretAccessKey);
  });

  it('tells a right to read from a right to write', async () => {
    const reader = await world.open({ accessKeyId: readerKeyId });
    expect(await reader.apply(zone, [{ op: 'create', after: txt('a.example.test', 'x') }])).toMatchObject([
      { ok: false, code: 'E_DNS_TOKEN', error: expect.stringContaining('AccessDenied') },
    ]);
  });

  it('ignores a private zone of the same name, and asks which of two public ones', async () => {
    world.emulator.addZone('example.test', true);
    expect((await provider.findZone('example.test'))?.id).toBe(zone.id);
    const second = world.emulator.addZone('example.test');
    await expect(provider.findZone('example.test')).rejects.toMatchObject({ code: 'E_DNS_ZONES', exit: 2 });
    const chosen = await world.open({ hostedZoneId: second.id });
    expect((await chosen.findZone('example.test'))?.id).toBe(second.id);
  });

  it('shows an alias and leaves it alone', async () => {
    const alias = { name: 'www.example.test.', type: 'A', ttl: 0, values: [], alias: 'lb.example.test.' };
    await world.hosted.change([{ action: 'CREATE', set: alias }]);
    const [live] = (await provider.list(zone)).filter(({ name }) => name === 'www.example.test');
    expect(live).toMatchObject({ readOnly: true, data: { type: 'OTHER', rrtype: 'A' } });
    const after: DnsRecord = {
      name: 'www.example.test',
      ttl: 60,
      data: { type: 'A', address: '198.51.100.1' },
    };
    expect(await provider.apply(zone, [{ op: 'create', after }])).toMatchObject([
      { ok: false, code: 'E_DNS_API', error: expect.stringContaining('alias') },
    ]);
  });

  it('writes the others when the server itself refuses one', async () => {
    await world.seed(txt('both.example.test', 'x'));
    const bad: DnsRecord = {
      name: 'both.example.test',
      ttl: 60,
      data: { type: 'CNAME', target: 'example.test' },
    };
    const applied = await provider.apply(zone, [
      { op: 'create', after: bad },
      { op: 'create', after: txt('good.example.test', 'x') },
    ]);
    expect(applied).toMatchObject([
      { ok: false, code: 'E_DNS_API', error: expect.stringContaining('CNAME') },
      { ok: true },
    ]);
  });

  it('lands more than one request may hold', async () => {
    const changes = Array.from({ length: 12 }, (_, index) => ({
      op: 'create' as const,
      after: txt(`n${index}.example.test`, 'x'.repeat(3900)),
    }));
    const applied = await provider.apply(zone, changes);
    expect(applied.every(({ ok }) => ok)).toBe(true);
    const there = (await provider.list(zone)).filter(({ name }) => /^n\d/.test(name));
    expect(there).toHaveLength(12);
    const gone = await provider.apply(
      zone,
      there.map((before) => ({ op: 'delete', before })),
    );
    expect(gone.every(({ ok }) => ok)).toBe(true);
  });

  it('does not overwrite a set that someone changed between reading and writing', async () => {
    const ours = txt('race.example.test', 'ours');
    await world.seed(ours);
    const before = (await provider.list(zone)).find(({ name }) => name === ours.name) as LiveRecord;
    const change = world.hosted.change.bind(world.hosted);
    const theirs = txt('race.example.test', 'theirs');
    vi.spyOn(world.hosted, 'change').mockImplementationOnce(async (changes) => {
      await world.seed(theirs);
      return change(changes);
    });
    const applied = await provider.apply(zone, [{ op: 'update', before, after: txt(ours.name, 'new') }]);
    expect(applied).toMatchObject([{ ok: true }]);
    expect((await world.served(ours.name, 'TXT')).sort()).toEqual(['"new"', '"theirs"']);
  });
});

describe('values and names as Route 53 writes them', () => {
  it('escapes in octal, where zone files have decimal', () => {
    expect(renderValue({ type: 'TXT', text: 'grüße \\ "x"' })).toBe(
      '"gr\\303\\274\\303\\237e \\134 \\"x\\""',
    );
  });

  it.each(['grüße \\ "x"', '\\034', 'a;b', 'x'.repeat(600)])('reads %j back as it was', (text) => {
    const value = renderValue({ type: 'TXT', text });
    const set = { Name: 'example.test.', Type: 'TXT' as const, TTL: 60, ResourceRecords: [{ Value: value }] };
    expect(readRecordSet(set)).toMatchObject([{ name: 'example.test', data: { type: 'TXT', text } }]);
  });

  it('reads a wildcard', () => {
    expect(readName('\\052.example.test.')).toBe('*.example.test');
  });
});
