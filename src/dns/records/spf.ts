import type { DesiredRecord } from '../record.js';
import type { DomainInput, HostInput } from './input.js';

/**
 * SPF of the domain (RFC 7208). Never `mx`: the MX comes last, so it could not pass before (A4). `-all` only where no
 * other sender shows. What already stands in the zone is merged later (src/dns/spf-merge.ts).
 */
export function spfRecords(domain: DomainInput): DesiredRecord[] {
  const own = domain.host === domain.name ? 'a' : `a:${domain.host}`;
  const includes = (domain.spfIncludes ?? []).map((name) => `include:${name}`);
  return [
    {
      name: domain.name,
      ttl: domain.ttl,
      data: {
        type: 'TXT',
        text:
          domain.pinned?.spf ?? ['v=spf1', own, ...includes, domain.otherSenders ? '~all' : '-all'].join(' '),
      },
      role: 'spf',
      stage: 'auth',
      rank: 'required',
      reason: `Tells receivers that ${domain.host} may send for ${domain.name}.`,
    },
  ];
}

/** SPF of the host name: bounces are checked by HELO name (RFC 7208 section 2.3). A *different name*, so no second record (R7). */
export function hostSpfRecords(host: HostInput): DesiredRecord[] {
  return [
    {
      name: host.name,
      ttl: host.ttl,
      data: { type: 'TXT', text: 'v=spf1 a -all' },
      role: 'host-spf',
      stage: 'auth',
      rank: 'recommended',
      reason: `For bounces, which receivers check by the host name ${host.name}: a different name than the domain.`,
    },
  ];
}
