import type { DesiredRecord } from '../record.js';
import type { HostInput } from './input.js';

/** Our CA in the CAA set that governs the host (RFC 8659); the planner moves it there, or drops it where no set exists (R14). */
export function caaRecords(host: HostInput): DesiredRecord[] {
  const issuer = host.features?.caa?.issuer;
  if (issuer === undefined) return [];
  return [
    {
      name: host.name,
      ttl: host.ttl,
      data: { type: 'CAA', flags: 0, tag: 'issue', value: issuer },
      role: 'caa',
      stage: 'host',
      rank: 'required',
      reason: `The existing CAA records would forbid ${issuer} to issue the certificate.`,
    },
  ];
}
