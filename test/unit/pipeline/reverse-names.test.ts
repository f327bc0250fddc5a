import { describe, expect, it } from 'vitest';
import { configSchema } from '../../../src/config/schema.js';
import type { Answer } from '../../../src/dns/resolver/index.js';
import { reverseNameOf } from '../../../src/dns/reverse-name.js';
import { SetupError } from '../../../src/errors.js';
import type { Dmi } from '../../../src/facts/dmi.js';
import type { Facts } from '../../../src/facts/index.js';
import type { ReverseEntry } from '../../../src/hosting/hosting-api.js';
import { type ReverseJournalEntry, standingWrites } from '../../../src/hosting/reverse-journal.js';
import { chooseAddresses, refuseNoAddress } from '../../../src/pipeline/choose-addresses.js';
import type { Resolvers } from '../../../src/pipeline/open-resolvers.js';
import { createReversePlanner } from '../../../src/pipeline/plan-reverse.js';
import { whyLeft } from '../../../src/pipeline/undo-reverse.js';

const hostname = 'mail.example.org';
const [v4, v6] = ['198.51.100.7', '2001:db8:7::1'];
const dmi: Dmi = { vendor: 'Hetzner', product: 'vServer', bios: '', board: '', asset: '', cloud: '' };
const standard = 'static.7.100.51.198.clients.your-server.de';

interface Scene {
  /** What DNS says the address is called. */
  ptr?: Readonly<Record<string, string | readonly string[]>>;
  /** What the hosting provider says. */
  entries?: Readonly<Record<string, ReverseEntry>>;
  error?: Error;
  /** What setting a name ends with. */
  refusal?: Error;
  /** The name was set all the same. */
  done?: boolean;
  /** Afterwards it cannot be asked for, either. */
  deaf?: boolean;
  token?: boolean;
  vendor?: string;
  allowUpdate?: boolean;
  outbound6?: 'open' | 'timeout' | 'one of two';
  /** No name server answers for reverse names. */
  silent?: boolean;
  /** IPv6 address of the lock file. */
  before6?: string;
  /** What the configuration says. */
  given4?: string;
  ipv6?: 'off';
  /** What the server has, if not one address of each family. */
  addresses?: Facts['addresses'];
}

async function choose(scene: Scene) {
  const { ptr = {}, entries = {}, token = true, allowUpdate = false } = scene;
  const asked: string[] = [];
  const written: ReverseJournalEntry[] = [];
  const set = new Map<string, string | undefined>();
  const planner = createReversePlanner({
    dmi: { ...dmi, vendor: scene.vendor ?? dmi.vendor },
    hostname,
    allowUpdate,
    signal: new AbortController().signal,
    journal: { append: async (entry) => void written.push(entry), read: async () => written },
    clock: () => new Date(0),
    open: async () =>
      token
        ? {
            read: async (address) => {
              asked.push(address);
              if (scene.error) throw scene.error;
              if (scene.deaf === true && written.length > 0) throw scene.refusal;
              return set.has(address) ? { name: set.get(address) ?? '', isDefault: false } : entries[address];
            },
            set: async (address, name) => {
              if (scene.refusal === undefined || scene.done === true) set.set(address, name);
              if (scene.refusal) throw scene.refusal;
            },
          }
        : undefined,
  });
  const names = new Map(Object.entries(ptr).map(([address, name]) => [reverseNameOf(address), name]));
  const recursive: Resolvers['recursive'] = {
    async resolve(name, type): Promise<Answer> {
      const targets = [names.get(name) ?? []].flat();
      const common = { name, type, chain: [], ad: false, via: 'test', level: 'recursive' as const };
      if (scene.silent === true) return { ...common, status: 'timeout', records: [] };
      if (targets.length === 0) return { ...common, status: 'nxdomain', records: [] };
      const records = targets.map((target) => ({ name, ttl: 60, data: { type: 'PTR' as const, target } }));
      return { ...common, status: 'ok', records };
    },
  };
  const results = { open: ['open'], timeout: ['timeout'], 'one of two': ['timeout', 'open'] };
  const outbound = (scene.outbound6 ? results[scene.outbound6] : []).map((result) => ({
    host: 'mx.example.net',
    family: 6 as const,
    result,
    detail: '',
  }));
  const addresses = scene.addresses ?? { ipv4: v4, ipv6: v6, all: [v4, v6] };
  const { servers } = configSchema.parse({
    version: 1,
    servers: {
      [hostname]: {
        ssh: 'root@h',
        ...(scene.given4 === undefined ? {} : { ipv4: scene.given4 }),
        ...(scene.ipv6 === undefined ? {} : { ipv6: scene.ipv6 }),
      },
    },
    domains: {},
  });
  const server = servers[hostname];
  if (server === undefined) throw new Error('no server');
  const facts = { addresses, outbound } as unknown as Facts;
  const reachedAt = addresses.ipv4 ?? addresses.ipv6 ?? '';
  const chosen = await chooseAddresses(facts, reachedAt, hostname, server, { recursive } as Resolvers, {
    planner,
    ...(scene.before6 === undefined ? {} : { before: { ipv6: scene.before6 } }),
  });
  const carryOut = async (): Promise<void> => {
    for (const change of chosen.reverse) await Promise.allSettled([planner.set(change)]);
  };
  const refuse = () => refuseNoAddress(hostname, chosen, facts, server);
  return { ...chosen, asked, written, carryOut, refuse };
}

