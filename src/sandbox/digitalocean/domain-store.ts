import { isIPv4, isIPv6 } from 'node:net';
import type { ZoneBackend, ZoneRecord } from '../cloudflare/zone-backend.js';
import { publish } from '../emulator/publish.js';
import { notFound, unprocessable } from './api-error.js';

/** https://docs.digitalocean.com/reference/api/digitalocean/#tag/Domain-Records: all fields of a domain record. */
export interface DomainRecord {
  id: number;
  type: string;
  name: string;
  data: string;
  priority: number | null;
  port: number | null;
  ttl: number;
  weight: number | null;
  flags: number | null;
  tag: string | null;
}

export type RecordFields = Omit<DomainRecord, 'id'>;

const writable = 'A AAAA CAA CNAME MX NS SRV TXT'.split(' ');
const fields = 'type name data priority port ttl weight flags tag'.split(' ');
const hosted = new Set(['CNAME', 'MX', 'NS', 'SRV']);
const hostName = /^(@|([A-Za-z0-9_-]{1,63}\.)+)$/;

/** One domain with its records; every change is published before it counts. */
export class Domain {
  readonly name: string;
  private readonly backend: ZoneBackend;
  private records = new Map<number, DomainRecord>();
  private nextId = 28_448_429;

  constructor(name: string, backend: ZoneBackend) {
    this.name = name;
    this.backend = backend;
  }

  list(): DomainRecord[] {
    return [...this.records.values()];
  }

  get(id: number): DomainRecord {
    const record = this.records.get(id);
    if (!record) throw notFound();
    return record;
  }

  async create(...bodies: readonly Readonly<Record<string, unknown>>[]): Promise<DomainRecord[]> {
    const added = bodies.map((body) => ({ id: this.nextId++, ...this.readFields(body) }));
    await this.commit(
      new Map([...this.records, ...added.map((record) => [record.id, record] as const)]),
      added,
    );
    return added;
  }

  async update(id: number, body: Readonly<Record<string, unknown>>): Promise<DomainRecord> {
    const { id: _id, ...old } = this.get(id);
    const record = { id, ...this.readFields({ ...old, data: this.written(old), ...body }) };
    await this.commit(new Map([...this.records, [id, record]]), [record]);
    return record;
  }

  async remove(...ids: readonly number[]): Promise<void> {
    for (const id of ids) this.get(id);
    await this.commit(new Map([...this.records].filter(([id]) => !ids.includes(id))), []);
  }

  /** A record that the provider made itself; nothing of it is checked. */
  async adopt(record: RecordFields): Promise<void> {
    const adopted = { id: this.nextId++, ...record };
    await this.commit(new Map([...this.records, [adopted.id, adopted]]), []);
  }

  private written({ type, data }: RecordFields): string {
    return hosted.has(type) && data !== '@' ? `${data}.` : data;
  }

  private async commit(next: Map<number, DomainRecord>, changed: readonly DomainRecord[]): Promise<void> {
    for (const { name } of changed) {
      const there = [...next.values()].filter((record) => record.name === name);
      if (there.length > 1 && there.some(({ type }) => type === 'CNAME')) {
        throw unprocessable('CNAME records cannot share a name with other records.');
      }
    }
    const rows = (records: Map<number, DomainRecord>) =>
      [...records.values()].flatMap((r) => this.publishable(r));
    await publish(this.backend, this.name, rows(this.records), rows(next));
    this.records = next;
  }

  private readFields(body: Readonly<Record<string, unknown>>): RecordFields {
    const unknown = Object.keys(body).find((key) => !fields.includes(key));
    if (unknown !== undefined) throw unprocessable(`Unknown field ${unknown}.`);
    const { type, name, data } = body;
    if (typeof type !== 'string' || !writable.includes(type))
      throw unprocessable('Record type is not included in the list');
    if (typeof name !== 'string' || !/^(@|(\*|[a-z0-9_-]{1,63})(\.[a-z0-9_-]{1,63})*)$/.test(name)) {
      throw unprocessable('Name must be a label or a relative name.');
    }
    if (typeof data !== 'string' || data === '') throw unprocessable("Data can't be blank");
    const number = (key: string, needed: boolean, most = 65_535, least = 0): number | null => {
      const value = body[key];
      if (value === undefined || value === null) {
        if (needed) throw unprocessable(`${key} can't be blank`);
        return null;
      }
      const fits = typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most;
      if (!fits) throw unprocessable(`${key} must be between ${least} and ${most}`);
      return value;
    };
    const [srv, caa] = [type === 'SRV', type === 'CAA'];
    const tag = body.tag ?? null;
    if (tag !== null && typeof tag !== 'string') throw unprocessable('Tag must be text');
    if (caa && !['issue', 'issuewild', 'iodef'].includes(tag ?? ''))
      throw unprocessable('Tag is not included in the list');
    return {
      type,
      name,
      data: readData(type, data, tag, this.name),
      priority: number('priority', srv || type === 'MX'),
      port: number('port', srv, 65_535, 1),
      ttl: number('ttl', false, 2_147_483_647, 30) ?? 1800,
      weight: number('weight', srv),
      flags: number('flags', caa, 255),
      tag,
    };
  }

  private publishable(record: DomainRecord): ZoneRecord[] {
    const { type, data, priority, weight, port, flags, tag } = record;
    if (type === 'SOA') return [];
    const name = record.name === '@' ? this.name : `${record.name}.${this.name}`;
    const host = `${data === '@' ? this.name : data}.`;
    const pieces = data.match(/[\s\S]{1,255}/g) ?? [''];
    const rdata: Readonly<Record<string, string>> = {
      CNAME: host,
      NS: host,
      MX: `${priority} ${host}`,
      SRV: `${priority} ${weight} ${port} ${host}`,
      CAA: `${flags} ${tag} "${data}"`,
      TXT: pieces.map((piece) => `"${piece.replaceAll('"', '\\"')}"`).join(' '),
    };
    return [{ name, ttl: record.ttl, type, rdata: rdata[type] ?? data }];
  }
}

/** Data as it is stored: host names lose their final dot, and the domain's own name becomes `@`. */
function readData(type: string, data: string, tag: string | null, domain: string): string {
  if (type === 'A' && !isIPv4(data)) throw unprocessable('IP address did not match IPv4 format');
  if (type === 'AAAA' && !isIPv6(data)) throw unprocessable('IP address did not match IPv6 format');
  if (type === 'TXT') {
    // https://github.com/StackExchange/dnscontrol/issues/370: the quoted form is what is counted.
    const quoted = data.length + 2 * Math.ceil(data.length / 255) + (data.match(/"/g)?.length ?? 0);
    if (quoted > 512) throw unprocessable('Data is too long (maximum is 512 characters)');
    if (data.includes('\\')) throw unprocessable('Data must not contain backslashes');
    return data;
  }
  if (type === 'CAA') {
    if (/[;\s]/.test(data)) throw unprocessable('Data is invalid');
    if (tag === 'iodef') return data;
    if (!data.endsWith('.')) throw unprocessable('Data needs to end with a dot (.)');
    return data.slice(0, -1);
  }
  if (!hosted.has(type)) return data;
  if (type !== 'SRV' && data === '.') throw unprocessable('Data must be a host name');
  if (data !== '@' && !data.endsWith('.')) throw unprocessable('Data needs to end with a dot (.)');
  if (data !== '.' && !hostName.test(data)) throw unprocessable('Data must be a host name');
  const host = data === '@' ? domain : data.slice(0, -1);
  return host === domain ? '@' : host;
}
