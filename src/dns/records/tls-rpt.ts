import type { DesiredRecord } from '../record.js';
import type { DomainInput } from './input.js';

/** Where senders report TLS trouble (RFC 8460 section 3). */
export function tlsRptRecords(domain: DomainInput): DesiredRecord[] {
  const rua = domain.features?.tlsRpt?.rua ?? [];
  if (rua.length === 0 || domain.mail === 'send-only') return [];
  const uris = rua.map((uri) => (uri.includes(':') ? uri : `mailto:${uri}`));
  return [
    {
      name: `_smtp._tls.${domain.name}`,
      ttl: domain.ttl,
      data: { type: 'TXT', text: `v=TLSRPTv1; rua=${uris.join(',')}` },
      role: 'tls-rpt',
      stage: 'tail',
      rank: 'optional',
      ...(domain.features?.tlsRpt?.firm === true ? { firm: true } : {}),
      reason: 'Other servers report here when they could not deliver securely.',
    },
  ];
}
