import { isWithin } from '../canonical.js';
import type { DesiredRecord } from '../record.js';
import type { DomainInput, HostInput } from './input.js';

/** Our CA in the CAA set that governs the host (RFC 8659); the planner moves it there, or drops it where no set exists (R14). */
export function caaRecords(host: HostInput): DesiredRecord[] {
  return caaRecord(host.name, host.ttl, host.features?.caa?.issuer);
}

/** The same for the web names of a domain; below a domain of its own the host has asked for it already. */
export function domainCaaRecords(domain: DomainInput): DesiredRecord[] {
  if (isWithin(domain.host, domain.name)) return [];
  return caaRecord(domain.name, domain.ttl, domain.features?.caa?.issuer);
}

function caaRecord(name: string, ttl: number, issuer: string | undefined): DesiredRecord[] {
  if (issuer === undefined) return [];
  return [
    {
      name,
      ttl,
      data: { type: 'CAA', flags: 0, tag: 'issue', value: issuer },
      role: 'caa',
      stage: 'host',
      rank: 'required',
      reason: `The existing CAA records would forbid ${issuer} to issue the certificate.`,
    },
  ];
}
