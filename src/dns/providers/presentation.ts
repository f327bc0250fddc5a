import { SetupError } from '../../errors.js';
import { canonicalRecord } from '../canonical.js';
import { parseZoneFile } from '../parse-zone-file.js';
import type { DnsRecord } from '../record.js';

/**
 * A record whose data an API gives in zone-file form. Relative host names in it are taken relative to `origin`. What
 * cannot be read is kept as it stands: a foreign record must not hide the others.
 */
export function readPresentation(
  { name, ttl, type, content }: { name: string; ttl: number; type: string; content: string },
  origin = '',
): DnsRecord {
  const rrtype = type.toUpperCase();
  const asItStands = canonicalRecord({ name, ttl, data: { type: 'OTHER' as const, rrtype, text: content } });
  if (/[\n\r]/.test(content) || !/^[A-Z][A-Z0-9-]*$/.test(rrtype)) return asItStands;
  try {
    const [read] = parseZoneFile(`@ 0 IN ${rrtype} ${content}`, origin);
    return read ? canonicalRecord({ name, ttl, data: read.data }) : asItStands;
  } catch (error) {
    if (error instanceof SetupError) return asItStands;
    throw error;
  }
}
