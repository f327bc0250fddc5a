import { domainToASCII } from 'node:url';
import { canonicalIp, parseIpv4, parseIpv6 } from '../lib/ip.js';
import type { DnsRecord, RecordData } from './record.js';
import { quoteTxt } from './txt.js';

/**
 * The one spelling of everything that DNS holds (R2): without it, diffs never end. All functions here are total: data
 * that makes no sense (foreign zones hold such things) is kept as it stands instead of throwing.
 */

/** Lower-case, A-labels, no final dot. `@` and relative names are the caller's business. */
export function canonicalName(name: string): string {
  if (/^[a-z0-9_*-]+(?:\.[a-z0-9_*-]+)*$/.test(name)) return name;
  const trimmed = name.trim().replace(/[\u3002\uff0e\uff61]/g, '.');
  const bare = trimmed.endsWith('.') && !trimmed.endsWith('\\.') ? trimmed.slice(0, -1) : trimmed;
  return bare
    .split('.')
    .map((label) => {
      const lower = label.toLowerCase();
      if (/^[\u0000-\u007f]*$/.test(lower)) return lower;
      // Underscore labels (`_dmarc`) and odd ones must not be lost, so each label goes alone and may fail alone.
      const ascii = domainToASCII(label);
      return ascii === '' || ascii.includes('.') ? lower : ascii;
    })
    .join('.');
}

/** `name` is `zone` or below it. */
export function isWithin(name: string, zone: string): boolean {
  return zone === '' || name === zone || name.endsWith(`.${zone}`);
}

/** `mail.example.org` and its ancestors up to and with `zone`, deepest first; empty when outside the zone. */
export function ancestorsWithin(name: string, zone: string): string[] {
  if (!isWithin(name, zone)) return [];
  const names: string[] = [];
  for (let current = name; ; current = current.slice(current.indexOf('.') + 1)) {
    names.push(current);
    if (current === zone || !current.includes('.')) return names;
  }
}

/** The longest of `zones` that holds `name` (R1: not the public suffix list, delegated sub-zones exist). */
export function zoneOf(name: string, zones: readonly string[]): string | undefined {
  return zones.filter((zone) => isWithin(name, zone)).sort((a, b) => b.length - a.length)[0];
}

/** Canonical record data; a value that cannot be parsed is only trimmed. */
export function canonicalData(data: RecordData): RecordData {
  switch (data.type) {
    case 'A': {
      const address = data.address.trim();
      return {
        type: 'A',
        address: parseIpv4(address) === undefined ? address : (canonicalIp(address) ?? address),
      };
    }
    case 'AAAA': {
      const address = data.address.trim().toLowerCase();
      return {
        type: 'AAAA',
        address: parseIpv6(address) === undefined ? address : (canonicalIp(address) ?? address),
      };
    }
    case 'CNAME':
    case 'NS':
    case 'PTR':
      return { type: data.type, target: canonicalName(data.target) };
    case 'MX':
      return { type: 'MX', preference: data.preference, exchange: canonicalName(data.exchange) };
    case 'TXT':
      return { type: 'TXT', text: data.text };
    case 'SRV':
      return {
        type: 'SRV',
        priority: data.priority,
        weight: data.weight,
        port: data.port,
        target: canonicalName(data.target),
      };
    case 'CAA':
      // The property tag is case-insensitive, the value is not ours to touch (RFC 8659 section 4.1).
      return { type: 'CAA', flags: data.flags, tag: data.tag.trim().toLowerCase(), value: data.value };
    case 'TLSA':
      return {
        type: 'TLSA',
        usage: data.usage,
        selector: data.selector,
        matchingType: data.matchingType,
        data: data.data.replace(/\s+/g, '').toLowerCase(),
      };
    case 'OTHER':
      return { type: 'OTHER', rrtype: data.rrtype.trim().toUpperCase(), text: data.text.trim() };
  }
}

