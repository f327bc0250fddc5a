import type { DesiredRecord } from '../record.js';
import type { HostInput } from './input.js';

/** A and AAAA of the mail host; AAAA only with working IPv6, or senders and the CA would run into a wall. */
export function addressRecords(host: HostInput): DesiredRecord[] {
  const common = { name: host.name, ttl: host.ttl, stage: 'host', rank: 'required' } as const;
  const records: DesiredRecord[] = [];
  if (host.ipv4 !== undefined) {
    records.push({
      ...common,
      role: 'a',
      data: { type: 'A', address: host.ipv4 },
      reason: 'The mail host needs an address that its reverse name leads back to.',
    });
  }
  if (host.ipv6 !== undefined) {
    records.push({
      ...common,
      role: 'aaaa',
      data: { type: 'AAAA', address: host.ipv6 },
      reason:
        host.ipv4 === undefined
          ? 'The mail host needs an address, and this is the only one it has.'
          : 'The server sends and receives over IPv6 too.',
    });
  }
  return records;
}
