import type { ZoneRecord } from './zone-backend.js';

export type RecordData = Record<string, string | number>;

/** What a client can set on a record, normalised. */
export interface RecordFields {
  type: string;
  /** Full name in punycode, lower-case, without the final dot. */
  name: string;
  content: string;
  /** MX and SRV. */
  priority?: number;
  /** SRV, CAA, TLSA. */
  data?: RecordData;
  /** 1 is "automatic". */
  ttl: number;
  proxied: boolean;
  comment: string | null;
  tags: readonly string[];
}

export interface StoredRecord extends RecordFields {
  id: string;
  createdOn: string;
  modifiedOn: string;
  /** `read_only` and `email_routing` mark records that Cloudflare manages itself. */
  meta: Readonly<Record<string, boolean>>;
}

export const proxiableTypes: ReadonlySet<string> = new Set(['A', 'AAAA', 'CNAME']);

/** Seconds that "automatic" means in DNS answers. */
const automaticTtl = 300;

/** A record as the API shows it: https://developers.cloudflare.com/api/resources/dns/subresources/records/methods/get/ */
export function renderRecord(record: StoredRecord): Record<string, unknown> {
  return {
    id: record.id,
    name: record.name,
    type: record.type,
    content: record.content,
    ...(record.priority === undefined ? {} : { priority: record.priority }),
    ...(record.data === undefined ? {} : { data: record.data }),
    proxiable: proxiableTypes.has(record.type),
    proxied: record.proxied,
    ttl: record.ttl,
    settings: {},
    meta: record.meta,
    comment: record.comment,
    tags: record.tags,
    created_on: record.createdOn,
    modified_on: record.modifiedOn,
  };
}

const fqdn = (name: string): string => (name === '.' ? '.' : `${name}.`);

function renderRdata(record: RecordFields): string {
  const { type, content, priority, data } = record;
  if (type === 'CNAME' || type === 'NS' || type === 'PTR') return fqdn(content);
  if (type === 'MX') return `${priority} ${fqdn(content)}`;
  if (type === 'SRV' && data) {
    return `${data.priority} ${data.weight} ${data.port} ${fqdn(String(data.target))}`;
  }
  return content;
}

/**
 * What the name servers answer at one name: members of an RRset share a TTL (RFC 2181 section 5.2), a CNAME hides
 * everything else, and a proxied record answers with the proxy's addresses instead of its own.
 */
export function publishName(
  records: readonly StoredRecord[],
  proxyAddresses: readonly string[],
): ZoneRecord[] {
  const cname = records.find((record) => record.type === 'CNAME' && !record.proxied);
  const published = new Map<string, ZoneRecord>();
  const ttls = new Map<string, number>();
  for (const record of cname ? [cname] : records) {
    const ttl = record.ttl === 1 || record.proxied ? automaticTtl : record.ttl;
    const answers = record.proxied
      ? proxyAddresses.map((rdata) => ({ type: rdata.includes(':') ? 'AAAA' : 'A', rdata }))
      : [{ type: record.type, rdata: renderRdata(record) }];
    for (const { type, rdata } of answers) {
      ttls.set(type, Math.min(ttls.get(type) ?? ttl, ttl));
      published.set(`${type} ${rdata}`, { name: record.name, ttl, type, rdata });
    }
  }
  return [...published.values()].map((record) => ({ ...record, ttl: ttls.get(record.type) ?? record.ttl }));
}

/** BIND form of a record, one line: https://developers.cloudflare.com/dns/manage-dns-records/how-to/import-and-export/ */
export function renderBindLine(record: StoredRecord): string {
  const notes = [
    ...(record.comment ? [record.comment] : []),
    ...(proxiableTypes.has(record.type) ? [`cf_tags=cf-proxied:${record.proxied}`] : []),
  ];
  const line = `${record.name}.\t${record.ttl}\tIN\t${record.type}\t${renderRdata(record)}`;
  return notes.length > 0 ? `${line} ; ${notes.join(' ')}` : line;
}
