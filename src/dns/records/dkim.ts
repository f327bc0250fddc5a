import { canonicalName } from '../canonical.js';
import type { DesiredRecord, DnsRecord } from '../record.js';
import type { DomainInput } from './input.js';

/** `<selector>._domainkey.<domain>` (RFC 6376 section 3.6.2.1). */
export function dkimName(selector: string, domain: string): string {
  return `${selector}._domainkey.${domain}`;
}

/** One TXT per selector. A key that the server has yet to make leaves the record pending, never with an empty `p=` (revoked). */
export function dkimRecords(domain: DomainInput): DesiredRecord[] {
  return domain.dkim.map(({ selector, publicKey }) => ({
    name: dkimName(selector, domain.name),
    ttl: domain.ttl,
    data: { type: 'TXT', text: publicKey === undefined ? '' : dkimText(publicKey) },
    role: 'dkim',
    stage: 'auth',
    rank: 'required',
    reason: `Lets receivers verify what this server signs for ${domain.name}.`,
    ...(publicKey === undefined ? { pending: 'the key that the server will make' } : {}),
  }));
}

/** The record text of an RSA key (RFC 6376 section 3.6.1); `publicKey` is base64 SPKI. */
export function dkimText(publicKey: string): string {
  return `v=DKIM1; k=rsa; p=${publicKey.replace(/\s+/g, '')}`;
}

/** `wanted`, or the first of `wantedb`, `wantedc`, … at which the zone holds nothing: a live key is never replaced (R9). */
export function chooseSelector(wanted: string, domain: string, live: readonly DnsRecord[]): string {
  const taken = new Set(live.map((record) => canonicalName(record.name)));
  for (const suffix of ['', ...'bcdefghijklmnopqrstuvwxyz']) {
    if (!taken.has(dkimName(`${wanted}${suffix}`, domain))) return `${wanted}${suffix}`;
  }
  return `${wanted}-${taken.size}`;
}

/** The selector of a key made now (milliseconds since the epoch): "s202611". */
export function monthlySelector(now: number): string {
  return `s${new Date(now).toISOString().slice(0, 7).replace('-', '')}`;
}
