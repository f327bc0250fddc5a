import type { DnsRecord, RecordData } from '../../record.js';
import { asObject, type Loose } from '../http-api.js';
import type { DnsProvider, Zone } from '../provider.js';
import type { NeededChange, ZoneWriter } from '../write-changes.js';
import { type DigitalOceanApi, readRecord } from './api.js';

/** A CNAME can only come after what stood at its name went. */
const ranks = { delete: 0, update: 1, create: 2 } as const;

/** One request a record. */
export function createWriter(api: DigitalOceanApi, audit: DnsProvider['audit']): ZoneWriter {
  return {
    context: api.http.context,
    audit,
    list: (zone) => api.list(zone),
    classify: (error) => api.http.classify(error),
    toUnits: (zone, needed) =>
      [...needed]
        .sort((a, b) => ranks[a.change.op] - ranks[b.change.op])
        .map((item) => ({ needed: [item], run: () => writeOne(api, zone, item) })),
  };
}

async function writeOne(api: DigitalOceanApi, zone: Zone, { change, current }: NeededChange) {
  const path = api.path(zone);
  if (change.op === 'delete') {
    await api.http.send('DELETE', `${path}/${current?.id}`);
    return [undefined];
  }
  const body = renderBody(change.after, zone);
  const answer =
    change.op === 'create'
      ? await api.http.send('POST', path, body)
      : await api.http.send('PUT', `${path}/${current?.id}`, body);
  return [readRecord(asObject(asObject(answer).domain_record), zone)];
}

/** Fields that a type has no use for; the reference names some of them as required all the same, and sends null. */
const unused = { priority: null, port: null, weight: null, flags: null, tag: null } as const;

function renderBody({ name, ttl, data }: DnsRecord, zone: Zone): Loose {
  const label = name === zone.name ? '@' : name.slice(0, -zone.name.length - 1);
  return { name: label, ttl, type: data.type, ...unused, ...renderData(data) };
}

/** Hosts are written with their final dot, and so is the value of a CAA record, except for a URL. */
function renderData(data: RecordData): Loose {
  switch (data.type) {
    case 'A':
    case 'AAAA':
      return { data: data.address };
    case 'CNAME':
    case 'NS':
      return { data: `${data.target}.` };
    case 'MX':
      return { data: `${data.exchange}.`, priority: data.preference };
    case 'TXT':
      return { data: data.text };
    case 'SRV':
      return { data: `${data.target}.`, priority: data.priority, weight: data.weight, port: data.port };
    case 'CAA':
      return {
        data: data.tag === 'iodef' ? data.value : `${data.value}.`,
        flags: data.flags,
        tag: data.tag,
      };
    default:
      throw new TypeError(`records of type ${data.type} are not written`);
  }
}