const free = { [v4]: { name: standard, isDefault: true }, [v6]: { isDefault: true } };

describe('the reverse name of the server', () => {
  it('is set through the API of whoever runs it, and IPv6 becomes usable by it', async () => {
    const chosen = await choose({ entries: free, outbound6: 'open' });
    expect(chosen.reverse).toEqual([
      { address: v4, before: standard, after: hostname, at: 'Hetzner Cloud' },
      { address: v6, after: hostname, at: 'Hetzner Cloud' },
    ]);
    expect(chosen).toMatchObject({ ipv4: v4, ipv6: v6, manual: [] });
  });

  it('may be one of several', async () => {
    const several = ['vps.example.net', hostname];
    expect(await choose({ ptr: { [v4]: several, [v6]: several } })).toMatchObject({ ipv6: v6, manual: [] });
    const { manual } = await choose({ token: false, ptr: { [v4]: ['one.example.net', 'two.example.net'] } });
    expect(manual[0]?.detail[0]).toBe('It is one.example.net now.');
  });

  it('of IPv6 is spoken of only where it may come to something', async () => {
    const ids = async (scene: Scene) => (await choose({ token: false, ...scene })).manual.map(({ id }) => id);
    expect(await ids({})).toEqual([`ptr:${v4}`, `ptr:${v6}`]);
    expect(await ids({ ipv6: 'off' })).toEqual([`ptr:${v4}`]);
    expect(await ids({ outbound6: 'timeout' })).toEqual([`ptr:${v4}`]);
    const bridge = 'fd00:17::1';
    expect(await ids({ addresses: { ipv4: v4, ipv6: bridge, all: [v4, bridge] } })).toEqual([`ptr:${v4}`]);
  });

  describe('of a server without IPv4', () => {
    const addresses = { ipv6: v6, all: [v6] };

    it('is named, and the address is used meanwhile: there is no other', async () => {
      for (const scene of [{}, { ptr: { [v6]: standard } }, { outbound6: 'timeout' }] as Scene[]) {
        const chosen = await choose({ addresses, token: false, ...scene });
        expect(chosen).toMatchObject({ ipv6: v6, manual: [{ id: `ptr:${v6}` }] });
        expect(chosen).not.toHaveProperty('ipv4');
        expect(chosen.manual[0]?.detail.join(' ')).not.toContain('IPv4');
        expect(chosen.refuse).not.toThrow();
      }
    });

    it('is set through the API, whatever is known of port 25', async () => {
      const chosen = await choose({ addresses, entries: free });
      expect(chosen).toMatchObject({ ipv6: v6, manual: [], reverse: [{ address: v6, after: hostname }] });
    });

    it('and without any other address stops everything, with the way out', async () => {
      const nothing = { all: [] };
      const inside = { ipv6: 'fd00:17::1', all: ['fd00:17::1'] };
      for (const scene of [
        { addresses: nothing },
        { addresses: inside },
        { addresses, ipv6: 'off' },
      ] as Scene[])
        expect((await choose(scene)).refuse).toThrow(
          expect.objectContaining({
            code: 'E_NO_ADDRESS',
            exit: 5,
            fix: expect.arrayContaining([expect.stringContaining('--ipv4 ADDRESS')]),
          }),
        );
      expect((await choose({ addresses: nothing, given4: v4 })).refuse).not.toThrow();
    });
  });

  it('that nobody answers for leaves IPv6 as the last apply settled it', async () => {
    expect(await choose({ silent: true })).not.toHaveProperty('ipv6');
    expect(await choose({ silent: true, before6: v6 })).toMatchObject({ ipv6: v6 });
    expect(await choose({ silent: true, before6: '2001:db8:9::9' })).not.toHaveProperty('ipv6');
    // A name that leads elsewhere does speak against it.
    expect(await choose({ ptr: { [v6]: 'other.example.net' }, before6: v6 })).not.toHaveProperty('ipv6');
  });

  it('is that of the address that the configuration gives, seen or not', async () => {
    const given4 = '93.184.216.34';
    const chosen = await choose({ given4, entries: { [given4]: { name: standard, isDefault: true } } });
    expect(chosen.ipv4).toBe(given4);
    expect(chosen.reverse).toMatchObject([{ address: given4, after: hostname }]);
    expect(chosen.asked).not.toContain(v4);
  });

  it('of IPv6 counts while one of two mail servers answers there', async () => {
    const named = { ptr: { [v4]: hostname, [v6]: hostname } };
    expect(await choose({ ...named, outbound6: 'one of two' })).toMatchObject({ ipv6: v6 });
    expect(await choose({ ...named, outbound6: 'timeout' })).not.toHaveProperty('ipv6');
  });

  it('of IPv6 is set only where mail is known to get out', async () => {
    for (const scene of [{ entries: free }, { entries: free, outbound6: 'timeout' as const }]) {
      const chosen = await choose(scene);
      expect(chosen.ipv6).toBeUndefined();
      expect(chosen.reverse.map(({ address }) => address)).toEqual([v4]);
    }
  });

  it('asks the API nothing when DNS shows the right name', async () => {
    const chosen = await choose({ ptr: { [v4]: hostname, [v6]: hostname }, entries: free });
    expect(chosen).toMatchObject({ ipv6: v6, reverse: [], manual: [], asked: [] });
  });

  it('is no change when the provider has it and DNS is behind', async () => {
    const right = { name: hostname, isDefault: false };
    const chosen = await choose({ ptr: { [v4]: standard }, entries: { [v4]: right, [v6]: right } });
    expect(chosen).toMatchObject({ ipv6: v6, reverse: [], manual: [] });
  });

  it('stays when somebody chose another, until the change is allowed', async () => {
    const entries = { [v4]: { name: 'www.example.org', isDefault: false } };
    const chosen = await choose({ entries });
    expect(chosen.reverse).toEqual([]);
    expect(chosen.manual[0]?.detail.join(' ')).toContain('--allow-update');
    const allowed = await choose({ entries, allowUpdate: true });
    expect(allowed.reverse).toMatchObject([{ before: 'www.example.org', after: hostname }]);
  });

  it.each<[string, Scene, string]>([
    ['without a token', { token: false }, 'It has none now.'],
    ['at another provider', { vendor: 'QEMU' }, 'It has none now.'],
    ['of another project', {}, 'another project'],
    [
      'when the API fails',
      { error: new SetupError({ code: 'E_DNS_TOKEN', exit: 2, what: 'It was refused.' }) },
      'It was refused. (E_DNS_TOKEN)',
    ],
  ])('is left to the user %s', async (_, scene, said) => {
    const { manual, reverse } = await choose(scene);
    expect(reverse).toEqual([]);
    expect(manual).toMatchObject([
      { id: `ptr:${v4}`, title: expect.stringContaining(hostname) },
      { id: `ptr:${v6}`, detail: expect.arrayContaining([expect.stringContaining('ipv6: off')]) },
    ]);
    expect(manual[0]?.detail).toContainEqual(expect.stringContaining(said));
  });

  it('is remembered with what it was before, so that undo can give that back', async () => {
    const chosen = await choose({ entries: free, outbound6: 'open' });
    await chosen.carryOut();
    expect(chosen.written.map(({ kind }) => kind)).toEqual(['write', 'result', 'write', 'result']);
    const common = { hostname, hosting: 'hetzner', after: hostname, proven: true };
    expect(standingWrites(chosen.written, hostname)).toEqual([
      { ...common, address: v4, before: standard },
      { ...common, address: v6 },
    ]);
  });

  it('that somebody changed between two writes of ours is given back as they left it', () => {
    const write = (id: string, before: string, after: string) => ({
      kind: 'write' as const,
      id,
      at: '2026-11-24T00:00:00Z',
      hostname,
      hosting: 'hetzner',
      address: v4,
      before,
      after,
    });
    const standing = (...entries: ReverseJournalEntry[]) =>
      standingWrites(entries, hostname).map(({ before }) => before);
    expect(standing(write('1', 'a.example', hostname), write('2', 'c.example', hostname))).toEqual([
      'c.example',
    ]);
    expect(standing(write('1', 'a.example', 'b.example'), write('2', 'b.example', hostname))).toEqual([
      'a.example',
    ]);
  });

  it('is the business of undo only when it was set: a name that was entered by hand since stays', async () => {
    const error = (code: string) => new SetupError({ code, exit: 1, what: 'No.' });
    const lost = { entries: free, refusal: error('E_DNS_UNREACHABLE') };
    for (const [scene, left] of [
      [{ entries: free, refusal: error('E_DNS_TOKEN') }, []],
      [lost, []],
      [{ ...lost, done: true }, [{ proven: true }]],
      [{ ...lost, done: true, deaf: true }, [{ proven: false }]],
    ] as const) {
      const chosen = await choose(scene);
      await chosen.carryOut();
      expect(standingWrites(chosen.written, hostname)).toMatchObject(left);
    }
  });

  it('is taken back where it still is what a write of ours is known to have set', () => {
    const write = { hostname, hosting: 'hetzner', address: v4, after: hostname, proven: true };
    const [ours, other] = [hostname, 'www.example.org'].map((name) => ({ name, isDefault: false }));
    expect(whyLeft(write, ours)).toBeUndefined();
    expect(whyLeft(write, other)).toContain('no longer is what was set');
    expect(whyLeft(write, undefined)).toContain('no longer is what was set');
    expect(whyLeft({ ...write, proven: false }, ours)).toContain('somebody may have entered it');
  });
});