/** The record in canonical form; everything beside name and data is kept. */
export function canonicalRecord<T extends DnsRecord>(record: T): T {
  return { ...record, name: canonicalName(record.name), data: canonicalData(record.data) };
}

/** The record type as written in a zone file. */
export function typeOf(data: RecordData): string {
  return data.type === 'OTHER' ? data.rrtype : data.type;
}

const rootOr = (name: string): string => `${name}.`;

/** Printable ASCII of a name, so that a hostile one can neither break the line nor move the cursor. */
function safeName(name: string): string {
  return name.replace(/[^!-~]|[()";]/gu, (c) =>
    [...new TextEncoder().encode(c)].map((byte) => `\\${String(byte).padStart(3, '0')}`).join(''),
  );
}

/** Record data as in a zone file, in printable ASCII whatever it holds. */
export function formatData(data: RecordData): string {
  switch (data.type) {
    case 'A':
    case 'AAAA':
      return safeName(data.address);
    case 'CNAME':
    case 'NS':
    case 'PTR':
      return safeName(rootOr(data.target));
    case 'MX':
      return `${data.preference} ${safeName(rootOr(data.exchange))}`;
    case 'TXT':
      return quoteTxt(data.text);
    case 'SRV':
      return `${data.priority} ${data.weight} ${data.port} ${safeName(rootOr(data.target))}`;
    case 'CAA':
      return `${data.flags} ${safeName(data.tag)} ${quoteTxt(data.value)}`;
    case 'TLSA':
      return `${data.usage} ${data.selector} ${data.matchingType} ${safeName(data.data)}`;
    case 'OTHER':
      return data.text.replace(/[^ -~]/gu, (c) =>
        [...new TextEncoder().encode(c)].map((byte) => `\\${String(byte).padStart(3, '0')}`).join(''),
      );
  }
}

/** The display line: a zone-file line, absolute, safe for terminals. */
export function formatRecord(record: DnsRecord): string {
  return `${safeName(rootOr(record.name))} ${record.ttl} IN ${safeName(typeOf(record.data))} ${formatData(record.data)}`;
}

/** Equal exactly when two data mean the same. */
export function dataKey(data: RecordData): string {
  return JSON.stringify(Object.entries(canonicalData(data)).sort(([a], [b]) => (a < b ? -1 : 1)));
}

export function sameData(a: RecordData, b: RecordData): boolean {
  return dataKey(a) === dataKey(b);
}

/** Name and type: what a resolver answers as one set. */
export function rrsetKey(record: DnsRecord): string {
  return `${canonicalName(record.name)} ${typeOf(record.data).toUpperCase()}`;
}

/** Name, type and value, without the TTL: the identity of a record by meaning. */
export function recordKey(record: DnsRecord): string {
  return `${canonicalName(record.name)} ${dataKey(record.data)}`;
}

/** Same name and meaning; the TTL is not compared. */
export function sameRecord(a: DnsRecord, b: DnsRecord): boolean {
  return recordKey(a) === recordKey(b);
}

const typeOrder = ['SOA', 'NS', 'A', 'AAAA', 'CNAME', 'MX', 'TXT', 'CAA', 'SRV', 'TLSA', 'PTR'];
const rankOf = (type: string): number => {
  const index = typeOrder.indexOf(type);
  return index < 0 ? typeOrder.length : index;
};
const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** DNS order: by label from the right, then by type, preference (as a number) and value. */
export function compareRecords(a: DnsRecord, b: DnsRecord): number {
  const left = a.name.split('.').reverse();
  const right = b.name.split('.').reverse();
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const order = byText(left[i] ?? '', right[i] ?? '');
    if (order !== 0) return order;
  }
  const [typeA, typeB] = [typeOf(a.data), typeOf(b.data)];
  if (typeA !== typeB) return rankOf(typeA) - rankOf(typeB) || byText(typeA, typeB);
  if (a.data.type === 'MX' && b.data.type === 'MX' && a.data.preference !== b.data.preference) {
    return a.data.preference - b.data.preference;
  }
  return byText(formatData(a.data), formatData(b.data));
}
