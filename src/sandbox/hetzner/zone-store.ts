import type { ZoneBackend, ZoneRecord } from '../cloudflare/zone-backend.js';
import { checkRdata } from '../emulator/check-rdata.js';
import { publish } from '../emulator/publish.js';
import { hetznerErrors } from './api-error.js';

export interface SetMember {
  value: string;
  comment?: string;
}

export interface RecordSet {
  name: string;
  type: string;
  /** Absent: the zone's default. */
  ttl?: number;
  records: readonly SetMember[];
  protectedFromChange: boolean;
}

export interface HetznerZoneSettings {
  name: string;
  mode?: 'primary' | 'secondary';
  delegation?: 'valid' | 'partially-valid' | 'invalid' | 'lame' | 'unregistered' | 'unknown';
  nameServers?: readonly string[];
  /** Default TTL, seconds. */
  ttl?: number;
}

export const setTypes = 'A AAAA CAA CNAME DS HINFO HTTPS MX NS PTR RP SOA SRV SVCB TLSA TXT'.split(' ');

const keyOf = (name: string, type: string): string => `${name}/${type}`;

/** One zone with its record sets; every change is published before it counts. */
export class HetznerZone {
  readonly id: number;
  readonly settings: Required<HetznerZoneSettings>;
  private readonly backend: ZoneBackend;
  private sets = new Map<string, RecordSet>();

  constructor(id: number, settings: HetznerZoneSettings, backend: ZoneBackend) {
    this.id = id;
    this.backend = backend;
    this.settings = {
      mode: 'primary',
      delegation: 'valid',
      nameServers: ['hydrogen.ns.hetzner.com.', 'oxygen.ns.hetzner.com.', 'helium.ns.hetzner.de.'],
      ttl: 3600,
      ...settings,
    };
  }

  list(): RecordSet[] {
    return [...this.sets.values()];
  }

  find(name: string, type: string): RecordSet | undefined {
    return this.sets.get(keyOf(name, type));
  }

  /** Puts a set in the place of the one of its name and type; an empty one goes. */
  async put(...changed: readonly RecordSet[]): Promise<void> {
    const next = new Map(this.sets);
    for (const set of changed) {
      this.check(set);
      if (set.records.length === 0) next.delete(keyOf(set.name, set.type));
      else next.set(keyOf(set.name, set.type), set);
    }
    for (const { name } of changed) {
      const types = [...next.values()].filter((set) => set.name === name).map((set) => set.type);
      if (types.length > 1 && types.includes('CNAME')) {
        throw hetznerErrors.input('rrsets', 'a CNAME record cannot stand beside other records');
      }
    }
    await publish(this.backend, this.settings.name, this.published(this.sets), this.published(next));
    this.sets = next;
  }

  private check({ name, type, ttl, records }: RecordSet): void {
    const labels = name === '@' ? [] : name.split('.');
    const fits = labels.every((label, at) => /^[a-z0-9_-]{1,63}$/.test(label) || (label === '*' && at === 0));
    if (!fits || name.endsWith(`.${this.settings.name}`)) {
      throw hetznerErrors.input('name', 'the name is not in lower case, or ends with a dot or the zone name');
    }
    if (!setTypes.includes(type)) throw hetznerErrors.input('type', 'unknown record type');
    if (ttl !== undefined && (!Number.isInteger(ttl) || ttl < 60 || ttl > 2_147_483_647)) {
      throw hetznerErrors.input('ttl', 'must be in between 60 and 2147483647');
    }
    const values = new Set<string>();
    records.forEach(({ value }, index) => {
      const problem = values.has(value) ? 'the value is not distinct' : checkRdata(type, value);
      if (problem !== undefined) throw hetznerErrors.input(`records[${index}].value`, problem);
      values.add(value);
    });
    if (type === 'CNAME' && records.length > 1)
      throw hetznerErrors.input('records', 'a CNAME set has one record');
  }

  private published(sets: ReadonlyMap<string, RecordSet>): ZoneRecord[] {
    const { name: zone, ttl: defaultTtl } = this.settings;
    return [...sets.values()].flatMap(({ name, type, ttl, records }) =>
      records.map(({ value }) => ({
        name: name === '@' ? zone : `${name}.${zone}`,
        ttl: ttl ?? defaultTtl,
        type,
        rdata: value,
      })),
    );
  }
}
