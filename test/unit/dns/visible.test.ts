import { describe, expect, it } from 'vitest';
import type { DnsRecord } from '../../../src/dns/record.js';
import type { AnswerStatus, AuthoritativeResolver, ServerAnswer } from '../../../src/dns/resolver/types.js';
import { type Clock, type WaitTick, waitUntilVisible } from '../../../src/dns/visible.js';

const record: DnsRecord = {
  name: 'mail.example.org',
  ttl: 3600,
  data: { type: 'A', address: '198.51.100.25' },
};

/** What each server says, round by round; the last entry stays. */
type Script = Record<string, readonly (string | AnswerStatus)[]>;

function fake(script: Script): AuthoritativeResolver & { asked: string[] } {
  let round = 0;
  const asked: string[] = [];
  return {
    asked,
    findZone: async () => ({ error: 'not needed' }),
    resolve: async () => {
      throw new Error('the single answer is not enough here');
    },
    async resolveEach(name, type) {
      asked.push(`${name} ${type}`);
      const at = round++;
      return Object.entries(script).map(([host, says]): ServerAnswer => {
        const said = says[Math.min(at, says.length - 1)] ?? 'timeout';
        const ok = /^\d/.test(said);
        return {
          name,
          type,
          status: ok ? 'ok' : (said as AnswerStatus),
          records: ok ? [{ name, ttl: 900, data: { type: 'A', address: said } }] : [],
          chain: [],
          ad: false,
          via: host,
          level: 'authoritative',
          lame: false,
          server: { host, address: '192.0.2.1', port: 53 },
          ...(ok ? {} : { soa: { zone: 'example.org', mname: host, serial: 1, negativeTtl: 1800 } }),
        };
      });
    },
  };
}

function fakeClock(): Clock & { slept: number[] } {
  let time = 0;
  const slept: number[] = [];
  return {
    slept,
    now: () => time,
    async sleep(ms) {
      slept.push(ms);
      time += ms;
    },
  };
}

describe('waitUntilVisible', () => {
  it('returns at once, without a cache to wait for, when all servers serve the record', async () => {
    const clock = fakeClock();
    const authoritative = fake({ ns1: ['198.51.100.25'], ns2: ['198.51.100.25'] });
    expect(await waitUntilVisible([record], { authoritative, clock })).toEqual({
      visible: true,
      elapsedMs: 0,
      pending: [],
      cacheSeconds: 0,
    });
    expect(clock.slept).toEqual([]);
  });

  it('waits for the slowest server and names it; the negative TTL is the caches’ worst case', async () => {
    const ticks: WaitTick[] = [];
    const clock = fakeClock();
    const authoritative = fake({
      ns1: ['198.51.100.25'],
      ns2: ['nxdomain', 'nxdomain', '198.51.100.25'],
    });
    const result = await waitUntilVisible(
      [record],
      { authoritative, clock, intervalMs: 1000 },
      { onTick: (tick) => ticks.push(tick) },
    );
    expect(result).toMatchObject({ visible: true, elapsedMs: 2000, cacheSeconds: 1800 });
    expect(ticks[0]?.pending[0]?.servers).toEqual([{ server: 'ns2', state: 'says the name does not exist' }]);
    expect(ticks.map((tick) => tick.visible)).toEqual([0, 0, 1]);
  });

  it('takes the old record’s TTL as the worst case of a change', async () => {
    const result = await waitUntilVisible([record], {
      authoritative: fake({ ns1: ['198.51.100.1', '198.51.100.25'] }),
      clock: fakeClock(),
    });
    expect(result.cacheSeconds).toBe(900);
  });

  it('stops at the deadline and says what is still missing', async () => {
    const clock = fakeClock();
    const result = await waitUntilVisible(
      [record],
      { authoritative: fake({ ns1: ['timeout'] }), clock, intervalMs: 4000 },
      { deadline: 10_000 },
    );
    expect(result).toMatchObject({ visible: false, elapsedMs: 10_000, pending: [{ record }] });
    expect(clock.slept).toEqual([4000, 4000, 2000]);
  });

  it('does not take silence of all servers for visible', async () => {
    const result = await waitUntilVisible(
      [record],
      { authoritative: fake({}), clock: fakeClock() },
      { deadline: 0 },
    );
    expect(result.visible).toBe(false);
    expect(result.pending[0]?.servers[0]?.state).toContain('no authoritative server');
  });

  it('asks only about what is still pending', async () => {
    const other: DnsRecord = { ...record, data: { type: 'A', address: '198.51.100.26' } };
    const authoritative = fake({ ns1: ['198.51.100.25', '198.51.100.25', '198.51.100.26'] });
    await waitUntilVisible([record, other], { authoritative, clock: fakeClock() });
    expect(authoritative.asked).toHaveLength(3);
  });

  it('rejects with the reason of the signal', async () => {
    const controller = new AbortController();
    controller.abort(new Error('enough'));
    await expect(
      waitUntilVisible(
        [record],
        { authoritative: fake({ ns1: ['nxdomain'] }), clock: fakeClock() },
        { signal: controller.signal },
      ),
    ).rejects.toThrow('enough');
  });
});
