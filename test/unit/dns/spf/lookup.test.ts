import { describe, expect, it } from 'vitest';
import type { DnsRecord, RecordData } from '../../../../src/dns/record.js';
import type { Answer, Resolver } from '../../../../src/dns/resolver/types.js';
import { lookupFrom, lookupInZone } from '../../../../src/dns/spf/index.js';

const record = (name: string, data: RecordData): DnsRecord => ({ name, ttl: 300, data });

describe('lookupInZone', () => {
  const lookup = lookupInZone(
    'example.org',
    [
      record('example.org', { type: 'TXT', text: 'v=spf1 mx -all' }),
      record('example.org', { type: 'MX', preference: 20, exchange: 'b.example.org' }),
      record('example.org', { type: 'MX', preference: 10, exchange: 'a.example.org' }),
      record('a.deep.example.org', { type: 'A', address: '192.0.2.1' }),
      record('alias.example.org', { type: 'CNAME', target: 'a.deep.example.org' }),
      record('out.example.org', { type: 'CNAME', target: 'host.example.net' }),
      record('loop.example.org', { type: 'CNAME', target: 'loop.example.org' }),
      record('*.wild.example.org', { type: 'A', address: '192.0.2.9' }),
      record('sub.example.org', { type: 'NS', target: 'ns.example.net' }),
    ],
    (name, type) => ({ status: 'ok', values: [`outside ${name} ${type}`] }),
  );
  it.each([
    ['example.org', 'TXT', { status: 'ok', values: ['v=spf1 mx -all'] }],
    ['example.org', 'MX', { status: 'ok', values: ['a.example.org', 'b.example.org'] }],
    ['example.org', 'A', { status: 'nodata', values: [] }],
    ['deep.example.org', 'A', { status: 'nodata', values: [] }],
    ['gone.example.org', 'A', { status: 'nxdomain', values: [] }],
    ['alias.example.org', 'A', { status: 'ok', values: ['192.0.2.1'] }],
    ['out.example.org', 'A', { status: 'ok', values: ['outside host.example.net A'] }],
    ['loop.example.org', 'A', { status: 'error', values: [] }],
    ['x.y.wild.example.org', 'A', { status: 'ok', values: ['192.0.2.9'] }],
    ['www.sub.example.org', 'A', { status: 'ok', values: ['outside www.sub.example.org A'] }],
    ['example.net', 'TXT', { status: 'ok', values: ['outside example.net TXT'] }],
  ] as const)('%s %s', async (name, type, expected) => {
    expect(await lookup(name, type)).toEqual(expected);
  });
});

describe('lookupFrom', () => {
  const resolver = (answer: Partial<Answer>): Resolver => ({
    resolve: async (name, type) => ({
      name,
      type,
      status: 'nodata',
      records: [],
      chain: [],
      ad: false,
      via: 'x',
      level: 'recursive',
      ...answer,
    }),
  });
  it('never takes an error for absence', async () => {
    for (const status of ['servfail', 'refused', 'timeout'] as const)
      expect(await lookupFrom(resolver({ status }))('example.org', 'TXT')).toEqual({
        status: 'error',
        values: [],
      });
    expect((await lookupFrom(resolver({ status: 'nxdomain' }))('example.org', 'TXT')).status).toBe(
      'nxdomain',
    );
  });
  it('gives MX hosts by preference', async () => {
    const records = [
      record('example.org', { type: 'MX', preference: 100, exchange: 'c.example.org' }),
      record('example.org', { type: 'MX', preference: 20, exchange: 'b.example.org' }),
    ];
    expect(await lookupFrom(resolver({ status: 'ok', records }))('example.org', 'MX')).toEqual({
      status: 'ok',
      values: ['b.example.org', 'c.example.org'],
    });
  });
});
