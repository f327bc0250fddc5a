import { isWithin } from '../canonical.js';
import type { DesiredRecord } from '../record.js';
import type { DomainInput } from './input.js';

const reportUri = (address: string): string => (address.includes(':') ? address : `mailto:${address}`);

/**
 * Where aggregate reports go: as configured, else postmaster, which the server always delivers. With a foreign MX
 * postmaster lives elsewhere, so there an address must be asked for (A3) and none is made up.
 */
export function dmarcReportUris(domain: DomainInput): string[] {
  if (domain.dmarc.rua !== undefined) return domain.dmarc.rua.map(reportUri);
  return domain.mail === 'full' ? [`mailto:postmaster@${domain.name}`] : [];
}

/** DMARC as of RFC 9989: `v`, `p`, then the rest (old parsers want `p` second); `pct`, `rf` and `ri` no longer exist. */
export function dmarcRecords(domain: DomainInput): DesiredRecord[] {
  const policy =
    domain.dmarc.policy ?? (domain.otherSenders || domain.mail === 'send-only' ? 'none' : 'quarantine');
  const rua = dmarcReportUris(domain);
  const text = `v=DMARC1; p=${policy}${rua.length > 0 ? `; rua=${rua.join(',')}` : ''}`;
  const firm = domain.dmarc.policy !== undefined || domain.dmarc.rua !== undefined;
  return [
    {
      name: `_dmarc.${domain.name}`,
      ttl: domain.ttl,
      data: { type: 'TXT', text: firm ? text : (domain.pinned?.dmarc ?? text) },
      role: 'dmarc',
      stage: 'policy',
      rank: 'required',
      reason: 'Tells receivers what to do with mail that fails SPF and DKIM, and where to report it.',
      ...(firm ? { firm } : {}),
    },
  ];
}

/**
 * `D._report._dmarc.<destination>`: the destination agrees to receive reports about D (RFC 9990). Made only where the
 * destination is one of our own domains; an organization's own sub-domains need none.
 */
export function dmarcReportRecords(domain: DomainInput, all: readonly DomainInput[]): DesiredRecord[] {
  const records: DesiredRecord[] = [];
  for (const uri of dmarcReportUris(domain)) {
    const destination = /^mailto:[^@]+@([^!?]+)/.exec(uri)?.[1]?.toLowerCase();
    const own = all.find((other) => other.name === destination);
    if (own === undefined || isWithin(own.name, domain.name) || isWithin(domain.name, own.name)) continue;
    records.push({
      name: `${domain.name}._report._dmarc.${own.name}`,
      ttl: own.ttl,
      data: { type: 'TXT', text: 'v=DMARC1' },
      role: 'dmarc-report',
      stage: 'policy',
      rank: 'recommended',
      reason: `${own.name} agrees to receive the DMARC reports about ${domain.name}.`,
    });
  }
  return records;
}
