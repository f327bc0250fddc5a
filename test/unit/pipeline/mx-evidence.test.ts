import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { PinnedRequest, PinnedResponse } from '../../../src/checks/pinned-fetch.js';
import type { JournalEntry } from '../../../src/dns/journal.js';
import type { LiveRecord } from '../../../src/dns/record.js';
import type { Answer, QueryType } from '../../../src/dns/resolver/index.js';
import { createPortProbe, gatherMxEvidence, type MxEvidenceDeps } from '../../../src/pipeline/mx-evidence.js';
import { domain, domainName, host, hostName, ipv4, live, mx, txt } from '../dns/zone-fixture.js';

const web = '8.8.4.4';
const intent = { input: { hosts: [host], domains: [domain] }, desired: [], web: new Map() };
const policy = 'version: STSv1\nmode: enforce\nmx: aspmx.l.google.com\nmax_age: 86400\n';

interface Scene {
  addresses?: Readonly<Record<string, string>>;
  open?: readonly string[];
  response?: PinnedResponse;
  entries?: readonly JournalEntry[];
  mail?: 'full' | 'send-only';
  privateNetwork?: boolean;
}

async function gather(records: readonly LiveRecord[], scene: Scene = {}) {
  const asked: string[] = [];
  const fetched: PinnedRequest[] = [];
  const { addresses = {}, open = [], response, entries = [], privateNetwork = false } = scene;
  const deps: MxEvidenceDeps = {
    authoritative: {
      async resolve(name: string, type: QueryType): Promise<Answer> {
        const address = type === 'A' ? addresses[name] : undefined;
        const common = { name, type, chain: [], ad: false, via: 'test', level: 'authoritative' as const };
        if (address === undefined) return { ...common, status: 'nodata', records: [] };
        return { ...common, status: 'ok', records: [{ name, ttl: 60, data: { type: 'A', address } }] };
      },
    },
    async fetch(request) {
      fetched.push(request);
      return response ?? { ok: false, reason: 'timeout', detail: '' };
    },
    async probePort(address, port) {
      asked.push(`${address}:${port}`);
      return open.includes(address);
    },
    journal: { read: async () => [...entries] },
    now: () => Date.parse('2026-11-24T10:30:00Z'),
    privateNetwork,
  };
  const domains = [{ ...domain, mail: scene.mail ?? 'full' }];
  const input = { ...intent.input, domains };
  return {
    evidence: await gatherMxEvidence(domainName, records, { ...intent, input }, deps),
    asked,
    fetched,
  };
}

describe('a domain without MX', () => {
  const addresses = { [domainName]: web };

  it('whose own address answers on port 25 takes mail there', async () => {
    const { evidence, asked } = await gather([], { addresses, open: [web] });
    expect(evidence.implicitMx).toEqual({ [domainName]: web });
    expect(asked).toEqual([`${web}:25`]);
  });

  it('whose address is silent, is ours or is not there says nothing', async () => {
    expect((await gather([], { addresses })).evidence.implicitMx).toEqual({});
    const ours = await gather([], { addresses: { [domainName]: ipv4 }, open: [ipv4], privateNetwork: true });
    expect([ours.evidence.implicitMx, ours.asked]).toEqual([{}, []]);
    expect((await gather([])).asked).toEqual([]);
  });

  it('A7: a private address is connected to in a private network only', async () => {
    const inside = { addresses: { [domainName]: '192.168.1.5' }, open: ['192.168.1.5'] };
    expect((await gather([], inside)).asked).toEqual([]);
    const { evidence } = await gather([], { ...inside, privateNetwork: true });
    expect(evidence.implicitMx).toEqual({ [domainName]: '192.168.1.5' });
  });

  it('is not looked at when an MX stands, and not when the domain only sends', async () => {
    expect((await gather([mx('old.example')], { addresses })).asked).toEqual([]);
    expect((await gather([mx(hostName)], { addresses })).asked).toEqual([]);
    expect((await gather([], { addresses, mail: 'send-only' })).asked).toEqual([]);
  });
});

describe('an MTA-STS policy that is announced', () => {
  const announced = [mx('old.example'), txt(`_mta-sts.${domainName}`, 'v=STSv1; id=1')];
  const addresses = { [`mta-sts.${domainName}`]: web };
  const answer = (body: string, status = 200, tooLong = false): PinnedResponse => ({
    ok: true,
    status,
    contentType: 'text/plain',
    body,
    tooLong,
  });

  it('is read from the addresses that DNS gives', async () => {
    const { evidence, fetched } = await gather(announced, { addresses, response: answer(policy) });
    expect(evidence.stsPolicy).toEqual({ [domainName]: { mode: 'enforce', mx: ['aspmx.l.google.com'] } });
    expect(fetched).toMatchObject([{ addresses: [web], timeoutMs: 5000 }]);
    expect(fetched[0]?.url.href).toBe(`https://mta-sts.${domainName}/.well-known/mta-sts.txt`);
  });

  it.each<[string, PinnedResponse]>([
    ['cannot be fetched', { ok: false, reason: 'certificate', detail: '' }],
    ['is an error page', answer(policy, 404)],
    ['is too long', answer(policy, 200, true)],
    ['is no policy', answer('hello')],
  ])('that %s is unknown', async (_, response) => {
    const { evidence } = await gather(announced, { addresses, response });
    expect(evidence.stsPolicy).toEqual({ [domainName]: 'unknown' });
  });

  it('A7: is not fetched from a private address', async () => {
    const inside = { [`mta-sts.${domainName}`]: '10.0.0.1' };
    const { evidence, fetched } = await gather(announced, { addresses: inside, response: answer(policy) });
    expect(fetched).toMatchObject([{ addresses: [] }]);
    expect(fetched[0]?.addresses).toEqual([]);
    expect(evidence.stsPolicy).toBeDefined();
  });

  it('is not asked for without a record, nor once the MX is ours', async () => {
    expect((await gather([mx('old.example')])).fetched).toEqual([]);
    const ours = [mx(hostName), ...announced.slice(1)];
    expect((await gather(ours, { addresses })).fetched).toEqual([]);
    const alias = live(`_mta-sts.${domainName}`, { type: 'CNAME', target: 'sts.vendor.example' });
    expect((await gather([alias], { addresses })).fetched).toHaveLength(1);
  });
});

it('remembers from the journal how long caches hold the old MX', async () => {
  const old = mx('old.example', 1, { ttl: 300 });
  const entries: JournalEntry[] = [
    {
      kind: 'write',
      id: '1',
      at: '2026-11-24T10:00:00Z',
      stage: 'host',
      role: 'mx',
      change: { op: 'update', before: { ...old, ttl: 3600 }, after: old },
    },
  ];
  expect((await gather([old], { entries })).evidence.mxCachedFor).toEqual({ [domainName]: 1800 });
  expect((await gather([mx(hostName)], { entries })).evidence.mxCachedFor).toEqual({});
});

describe('the probe of a port', () => {
  it('says whether a connection is accepted, and obeys the signal', async () => {
    const server = createServer((socket) => socket.end());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const abort = new AbortController();
    const probe = createPortProbe(5000, abort.signal);
    expect(await probe('127.0.0.1', port)).toBe(true);
    await new Promise((resolve) => server.close(resolve));
    expect(await probe('127.0.0.1', port)).toBe(false);
    abort.abort(new Error('enough'));
    await expect(probe('127.0.0.1', port)).rejects.toThrow('enough');
  });
});
