import { ancestorsWithin, canonicalName, canonicalRecord } from '../../canonical.js';
import type { LiveRecord, RecordData } from '../../record.js';
import { collectPages } from '../collect-pages.js';
import { asArray, asNumber, asObject, asText, HttpApi, type Loose } from '../http-api.js';
import type { ProviderContext, Zone } from '../provider.js';

const perPage = 200;

/** Domains and domain records of https://docs.digitalocean.com/reference/api/digitalocean/ */
export class DigitalOceanApi {
  readonly http: HttpApi;
  private readonly context: ProviderContext;

  constructor(context: ProviderContext, baseUrl: string, token: string, tokenFix: readonly string[]) {
    this.context = context;
    this.http = new HttpApi(context, {
      title: 'DigitalOcean',
      baseUrl,
      headers: { authorization: `Bearer ${token}` },
      tokenFix,
      describe: (body) => {
        const { id, message } = asObject(body);
        return [asText(id), asText(message)].filter((part) => part !== '').join('; ');
      },
    });
  }

  async verify(): Promise<{ detail: string }> {
    const answer = asObject(await this.http.read('list the domains', '/domains?per_page=1'));
    const total = asNumber(asObject(answer.meta).total);
    return { detail: `reaches ${total} ${total === 1 ? 'domain' : 'domains'}` };
  }

  /** R1: asks for each suffix, the longest first. A domain of somebody else's account is "not found" too. */
  async findZone(name: string): Promise<Zone | null> {
    for (const candidate of ancestorsWithin(canonicalName(name), '')) {
      const path = `/domains/${encodeURIComponent(candidate)}`;
      const found = await this.http.read(`look up the domain ${candidate}`, path, true);
      if (found === undefined) continue;
      const answer = asObject(
        await this.http.read(
          `read the name servers of ${candidate}`,
          `${path}/records?type=NS&per_page=${perPage}`,
        ),
      );
      const servers = asArray(answer.domain_records)
        .map(asObject)
        .filter((record) => record.type === 'NS' && record.name === '@')
        .map((record) => canonicalName(asText(record.data)));
      return { id: candidate, name: candidate, nameServers: servers, state: 'active' };
    }
    return null;
  }

  async list(zone: Zone): Promise<LiveRecord[]> {
    const doing = `list the records of ${zone.name}`;
    const records = await collectPages(
      this.context,
      zone.name,
      async (page) => {
        const answer = asObject(
          await this.http.read(doing, `${this.path(zone)}?page=${page}&per_page=${perPage}`),
        );
        return { items: asArray(answer.domain_records), total: asNumber(asObject(answer.meta).total) };
      },
      (record) => String(asNumber(asObject(record).id)),
    );
    return records.map((record) => readRecord(asObject(record), zone));
  }

  path(zone: Zone): string {
    return `/domains/${encodeURIComponent(zone.id)}/records`;
  }
}

/** A record of an answer. Hosts come without their final dot, the domain itself as `@`, TXT as it is. */
export function readRecord(record: Loose, zone: Zone): LiveRecord {
  const type = asText(record.type);
  const label = asText(record.name);
  return canonicalRecord({
    id: String(asNumber(record.id)),
    name: label === '@' ? zone.name : `${label}.${zone.name}`,
    ttl: asNumber(record.ttl),
    data: readData(type, record, zone),
    // The SOA is the provider's.
    ...(type === 'SOA' ? { readOnly: true } : {}),
  });
}

function readData(type: string, record: Loose, zone: Zone): RecordData {
  const value = asText(record.data);
  const host = value === '@' ? zone.name : value;
  switch (type) {
    case 'A':
    case 'AAAA':
      return { type, address: value };
    case 'CNAME':
    case 'NS':
      return { type, target: host };
    case 'MX':
      return { type, preference: asNumber(record.priority), exchange: host };
    case 'TXT':
      return { type, text: value };
    case 'SRV': {
      const { priority, weight, port } = record;
      const [a, b, c] = [priority, weight, port].map(asNumber) as [number, number, number];
      return { type, priority: a, weight: b, port: c, target: host };
    }
    case 'CAA':
      return {
        type,
        flags: asNumber(record.flags),
        tag: asText(record.tag),
        value: value.replace(/\.$/, ''),
      };
    default:
      return { type: 'OTHER', rrtype: type, text: value };
  }
}
