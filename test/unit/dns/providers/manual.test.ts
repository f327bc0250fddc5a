import { describe, expect, it } from 'vitest';
import { typeOf } from '../../../../src/dns/canonical.js';
import { questionsFor } from '../../../../src/dns/providers/manual/read-answers.js';
import { manual } from '../../../../src/dns/providers/manual.js';
import type { Change, Zone } from '../../../../src/dns/providers/provider.js';
import type { DnsRecord } from '../../../../src/dns/record.js';
import type {
  AnswerStatus,
  AuthoritativeResolver,
  ServerAnswer,
} from '../../../../src/dns/resolver/types.js';

const txt = (name: string, text: string): DnsRecord => ({ name, ttl: 300, data: { type: 'TXT', text } });
const hosts = ['ns1.provider.test', 'ns2.provider.test'];

/** Two name servers, each with records of its own. */
async function open(byServer: DnsRecord[][], options: { status?: AnswerStatus } = {}) {
  const each: AuthoritativeResolver['resolveEach'] = async (name, type) =>
    hosts.map((host, index): ServerAnswer => {
      const at = (byServer[index] ?? []).filter((record) => record.name === name);
      const alias = at.filter(({ data }) => data.type === 'CNAME');
      const records = at.filter(({ data }) => typeOf(data) === type);
      const status = options.status ?? (records.length > 0 ? 'ok' : 'nxdomain');
      return {
        ...{ name, type, status, records, chain: alias, ad: false, level: 'authoritative', lame: false },
        via: host,
        server: { host, address: '198.51.100.53', port: 53 },
      };
    });
  const provider = await manual.open({
    credentials: {},
    fetch,
    signal: new AbortController().signal,
    log: () => undefined,
    names: () => ['mx1.example.test', 's1._domainkey.example.test'],
    authoritative: {
      findZone: async () => ({
        zone: 'example.test',
        servers: hosts.map((host) => ({ host, address: '198.51.100.53', port: 53 })),
        unusable: [],
      }),
      resolveEach: each,
      resolve: async (name, type) => (await each(name, type))[0] as ServerAnswer,
    },
  });
  const zone = (await provider.findZone('mail.example.test')) as Zone;
  return { provider, zone };
}

describe('entering records by hand', () => {
  it('reads what matters from the zone’s own servers, aliases and selectors included', async () => {
    const records = [
      txt('example.test', 'v=spf1 -all'),
      txt('s1._domainkey.example.test', 'v=DKIM1; p=x'),
      { name: '_dmarc.example.test', ttl: 60, data: { type: 'CNAME' as const, target: 'dmarc.vendor.test' } },
      txt('elsewhere.example.test', 'nobody asks for this'),
    ];
    const { provider, zone } = await open([records, records]);
    expect(zone).toMatchObject({ name: 'example.test', nameServers: hosts, state: 'active' });
    const listed = await provider.list(zone);
    expect(listed).toHaveLength(3);
    expect(listed).toEqual(expect.arrayContaining(records.slice(0, 3)));
  });

  it.each<AnswerStatus>(['servfail', 'timeout', 'refused'])(
    'does not take %s for "no records"',
    async (status) => {
      const { provider, zone } = await open([[], []], { status });
      await expect(provider.list(zone)).rejects.toMatchObject({ code: 'E_DNS_UNREACHABLE', exit: 1 });
    },
  );

  it('is done with what every server shows', async () => {
    const record = txt('example.test', 'x');
    const { provider, zone } = await open([[record], [record]]);
    const changes: Change[] = [{ op: 'create', after: record }];
    expect(await provider.apply(zone, changes)).toEqual([{ ok: true, record }]);
    expect(await provider.findMissing?.(changes)).toEqual([]);
  });

  it('says of the rest which server shows what', async () => {
    const seen = txt('example.test', 'x');
    const { provider, zone } = await open([[seen], []]);
    const [create, other]: Change[] = [
      { op: 'create', after: seen },
      { op: 'create', after: txt('example.test', 'y') },
    ];
    expect(await provider.apply(zone, [create as Change, other as Change])).toEqual([
      { ok: false, code: 'E_DNS_PENDING', error: 'not seen yet: ns2.provider.test: not there' },
      { ok: false, code: 'E_DNS_PENDING', error: 'not seen yet: ns1.provider.test: another answer' },
    ]);
    expect(await provider.findMissing?.([create as Change])).toEqual([
      { change: create, state: 'ns2.provider.test: not there' },
    ]);
  });

  it('looks for a record to go', async () => {
    const before = txt('example.test', 'old');
    const change: Change = { op: 'delete', before };
    const there = await open([[before], [before]]);
    expect(await there.provider.findMissing?.([change])).toEqual([
      { change, state: 'ns1.provider.test: another answer' },
    ]);
    const gone = await open([[], []]);
    expect(await gone.provider.apply(gone.zone, [change])).toEqual([{ ok: true }]);
  });

  it('takes a server that does not answer for one that does not show it', async () => {
    const record = txt('example.test', 'x');
    const { provider } = await open([[record], [record]], { status: 'timeout' });
    const change: Change = { op: 'create', after: record };
    expect(await provider.findMissing?.([change])).toEqual([{ change, state: 'ns1.provider.test: timeout' }]);
  });

  it('asks for each name once, and for none outside the zone', () => {
    const questions = questionsFor('example.test', ['example.test', 'mx1.example.test', 'other.test']);
    const keys = questions.map(([name, type]) => `${name} ${type}`);
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys).toContain('_25._tcp.mx1.example.test TLSA');
    expect(keys.filter((key) => key.includes('other.test'))).toEqual([]);
  });
});
