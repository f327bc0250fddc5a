import type { DesiredRecord } from '../record.js';
import type { HostInput } from './input.js';

/** Where senders look for the key of a mail host (RFC 7672 section 2.2). */
export const tlsaName = (host: string): string => `_25._tcp.${host}`;

/**
 * DANE `3 1 1` at the MX host (RFC 7672): only in a signed zone and with renewals that keep the key (R15), else a
 * renewal would make DANE senders stop. Several digests: the next key is announced before it is used.
 */
export function tlsaRecords(host: HostInput): DesiredRecord[] {
  const feature = host.features?.tlsa;
  if (feature === undefined || !feature.zoneSigned || !feature.renewalsReuseKey) return [];
  return feature.digests.map(
    (digest): DesiredRecord => ({
      name: tlsaName(host.name),
      ttl: host.ttl,
      data: { type: 'TLSA', usage: 3, selector: 1, matchingType: 1, data: digest?.toLowerCase() ?? '' },
      role: 'tlsa',
      stage: 'tail',
      rank: 'optional',
      ...(digest === undefined ? { pending: 'the certificate that the authority will issue' } : {}),
      reason: 'Senders that know DANE accept only the key of this server.',
    }),
  );
}
