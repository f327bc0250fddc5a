import type { DesiredRecord } from '../record.js';
import type { DomainInput } from './input.js';

/** MX of a domain that receives its mail here (RFC 5321 section 5.1). */
export function mxRecords(domain: DomainInput): DesiredRecord[] {
  if (domain.mail === 'send-only') return [];
  return [
    {
      name: domain.name,
      ttl: domain.ttl,
      data: { type: 'MX', preference: 10, exchange: domain.host },
      role: 'mx',
      stage: 'mx',
      rank: 'required',
      reason: `Mail to ${domain.name} is delivered to this server.`,
    },
    ...(domain.backup === undefined
      ? []
      : [
          {
            name: domain.name,
            ttl: domain.ttl,
            data: { type: 'MX', preference: 20, exchange: domain.backup },
            role: 'mx-backup',
            stage: 'mx',
            rank: 'required',
            reason: `Keeps mail to ${domain.name} while ${domain.host} is away.`,
          } as const,
        ]),
  ];
}
