import type { DesiredRecord } from '../record.js';
import type { HostInput } from './input.js';

/**
 * DANE `3 1 1` at the MX host (RFC 7672): only in a signed zone and with renewals that keep the key (R15), else a
 * renewal would make DANE senders stop. Several digests: the next key is announced before it is used.
 */
export function tlsaRecords(host: HostInput): DesiredRecord[] {
  const feature = host.features?.tlsa;
  if (feature === undefined || !feature.zoneSigned || !feature.renewalsReuseKey) return [];
  return feature.digests.map((digest) => ({
    name: `_25._tcp.${host.name}`,
    ttl: host.ttl,
    data: { type: 'TLSA', usage: 3, selector: 1, matchingType: 1, data: digest.toLowerCase() },
    role: 'tlsa',
    stage: 'tail',
    rank: 'optional',
    reason: 'Senders that know DANE accept only the key of this server.',
  }));
}
