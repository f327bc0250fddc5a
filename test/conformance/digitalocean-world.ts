import { sameRecord } from '../../src/dns/canonical.js';
import { readRecord } from '../../src/dns/providers/digitalocean/api.js';
import { digitalocean } from '../../src/dns/providers/digitalocean.js';
import type { DnsRecord } from '../../src/dns/record.js';
import { createMemoryBackend, type ZoneBackend } from '../../src/sandbox/cloudflare/zone-backend.js';
import type { Domain } from '../../src/sandbox/digitalocean/domain-store.js';
import { DigitalOceanEmulator } from '../../src/sandbox/digitalocean/emulator.js';
import { serveApi } from '../../src/sandbox/emulator/serve-api.js';
import { createFaultyFetch } from './faulty-fetch.js';
import type { World } from './world.js';

export const token = `dop_v1_${'0123456789abcdef'.repeat(4)}`;
export const readToken = `dop_v1_${'fedcba9876543210'.repeat(4)}`;

export interface DigitalOceanWorld extends World {
  domain: Domain;
}

/** The emulator on loopback, over any backend; `served` asks that backend. */
export async function makeDigitalOceanWorld(
  zone = 'example.test',
  backend?: { zone: ZoneBackend; served: World['served'] },
): Promise<DigitalOceanWorld> {
  const memory = createMemoryBackend();
  const tokens = [{ value: token }, { value: readToken, scopes: ['domain:read'] }];
  const emulator = new DigitalOceanEmulator({ backend: backend?.zone ?? memory, tokens });
  const domain = emulator.addDomain(zone);
  const provided = { priority: null, port: null, weight: null, flags: null, tag: null, ttl: 1800 };
  await domain.adopt({ ...provided, type: 'SOA', name: '@', data: '1800' });
  for (const n of [1, 2, 3]) {
    await domain.adopt({ ...provided, type: 'NS', name: '@', data: `ns${n}.digitalocean.com` });
  }
  const api = await serveApi(emulator);
  const faulty = createFaultyFetch();
  const log: string[] = [];
  const waits: number[] = [];
  const bodyOf = ({ name, ttl, data }: DnsRecord) => {
    if (data.type !== 'TXT') throw new Error('only TXT is seeded');
    return { type: 'TXT', name: name === zone ? '@' : name.slice(0, -zone.length - 1), data: data.text, ttl };
  };
  const idOf = (record: DnsRecord): number => {
    const place = { id: zone, name: zone, nameServers: [], state: 'active' as const };
    const found = domain.list().find((stored) => sameRecord(readRecord({ ...stored }, place), record));
    if (!found) throw new Error(`not stored: ${record.name}`);
    return found.id;
  };
  return {
    zone,
    domain,
    capabilities: digitalocean.capabilities,
    // No parameters in CAA, and no "service not offered" in SRV.
    refuses: ['caa', '_imap._tcp'],
    log,
    waits,
    open: (credentials = {}) =>
      digitalocean.open({
        credentials: { token, ...credentials },
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
    seed: async (record) => void (await domain.create(bodyOf(record))),
    seedMany: async (records) => void (await domain.create(...records.map(bodyOf))),
    removeBehind: (record) => domain.remove(idOf(record)),
    changeBehind: async (record, to) => void (await domain.update(idOf(record), bodyOf(to))),
    writeCount: async () => faulty.writeCount(),
    resetWrites: async () => {
      faulty.reset();
      waits.length = 0;
    },
    requestsFor: (records) => records,
    faults: faulty.faults,
    close: async () => {
      await domain.remove(...domain.list().map(({ id }) => id));
      await api.close();
    },
  };
}
