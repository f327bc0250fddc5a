import { typeOf } from '../../src/dns/canonical.js';
import { renderValue } from '../../src/dns/providers/route53/record-codec.js';
import { route53 } from '../../src/dns/providers/route53.js';
import type { DnsRecord } from '../../src/dns/record.js';
import { createMemoryBackend, type ZoneBackend } from '../../src/sandbox/cloudflare/zone-backend.js';
import { serveApi } from '../../src/sandbox/emulator/serve-api.js';
import { Route53Emulator } from '../../src/sandbox/route53/emulator.js';
import type { HostedSet, HostedZone } from '../../src/sandbox/route53/hosted-zone.js';
import { createFaultyFetch } from './faulty-fetch.js';
import type { World } from './world.js';

export const accessKeyId = 'AKIAIOSFODNN7EXAMPLE';
export const secretAccessKey = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
export const readerKeyId = 'AKIAREADERNN7EXAMPLE';

export interface Route53World extends World {
  emulator: Route53Emulator;
  hosted: HostedZone;
}

/** The emulator on loopback, over any backend; `served` asks that backend. */
export async function makeRoute53World(
  zone = 'example.test',
  backend?: { zone: ZoneBackend; served: World['served'] },
): Promise<Route53World> {
  const memory = createMemoryBackend();
  const keys = [
    { id: accessKeyId, secret: secretAccessKey },
    { id: readerKeyId, secret: secretAccessKey, readOnly: true },
  ];
  const emulator = new Route53Emulator({ backend: backend?.zone ?? memory, keys });
  const hosted = emulator.addZone(zone);
  const api = await serveApi(emulator);
  const faulty = createFaultyFetch();
  const log: string[] = [];
  const waits: number[] = [];
  const setOf = (record: DnsRecord): HostedSet =>
    hosted.find(`${record.name}.`, typeOf(record.data)) ?? {
      name: `${record.name}.`,
      type: typeOf(record.data),
      ttl: record.ttl,
      values: [],
    };
  const put = (set: HostedSet): Promise<void> => hosted.change([{ action: 'UPSERT', set }]);
  const add = (record: DnsRecord): Promise<void> => {
    const set = setOf(record);
    return put({ ...set, values: [...set.values, renderValue(record.data)] });
  };
  const remove = async (record: DnsRecord): Promise<void> => {
    const set = setOf(record);
    const values = set.values.filter((value) => value !== renderValue(record.data));
    await hosted.change([{ action: 'DELETE', set }]);
    if (values.length > 0) await put({ ...set, values });
  };
  return {
    zone,
    emulator,
    hosted,
    capabilities: route53.capabilities,
    log,
    waits,
    open: (credentials = {}) =>
      route53.open({
        credentials: { accessKeyId, secretAccessKey, ...credentials },
        fetch: faulty.fetch,
        signal: new AbortController().signal,
        baseUrl: api.origin,
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
    seed: add,
    seedMany: (records) =>
      hosted.change(
        records.map((record) => ({
          action: 'CREATE',
          set: { ...setOf(record), values: [renderValue(record.data)] },
        })),
      ),
    removeBehind: remove,
    changeBehind: async (record, to) => {
      await remove(record);
      await add(to);
    },
    writeCount: async () => faulty.writeCount(),
    resetWrites: async () => {
      faulty.reset();
      waits.length = 0;
    },
    faults: faulty.faults,
    close: async () => {
      await hosted.change(hosted.list().map((set) => ({ action: 'DELETE', set })));
      await api.close();
    },
  };
}
