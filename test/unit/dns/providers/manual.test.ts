import { describe, expect, it } from 'vitest';
import { typeOf } from '../../../../src/dns/canonical.js';
import { questionsFor } from '../../../../src/dns/providers/manual/read-answers.js';
import { renderInstructions } from '../../../../src/dns/providers/manual/render-instructions.js';
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

/** Two name servers, each with records of its own, and what the user does while the tool waits. */
async function open(
  byServer: DnsRecord[][],
  options: { enter?: (round: number) => void; status?: AnswerStatus } = {},
) {
  const presented: string[] = [];
  let rounds = 0;
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
    present: (text) => presented.push(text),
    wait: async () => options.enter?.(++rounds),
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
  return { provider, zone, presented, rounds: () => rounds };
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

  it('says once what to enter, and is done when every server shows it', async () => {
    const record = txt('_dmarc.example.test', 'v=DMARC1; p=none');
    const servers: DnsRecord[][] = [[], []];
    const enter = (round: number): void => void servers[round - 1]?.push(record);
    const { provider, zone, presented, rounds } = await open(servers, { enter });
    expect(await provider.apply(zone, [{ op: 'create', after: record }])).toEqual([{ ok: true, record }]);
    expect(rounds()).toBe(2);
    expect(presented).toHaveLength(1);
    expect(presented[0]).toMatch(/_dmarc +TXT +300 +v=DMARC1; p=none\n/);
    expect(presented[0]).toContain('_dmarc.example.test. 300 IN TXT "v=DMARC1; p=none"');
  });

  it('asks for nothing that is there already', async () => {
    const record = txt('example.test', 'x');
    const { provider, zone, presented } = await open([[record], [record]]);
    expect(await provider.apply(zone, [{ op: 'create', after: record }])).toMatchObject([{ ok: true }]);
    expect(presented).toEqual([]);
  });

  it('waits for a record to go', async () => {
    const before = txt('example.test', 'old');
    const servers = [[before], [before]];
    const enter = (): void => {
      for (const records of servers) records.length = 0;
    };
    const { provider, zone, presented } = await open(servers, { enter });
    expect(await provider.apply(zone, [{ op: 'delete', before }])).toEqual([{ ok: true }]);
    expect(presented[0]).toMatch(/Remove:\n {2}example\.test\. 300 IN TXT "old"\n$/);
  });

  it('ends after an hour and says which server shows what', async () => {
    const seen = txt('example.test', 'x');
    const { provider, zone } = await open([[seen], []]);
    expect(await provider.apply(zone, [{ op: 'create', after: seen }])).toEqual([
      { ok: false, code: 'E_DNS_PENDING', error: 'not seen yet: ns2.provider.test: nxdomain' },
    ]);
  });

  it('asks for each name once, and for none outside the zone', () => {
    const questions = questionsFor('example.test', ['example.test', 'mx1.example.test', 'other.test']);
    const keys = questions.map(([name, type]) => `${name} ${type}`);
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys).toContain('_25._tcp.mx1.example.test TLSA');
    expect(keys.filter((key) => key.includes('other.test'))).toEqual([]);
  });

  it('gives scripts the same as JSON', () => {
    const zone: Zone = { id: 'example.test', name: 'example.test', nameServers: [], state: 'active' };
    const changes: Change[] = [
      { op: 'update', before: txt('example.test', 'old'), after: txt('example.test', 'new') },
    ];
    expect(JSON.parse(renderInstructions(zone, changes).json)).toEqual({
      zone: 'example.test',
      remove: [{ name: '@', type: 'TXT', ttl: 300, value: 'old' }],
      enter: [{ name: '@', type: 'TXT', ttl: 300, value: 'new' }],
    });
  });
});
