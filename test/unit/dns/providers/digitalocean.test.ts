import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { DnsProvider, Zone } from '../../../../src/dns/providers/provider.js';
import type { DnsRecord, LiveRecord, RecordData } from '../../../../src/dns/record.js';
import {
  type DigitalOceanWorld,
  makeDigitalOceanWorld,
  readToken,
} from '../../../conformance/digitalocean-world.js';

const record = (data: RecordData, name = 'example.test'): DnsRecord => ({ name, ttl: 300, data });

describe('DigitalOcean', () => {
  let world: DigitalOceanWorld;
  let provider: DnsProvider;
  let zone: Zone;
  beforeEach(async () => {
    world = await makeDigitalOceanWorld();
    provider = await world.open();
    zone = (await provider.findZone('example.test')) as Zone;
  });
  afterEach(() => world.close());

  it.each(['', 'with a blank', '“quoted”'])('refuses %j as a token before any request', async (value) => {
    await expect(world.open({ token: value })).rejects.toMatchObject({ code: 'E_DNS_TOKEN', exit: 2 });
  });

  it('says that a token without the scopes may not write', async () => {
    const reader = await world.open({ token: readToken });
    const after = record({ type: 'TXT', text: 'x' });
    expect(await reader.apply(zone, [{ op: 'create', after }])).toMatchObject([
      {
        ok: false,
        code: 'E_DNS_TOKEN',
        error: 'HTTP 403: forbidden; You are not authorized to perform this operation',
      },
    ]);
  });

  it('knows the name servers from the records of the zone, and its SOA as read-only', async () => {
    expect(zone.nameServers).toEqual([
      'ns1.digitalocean.com',
      'ns2.digitalocean.com',
      'ns3.digitalocean.com',
    ]);
    const soa = (await provider.list(zone)).filter(({ readOnly }) => readOnly);
    expect(soa).toMatchObject([{ data: { type: 'OTHER', rrtype: 'SOA' } }]);
  });

  it('writes a target that is the domain itself, which the API turns into @', async () => {
    const after = record({ type: 'MX', preference: 10, exchange: 'example.test' });
    expect(await provider.apply(zone, [{ op: 'create', after }])).toMatchObject([
      { ok: true, record: after },
    ]);
    expect(world.domain.list().find(({ type }) => type === 'MX')?.data).toBe('@');
    expect((await provider.list(zone)).find(({ data }) => data.type === 'MX')).toMatchObject(after);
  });

  it('sends every field of a record, null where the type has no use for it', async () => {
    const create = vi.spyOn(world.domain, 'create');
    await provider.apply(zone, [{ op: 'create', after: record({ type: 'TXT', text: 'x' }) }]);
    expect(create.mock.calls[0]?.[0]).toEqual({
      name: '@',
      type: 'TXT',
      data: 'x',
      ttl: 300,
      priority: null,
      port: null,
      weight: null,
      flags: null,
      tag: null,
    });
  });

  it('writes a URL in CAA without a final dot', async () => {
    const after = record({ type: 'CAA', flags: 0, tag: 'iodef', value: 'mailto:hostmaster@example.test' });
    expect(await provider.apply(zone, [{ op: 'create', after }])).toMatchObject([
      { ok: true, record: after },
    ]);
  });

  it('replaces a CNAME in one call, whatever order the changes have', async () => {
    const name = 'www.example.test';
    const alias = record({ type: 'CNAME', target: 'example.test' }, name);
    await provider.apply(zone, [{ op: 'create', after: alias }]);
    const before = (await provider.list(zone)).find((live) => live.name === name) as LiveRecord;
    const after = record({ type: 'A', address: '198.51.100.1' }, name);
    const applied = await provider.apply(zone, [
      { op: 'create', after },
      { op: 'delete', before },
    ]);
    expect(applied).toMatchObject([{ ok: true }, { ok: true }]);
    expect(await world.served(name, 'A')).toEqual(['198.51.100.1']);
  });

  it.each<[string, RecordData]>([
    ['TLSA', { type: 'TLSA', usage: 3, selector: 1, matchingType: 1, data: 'ab'.repeat(32) }],
    ['a null MX', { type: 'MX', preference: 0, exchange: '' }],
    ['parameters in CAA', { type: 'CAA', flags: 0, tag: 'issue', value: 'ca.example; x=y' }],
    ['an unknown CAA property', { type: 'CAA', flags: 0, tag: 'issuemail', value: 'ca.example' }],
    ['a backslash in TXT', { type: 'TXT', text: 'a\\b' }],
    ['TXT beyond ASCII', { type: 'TXT', text: 'grüße' }],
    ['an empty TXT', { type: 'TXT', text: '' }],
    ['a TXT that is too long once quoted', { type: 'TXT', text: `${'x'.repeat(490)}${'"'.repeat(14)}` }],
    ['SRV with port 0', { type: 'SRV', priority: 0, weight: 0, port: 0, target: '' }],
  ])('refuses %s at plan time', (_what, data) => {
    expect(provider.audit(record(data))).not.toEqual([]);
  });

  it('takes a DKIM key of 2048 bits', () => {
    expect(provider.audit(record({ type: 'TXT', text: `v=DKIM1; k=rsa; p=${'A'.repeat(392)}` }))).toEqual([]);
  });
});

describe('the DigitalOcean emulator', () => {
  it.each<[string, object, string]>([
    [
      'a host without a final dot',
      { type: 'CNAME', name: 'a', data: 'b.example' },
      'Data needs to end with a dot (.)',
    ],
    ['an unknown type', { type: 'TLSA', name: 'a', data: 'x' }, 'Record type is not included in the list'],
    ['a missing priority', { type: 'MX', name: '@', data: 'a.example.' }, "priority can't be blank"],
    [
      'port 0',
      { type: 'SRV', name: 'a', data: 'b.', priority: 0, weight: 0, port: 0 },
      'port must be between 1 and 65535',
    ],
    [
      'a TTL of 29',
      { type: 'A', name: 'a', data: '198.51.100.1', ttl: 29 },
      'ttl must be between 30 and 2147483647',
    ],
    [
      'an address of the other family',
      { type: 'A', name: 'a', data: '::1' },
      'IP address did not match IPv4 format',
    ],
    ['no data', { type: 'A', name: 'a' }, "Data can't be blank"],
    [
      'an unknown field',
      { type: 'A', name: 'a', data: '198.51.100.1', comment: 'x' },
      'Unknown field comment.',
    ],
    [
      'a long TXT',
      { type: 'TXT', name: 'a', data: 'x'.repeat(509) },
      'Data is too long (maximum is 512 characters)',
    ],
  ])('refuses %s as the API does', async (_what, body, message) => {
    const { domain, close } = await makeDigitalOceanWorld();
    await expect(domain.create(body as Readonly<Record<string, unknown>>)).rejects.toMatchObject({
      status: 422,
      id: 'unprocessable_entity',
      message,
    });
    await close();
  });
});
