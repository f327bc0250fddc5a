import { inNetwork, parseIp } from '../lib/ip.js';
import { canonicalRecord } from './canonical.js';
import { recordsOfSet } from './diff.js';
import type { DnsRecord } from './record.js';
import type { HostInput } from './records/input.js';
import { isSpfRecord, parseSpf } from './spf/parse.js';

function spfNamesOthers(
  text: string,
  domain: string,
  host: HostInput,
  foreignMx: boolean,
  relays: readonly string[],
): boolean {
  const parsed = parseSpf(text);
  // What cannot be read may name anybody.
  if (!parsed.ok) return true;
  if (parsed.record.redirect !== undefined) return true;
  const own = [host.ipv4, host.ipv6].flatMap((address) => parseIp(address ?? '') ?? []);
  return parsed.record.mechanisms.some((term) => {
    if (term.qualifier === '-' || term.name === 'all') return false;
    if (term.name === 'include' && relays.includes(term.domainSpec?.toLowerCase() ?? '')) return false;
    if (term.name === 'mx' && term.domainSpec === undefined) return foreignMx;
    if (term.name === 'a') return (term.domainSpec ?? domain).toLowerCase() !== host.name;
    if (term.name !== 'ip4' && term.name !== 'ip6') return true;
    const network = parseIp(term.network ?? '') ?? [];
    const full = term.name === 'ip4' ? term.prefix4 === 32 : term.prefix6 === 128;
    const address = parseIp((term.name === 'ip4' ? host.ipv4 : host.ipv6) ?? '') ?? [];
    return own.length === 0 || !full || !inNetwork(address, network, network.length * 8);
  });
}

/**
 * What in the zone shows that somebody else sends for the domain (R8, A4): a foreign MX, SPF terms beyond our own, DKIM
 * selectors delegated to a vendor. `relays` are includes of our own hosted relays. One line each; empty means that strict defaults are safe.
 */
export function findOtherSenders(
  domain: string,
  host: HostInput,
  live: readonly DnsRecord[],
  backup?: string,
  relays: readonly string[] = [],
): string[] {
  const records = live.map(canonicalRecord);
  const found: string[] = [];
  const mx = recordsOfSet(records, `${domain} MX`).flatMap(({ data }) =>
    data.type === 'MX' ? [data.exchange] : [],
  );
  const foreign = mx.filter((exchange) => !['', host.name, backup].includes(exchange));
  for (const exchange of foreign) found.push(`MX ${exchange}`);
  for (const { data } of recordsOfSet(records, `${domain} TXT`)) {
    if (data.type !== 'TXT' || !isSpfRecord(data.text)) continue;
    if (spfNamesOthers(data.text, domain, host, foreign.length > 0, relays)) found.push(`SPF ${data.text}`);
  }
  for (const { name, data } of records) {
    if (data.type === 'CNAME' && name.endsWith(`._domainkey.${domain}`))
      found.push(`DKIM ${name} → ${data.target}`);
  }
  return found;
}
