import type { DesiredRecord } from '../record.js';
import type { DomainInput } from './input.js';

const services = [
  { service: '_submissions', port: 465, offered: 'submissions' },
  { service: '_submission', port: 587, offered: 'submission' },
  { service: '_imaps', port: 993, offered: 'imaps' },
  { service: '_imap', port: 143, offered: undefined },
  { service: '_pop3s', port: 995, offered: undefined },
  { service: '_pop3', port: 110, offered: undefined },
] as const;

/** Where mail programs find the servers (RFC 6186, RFC 8314 section 5.1); what is not offered says so with the target `.`. */
export function srvRecords(domain: DomainInput): DesiredRecord[] {
  const feature = domain.features?.srv;
  if (feature === undefined || domain.mail === 'send-only') return [];
  return services.map(({ service, port, offered }) => {
    const on = offered !== undefined && feature[offered];
    return {
      name: `${service}._tcp.${domain.name}`,
      ttl: domain.ttl,
      data: on
        ? { type: 'SRV', priority: 0, weight: 1, port, target: domain.host }
        : { type: 'SRV', priority: 0, weight: 0, port: 0, target: '' },
      role: 'srv',
      stage: 'tail',
      rank: 'optional',
      reason: on
        ? 'Mail programs find the server by themselves.'
        : `Says that ${service.slice(1)} is not offered.`,
    };
  });
}
