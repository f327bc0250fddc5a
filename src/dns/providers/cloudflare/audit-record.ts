import { formatData } from '../../canonical.js';
import type { DnsRecord } from '../../record.js';
import { textToBytes } from '../../txt.js';
import type { Capabilities } from '../provider.js';

/**
 * Pages of https://developers.cloudflare.com/dns/manage-dns-records/ (read 2026-11): reference/dns-record-types/ (types, and
 * the lengths of TXT), reference/ttl/ (60 seconds, on Enterprise zones 30, to a day; 1 is automatic, 300 seconds),
 * reference/record-attributes/ (comments), how-to/batch-record-changes/ (200 records on a Free plan, 3,500 on others).
 */
export const capabilities: Capabilities = {
  types: new Set(['A', 'AAAA', 'CNAME', 'NS', 'PTR', 'MX', 'TXT', 'SRV', 'CAA', 'TLSA']),
  unit: 'record',
  // A batch is one transaction, but its bad members are then told apart by writing the others one by one.
  atomic: false,
  marks: 'comment',
  minTtl: 60,
  maxTtl: 86_400,
  batchMax: 200,
  maxTxt: 2048,
  maxTxtSet: 8192,
  nullMx: true,
  flattensApexCname: true,
};

/** Reasons why Cloudflare would refuse the record, each a sentence. */
export function auditRecord({ name, ttl, data }: DnsRecord): string[] {
  const reasons: string[] = [];
  if (data.type === 'OTHER')
    reasons.push(`Records of type ${formatData(data)} are not written by this tool.`);
  if (!Number.isInteger(ttl) || ttl < capabilities.minTtl || ttl > capabilities.maxTtl) {
    reasons.push(`Cloudflare takes a TTL of 60 to 86400 seconds, not ${ttl}.`);
  }
  if (name.length > 253 || !name.split('.').every((label) => /^(\*|[a-z0-9_-]{1,63})$/.test(label))) {
    reasons.push('Cloudflare takes only letters, digits, hyphens and underscores in a name.');
  }
  if (data.type === 'TXT') {
    const length = textToBytes(data.text).length;
    if (length === 0) reasons.push('Cloudflare takes no empty TXT record.');
    if (length > 2048)
      reasons.push(`Cloudflare takes at most 2048 characters in a TXT record, not ${length}.`);
  }
  if (data.type === 'CAA' && /[^ !#-~]/.test(data.value)) {
    reasons.push('Cloudflare takes no quotes or control characters in a CAA value.');
  }
  return reasons;
}
