import { sameRecord } from '../../src/dns/canonical.js';
import { readRecord, renderBody } from '../../src/dns/providers/cloudflare/record-codec.js';
import { cloudflare } from '../../src/dns/providers/cloudflare.js';
import type { DnsRecord } from '../../src/dns/record.js';
import { CloudflareEmulator } from '../../src/sandbox/cloudflare/emulator.js';
import { serveEmulator } from '../../src/sandbox/cloudflare/server.js';
import { renderRecord } from '../../src/sandbox/cloudflare/stored-record.js';
import { createMemoryBackend, type ZoneBackend } from '../../src/sandbox/cloudflare/zone-backend.js';
import type { Body } from '../../src/sandbox/cloudflare/zone-store.js';
import type { World } from './world.js';

export const token = 'conformance-token-0123456789abcdefghijkl';
const otherToken = 'someone-elses-token-0123456789abcdefghi';

export interface CloudflareWorld extends World {
  emulator: CloudflareEmulator;
  baseUrl: string;
}

/** The emulator on loopback, over any backend; `served` asks that backend. */
export async function makeCloudflareWorld(
  zone = 'example.test',
  backend?: { zone: ZoneBackend; served: World['served'] },
): Promise<CloudflareWorld> {
  const memory = createMemoryBackend();
  const emulator = new CloudflareEmulator({ backend: backend?.zone ?? memory });
  emulator.addZone({ name: zone, nameServers: ['ada.ns.cloudflare.com', 'bob.ns.cloudflare.com'] });
  emulator.addToken({ value: token, access: 'edit', zones: 'all' });
  emulator.addToken({ value: otherToken, access: 'edit', zones: 'all' });
  const server = await serveEmulator(emulator);
  const log: string[] = [];
  const waits: number[] = [];
  const bodyOf = (record: DnsRecord): Body => ({ ...renderBody(record) });
  const stored = (record: DnsRecord) => {
    const found = emulator.records(zone).find((candidate) => {
      const read = readRecord(renderRecord(candidate));
      return read !== undefined && sameRecord(read, record);
    });
    if (!found) throw new Error(`not stored: ${record.name}`);
    return found;
  };
  const write = '^/zones/[0-9a-f]+/dns_records';
  const fault = async (order: Parameters<CloudflareEmulator['addFault']>[0]): Promise<void> => {
    for (const method of ['POST', 'PATCH', 'DELETE']) emulator.addFault({ path: write, ...order, method });
  };
  return {
    zone,
    emulator,
    baseUrl: server.baseUrl,
    capabilities: cloudflare.capabilities,
    log,
    waits,
    open: () =>
      cloudflare.open({
        credentials: { token },
        fetch,
        signal: new AbortController().signal,
        baseUrl: server.baseUrl,
        log: (line) => log.push(line),
        wait: async (milliseconds) => void waits.push(milliseconds),
      }),
    served: async (name, type) =>
      backend
        ? backend.served(name, type)
        : memory
            .records(zone)
            .filter((record) => record.name === name && record.type === type)
            .map((record) => record.rdata),
    seed: async (record, how = {}) =>
      void (await emulator.seed(zone, {
        ...bodyOf(record),
        ...(how.comment ? { comment: how.comment } : {}),
      })),
    seedMany: async (records) => void (await emulator.zoneNamed(zone).seedAll(records.map(bodyOf))),
    seedReadOnly: async (record) =>
      void (await emulator.seed(zone, bodyOf(record), { email_routing: true, read_only: true })),
    removeBehind: async (record) =>
      void (await emulator.zoneNamed(zone).write([{ kind: 'delete', id: stored(record).id }])),
    changeBehind: async (record, to) =>
      void (await emulator
        .zoneNamed(zone)
        .write([{ kind: 'patch', id: stored(record).id, body: bodyOf(to) }])),
    commentOf: async (record) => stored(record).comment ?? undefined,
    writeCount: async () => emulator.writeCount(),
    resetWrites: async () => {
      emulator.clearCalls();
      waits.length = 0;
    },
    faults: {
      limitNextWrite: async (retryAfter) => {
        emulator.faults.clear();
        await fault({ answer: 429, retryAfter });
      },
      failAfterNextWrite: async () => {
        emulator.faults.clear();
        await fault({ answer: 503, when: 'after' });
      },
      cutAfterNextWrite: async () => {
        emulator.faults.clear();
        await fault({ answer: 'reset', when: 'after' });
      },
      failEverything: async () => emulator.addFault({ answer: 500, times: 1_000 }),
      clear: async () => emulator.faults.clear(),
      expireAfter: async (requests) =>
        emulator.addToken({ value: token, access: 'edit', zones: 'all', callsLeft: requests }),
      redirectNext: async () => emulator.addFault({ answer: 302, location: 'http://127.0.0.1:1/steal' }),
    },
    close: () => server.close(),
  };
}
