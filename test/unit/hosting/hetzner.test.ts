import { beforeEach, describe, expect, it } from 'vitest';
import type { ProviderContext } from '../../../src/dns/providers/provider.js';
import { hetznerCloud } from '../../../src/hosting/hetzner.js';
import type { ReverseNames } from '../../../src/hosting/hosting-api.js';
import { HetznerEmulator } from '../../../src/sandbox/hetzner/emulator.js';
import { createFaultyFetch, type FaultyFetch } from '../../conformance/faulty-fetch.js';

const token = 'hetzner0'.repeat(8);
const [v4, v6, floating] = ['198.51.100.7', '2001:db8:7::1', '198.51.100.99'];
const hostname = 'mail.example.org';

let emulator: HetznerEmulator;
let published: [string, string | undefined][];
let faulty: FaultyFetch;
let names: ReverseNames;
let waits: number[];

function open(credentials: Readonly<Record<string, string>> = {}): ReverseNames {
  const context: ProviderContext = {
    credentials: { token, ...credentials },
    fetch: faulty.fetch,
    signal: new AbortController().signal,
    log: () => undefined,
    wait: async (milliseconds) => void waits.push(milliseconds),
  };
  return hetznerCloud.open(context);
}

beforeEach(() => {
  published = [];
  waits = [];
  emulator = new HetznerEmulator({
    tokens: [{ value: token }, { value: 'readonly'.repeat(8), readOnly: true }],
    reverse: { setPtr: async (ip, name) => void published.push([ip, name]) },
  });
  // More addresses than a page holds: the server's come last.
  for (let host = 1; host <= 60; host++) emulator.addresses.add(`203.0.113.${host}`);
  emulator.addresses.add(v4);
  emulator.addresses.add('2001:db8:7::/64');
  emulator.addresses.add(floating, 'floating_ip');
  faulty = createFaultyFetch(async (input, init) => {
    const url = new URL(String(input));
    const answer = await emulator.answer({
      method: init?.method ?? 'GET',
      url: url.pathname + url.search,
      headers: Object.fromEntries(new Headers(init?.headers)),
      body: Buffer.from(init?.body === undefined ? '' : String(init.body)),
    });
    if (answer === 'reset') throw new TypeError('fetch failed');
    return new Response(answer.body, { status: answer.status, headers: answer.headers });
  });
  names = open();
});

describe('reverse names at Hetzner Cloud', () => {
  it('tells a name that nobody chose from one that somebody did', async () => {
    expect(await names.read(v4)).toEqual({
      name: 'static.7.100.51.198.clients.your-server.de',
      isDefault: true,
    });
    expect(await names.read(v6)).toEqual({ isDefault: true });
    await names.set(v4, 'www.example.org');
    expect(await names.read(v4)).toEqual({ name: 'www.example.org', isDefault: false });
  });

  it('sets the name of an IPv4 address, of one in an IPv6 network, and of a floating one', async () => {
    for (const address of [v4, v6, floating]) {
      await names.set(address, hostname);
      expect(await names.read(address)).toEqual({ name: hostname, isDefault: false });
    }
    expect(published).toEqual([v4, v6, floating].map((address) => [address, hostname]));
  });

  it('gives an address back what the provider calls it by itself', async () => {
    for (const address of [v4, v6]) {
      const before = await names.read(address);
      await names.set(address, hostname);
      await names.set(address, undefined);
      expect(await names.read(address)).toEqual(before);
    }
  });

  it('knows nothing of addresses of other projects, and sets none of them', async () => {
    expect(await names.read('192.0.2.1')).toBeUndefined();
    expect(await names.read('2001:db8:8::1')).toBeUndefined();
    await expect(names.set('192.0.2.1', hostname)).rejects.toMatchObject({ code: 'E_DNS_API' });
    expect(published).toEqual([]);
  });

  it.each(['failAfterNextWrite', 'cutAfterNextWrite'] as const)(
    'looks before it repeats what was done although its answer was lost (%s)',
    async (fault) => {
      await faulty.faults[fault]();
      await names.set(v4, hostname);
      expect(published).toEqual([[v4, hostname]]);
      expect(faulty.writeCount()).toBe(1);
    },
  );

  it('honours Retry-After', async () => {
    await faulty.faults.limitNextWrite(7);
    await names.set(v4, hostname);
    expect(waits[0]).toBe(7000);
    expect(published).toEqual([[v4, hostname]]);
  });

  it('says what to do about a token that may only read', async () => {
    const reader = open({ token: 'readonly'.repeat(8) });
    expect(await reader.read(v4)).toMatchObject({ isDefault: true });
    await expect(reader.set(v4, hostname)).rejects.toMatchObject({ code: 'E_DNS_TOKEN', exit: 2 });
    expect(published).toEqual([]);
  });

  it('reports an action that fails', async () => {
    emulator.failNextAction('action_failed', 'no');
    await expect(names.set(v4, hostname)).rejects.toMatchObject({
      evidence: [expect.stringContaining('action_failed')],
    });
  });

  it('does not believe in a name that is not there afterwards', async () => {
    emulator.addresses.change = async () => ({ action: { id: 1, status: 'success' } });
    await expect(names.set(v4, hostname)).rejects.toMatchObject({ code: 'E_PTR_UNSET' });
  });
});
