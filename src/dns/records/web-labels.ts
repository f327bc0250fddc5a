import type { DnsRecord } from '../record.js';
import type { HostInput } from './input.js';

/** Labels below a domain under which something is served over HTTPS; each is the role of a record, too. */
export const webLabels = ['mta-sts', 'autoconfig', 'autodiscover'] as const;
export type WebLabel = (typeof webLabels)[number];

/** Labels at which something else stands already: it stays, and no certificate is asked for the name. */
export function foreignWebLabels(
  domain: string,
  host: Pick<HostInput, 'name' | 'ipv4' | 'ipv6'>,
  live: readonly DnsRecord[],
): WebLabel[] {
  return webLabels.filter((label) =>
    live.some((record) => record.name === `${label}.${domain}` && !leadsHere(record, host)),
  );
}

function leadsHere({ data }: DnsRecord, host: Pick<HostInput, 'name' | 'ipv4' | 'ipv6'>): boolean {
  switch (data.type) {
    case 'CNAME':
      return data.target === host.name;
    case 'A':
      return data.address === host.ipv4;
    case 'AAAA':
      return data.address === host.ipv6;
    default:
      return false;
  }
}
