import {
  canonicalName,
  canonicalRecord,
  compareRecords,
  formatData,
  formatRecord,
  typeOf,
} from './canonical.js';
import type { DnsRecord } from './record.js';

/** A zone file (RFC 1035 section 5) that BIND, Knot, NSD and Cloudflare's import read: one absolute record a line. */
export function renderZoneFile(zone: string, records: readonly DnsRecord[]): string {
  const lines = records.map(canonicalRecord).sort(compareRecords).map(formatRecord);
  return [`$ORIGIN ${canonicalName(zone)}.`, ...lines, ''].join('\n');
}

/** A record as a provider's web form wants it. */
export interface PasteRow {
  /** Relative to the zone, `@` for the zone itself. */
  name: string;
  type: string;
  /** Seconds. */
  ttl: number;
  /** MX and SRV only; most forms have a field of its own for it. */
  priority?: number;
  /** TXT as one string without quotes. */
  value: string;
}

function relativeName(name: string, zone: string): string {
  if (name === zone) return '@';
  return name.endsWith(`.${zone}`) ? name.slice(0, -zone.length - 1) : `${name}.`;
}

function pasteValue(record: DnsRecord): Pick<PasteRow, 'priority' | 'value'> {
  const { data } = record;
  if (data.type === 'MX')
    return { priority: data.preference, value: data.exchange === '' ? '.' : data.exchange };
  if (data.type === 'SRV') {
    return {
      priority: data.priority,
      value: `${data.weight} ${data.port} ${data.target === '' ? '.' : data.target}`,
    };
  }
  // What a terminal could misread is shown in its escaped form.
  if (data.type === 'TXT' && /^[ -~]*$/.test(data.text)) return { value: data.text };
  if (data.type === 'CNAME' || data.type === 'NS' || data.type === 'PTR') return { value: data.target };
  return { value: formatData(data) };
}

/** Rows for pasting into a web form, in DNS order. */
export function toPasteRows(zone: string, records: readonly DnsRecord[]): PasteRow[] {
  return records
    .map(canonicalRecord)
    .sort(compareRecords)
    .map((record) => ({
      name: relativeName(record.name, zone),
      type: typeOf(record.data),
      ttl: record.ttl,
      ...pasteValue(record),
    }));
}

/** The rows as a text table; the value comes last and is never wrapped. */
export function renderPasteForm(zone: string, records: readonly DnsRecord[]): string {
  const header = ['Name', 'Type', 'TTL', 'Priority', 'Value'];
  const rows = toPasteRows(zone, records).map((row) => [
    row.name,
    row.type,
    String(row.ttl),
    row.priority === undefined ? '' : String(row.priority),
    row.value,
  ]);
  const table = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  return table
    .map((row) =>
      row.map((cell, column) => (column === 4 ? cell : cell.padEnd(widths[column] ?? 0))).join('  '),
    )
    .map((line) => `${line}\n`)
    .join('');
}
