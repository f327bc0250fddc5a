import { formatData, typeOf } from '../../src/dns/canonical.js';
import { hetzner } from '../../src/dns/providers/hetzner.js';
import type { DnsRecord } from '../../src/dns/record.js';
import { createMemoryBackend, type ZoneBackend } from '../../src/sandbox/cloudflare/zone-backend.js';
import { serveApi } from '../../src/sandbox/emulator/serve-api.js';
import { HetznerEmulator, type HetznerOptions } from '../../src/sandbox/hetzner/emulator.js';
import type { HetznerZone } from '../../src/sandbox/hetzner/zone-store.js';
import { createFaultyFetch } from './faulty-fetch.js';
import type { World } from './world.js';

export const token = 'hetzner0'.repeat(8);

export interface HetznerWorld extends World {
  emulator: HetznerEmulator;
  apiZone: HetznerZone;
}

/** The emulator on loopback, over any backend; `served` asks that backend. */
export async function makeHetznerWorld(
  zone = 'example.test',
  backend?: { zone: ZoneBackend; served: World['served'] },
  options: Partial<HetznerOptions> = {},
): Promise<HetznerWorld> {
  const memory = createMemoryBackend();
  const tokens = [{ value: token }, { value: 'readonly'.repeat(8), readOnly: true }];
  const emulator = new HetznerEmulator({ backend: backend?.zone ?? memory, tokens, ...options });
  const apiZone = emulator.addZone({ name: zone });
  const api = await serveApi(emulator);
  const faulty = createFaultyFetch();
  const log: string[] = [];
  const waits: number[] = [];
  const labelOf = ({ name }: DnsRecord): string => (name === zone ? '@' : name.slice(0, -zone.length - 1));
  const setOf = (record: DnsRecord) => {
    const [name, type] = [labelOf(record), typeOf(record.data)];
    return (
      apiZone.find(name, type) ?? { name, type, ttl: record.ttl, records: [], protectedFromChange: false }
    );
  };
  const add = async (record: DnsRecord, comment?: string, locked = false): Promise<void> => {
    const set = setOf(record);
    const member = { value: formatData(record.data), ...(comment === undefined ? {} : { comment }) };
    await apiZone.put({ ...set, records: [...set.records, member], protectedFromChange: locked });
  };
  const remove = async (record: DnsRecord): Promise<void> => {
    const set = setOf(record);
    const records = set.records.filter(({ value }) => value !== formatData(record.data));
    await apiZone.put({ ...set, records });
  };
  return {
    zone,
    emulator,
    apiZone,
    capabilities: hetzner.capabilities,
    log,
    waits,
    open: (credentials = {}) =>
      hetzner.open({
        credentials: { token, ...credentials },
        fetch: faulty.fetch,
        signal: new AbortController().signal,
        baseUrl: `${api.origin}/v1`,
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
    seed: (record, how = {}) => add(record, how.comment),
    seedMany: (records) =>
      apiZone.put(
        ...records.map((record) => ({ ...setOf(record), records: [{ value: formatData(record.data) }] })),
      ),
    seedReadOnly: (record) => add(record, undefined, true),
    removeBehind: remove,
    changeBehind: async (record, to) => {
      await remove(record);
      await add(to);
    },
    commentOf: async (record) =>
      setOf(record).records.find(({ value }) => value === formatData(record.data))?.comment,
    writeCount: async () => faulty.writeCount(),
    resetWrites: async () => {
      faulty.reset();
      waits.length = 0;
    },
    // Each set is a request of its own.
    requestsFor: (records) => records,
    faults: faulty.faults,
    close: async () => {
      await apiZone.put(...apiZone.list().map((set) => ({ ...set, records: [] })));
      await api.close();
    },
  };
}
