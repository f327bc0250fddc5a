import type { DesiredRecord } from '../record.js';
import type { DomainInput } from './input.js';

/** Names under which mail programs look for their settings (Thunderbird, Outlook). */
export function autoconfigRecords(domain: DomainInput): DesiredRecord[] {
  if (domain.features?.autoconfig !== true || domain.mail === 'send-only') return [];
  return ['autoconfig', 'autodiscover'].map((label) => ({
    name: `${label}.${domain.name}`,
    ttl: domain.ttl,
    data: { type: 'CNAME', target: domain.host },
    role: label,
    // Before the certificate: its authority follows the name. Who asks meanwhile is told nothing, and asks elsewhere.
    stage: 'host',
    rank: 'optional',
    reason: 'Mail programs fetch their settings from this name.',
  }));
}
