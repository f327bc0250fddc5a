import type { IncomingHttpHeaders } from 'node:http';
import { apiErrors } from './api-error.js';
import type { Body, ZoneStore } from './zone-store.js';

/**
 * A BIND file uploaded as the form field `file`; records that exist already are skipped.
 * https://developers.cloudflare.com/dns/manage-dns-records/how-to/import-and-export/
 */
export async function importRecords(
  zone: ZoneStore,
  headers: IncomingHttpHeaders,
  body: Buffer,
): Promise<{ recs_added: number; total_records_parsed: number }> {
  const type = headers['content-type'] ?? '';
  if (!type.startsWith('multipart/form-data')) throw apiErrors.contentType();
  const form = await new Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData();
  const file = form.get('file');
  const text = typeof file === 'string' ? file : await file?.text();
  if (text === undefined) throw apiErrors.unreadableBody();
  const parsed = text
    .split(/\r?\n/)
    .map(parseBindLine)
    .filter((record) => record !== undefined);
  const present = new Set(zone.list().map((record) => `${record.type} ${record.name}`));
  const fresh = parsed.filter((record) => !present.has(`${record.type} ${record.name}`));
  await zone.seedAll(fresh);
  return { recs_added: fresh.length, total_records_parsed: parsed.length };
}

function parseBindLine(line: string): Body | undefined {
  const match = /^(\S+)\s+(\d+)\s+IN\s+([A-Z]+)\s+((?:"(?:[^"\\]|\\.)*"|[^;])+)/.exec(line);
  if (!match) return undefined;
  const [, owner = '', ttl = '', type = '', rdata = ''] = match;
  const common = { name: owner.replace(/\.$/, ''), ttl: Number(ttl), type };
  const words = rdata.trim().split(/\s+/);
  if (type === 'SOA') return undefined;
  if (type === 'MX') return { ...common, priority: Number(words[0]), content: words[1] };
  if (type === 'SRV') {
    const [priority, weight, port] = words.slice(0, 3).map(Number);
    return { ...common, data: { priority, weight, port, target: words[3] } };
  }
  if (type === 'CAA') {
    return {
      ...common,
      data: { flags: Number(words[0]), tag: words[1], value: words[2]?.replaceAll('"', '') },
    };
  }
  if (type === 'TLSA') {
    const [usage, selector, matching] = words.slice(0, 3).map(Number);
    return { ...common, data: { usage, selector, matching_type: matching, certificate: words[3] } };
  }
  return { ...common, content: rdata.trim() };
}
