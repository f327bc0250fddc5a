import { formatData } from '../canonical.js';
import type { DnsRecord, RecordData } from '../record.js';
import { textToBytes } from '../txt.js';
import type { Capabilities } from './provider.js';

/** Reasons why a provider would refuse a record, from what it declares; each a sentence. */
export function auditByCapabilities(
  title: string,
  caps: Capabilities,
  { name, ttl, data }: DnsRecord,
): string[] {
  if (data.type === 'OTHER') return [`Records of type ${data.rrtype} are not written by this tool.`];
  const reasons: string[] = [];
  if (!caps.types.has(data.type)) reasons.push(`${title} has no ${data.type} records.`);
  if (!Number.isInteger(ttl) || ttl < caps.minTtl || ttl > caps.maxTtl) {
    reasons.push(`${title} takes a TTL of ${caps.minTtl} to ${caps.maxTtl} seconds, not ${ttl}.`);
  }
  if (!isName(name)) reasons.push('A name has labels of 1 to 63 letters, digits, hyphens and underscores.');
  if (data.type === 'TXT') {
    const length = textToBytes(data.text).length;
    if (caps.maxTxt !== undefined && length > caps.maxTxt) {
      reasons.push(`${title} takes at most ${caps.maxTxt} bytes in a TXT record, not ${length}.`);
    }
  }
  if (data.type === 'MX' && data.exchange === '' && !caps.nullMx) {
    reasons.push(`${title} takes no null MX ("0 ."); leave the MX out instead.`);
  }
  return reasons;
}

/** Owner names and targets as they occur in mail set-ups; a wildcard only in front. */
export function isName(name: string): boolean {
  return (
    name.length <= 253 &&
    name.split('.').every((label, at) => (at === 0 && label === '*') || /^[a-z0-9_-]{1,63}$/.test(label))
  );
}

/** Host names that a record points to; the root ("none") passes. For providers that take anything. */
export function auditTargets(data: RecordData): string[] {
  const target = data.type === 'MX' ? data.exchange : 'target' in data ? data.target : undefined;
  if (target === undefined || target === '' || isName(target)) return [];
  return [`${formatData(data)} does not point to a host name.`];
}
