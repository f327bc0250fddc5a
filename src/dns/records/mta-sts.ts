import { createHash } from 'node:crypto';
import type { DesiredRecord } from '../record.js';
import type { DomainInput } from './input.js';

export interface StsChoice {
  mode: 'enforce' | 'testing' | 'none';
  /** Seconds for which senders remember the policy. */
  maxAge?: number;
}

/**
 * How long a policy is remembered unless the config says so: a day while it is tried out, so that `enforce` reaches
 * everybody soon, and a week from then on.
 */
export const usualAge = { testing: 86_400, none: 86_400, enforce: 604_800 } as const;

/** The policy as it is served (RFC 8461 section 3.2). */
export function mtaStsPolicy({ mode, maxAge = usualAge[mode] }: StsChoice, mx: readonly string[]): string {
  return [
    'version: STSv1',
    `mode: ${mode}`,
    ...mx.map((host) => `mx: ${host}`),
    `max_age: ${maxAge}`,
    '',
  ].join('\n');
}

/** Policy id: 1–32 letters and digits (RFC 8461 section 3.1), a hash of the policy, so it changes exactly when the policy does. */
export function mtaStsId(policyText: string): string {
  return createHash('sha256').update(policyText, 'utf8').digest('hex').slice(0, 32);
}

const stsText = (id: string): string => `v=STSv1; id=${id}`;

/** Addresses of the policy host, and the TXT that invites senders to read it: only once the policy is served (R16). */
export function mtaStsRecords(domain: DomainInput): DesiredRecord[] {
  const feature = domain.features?.mtaSts;
  // In send-only mode the policy would speak for somebody else's MX (A3).
  if (feature === undefined || domain.mail === 'send-only') return [];
  const common = { ttl: domain.ttl, rank: 'recommended' } as const;
  const records: DesiredRecord[] = [
    {
      ...common,
      name: `mta-sts.${domain.name}`,
      data: { type: 'CNAME', target: domain.host },
      role: 'mta-sts-host',
      stage: 'host',
      reason: 'The MTA-STS policy is served under this name.',
    },
  ];
  if (feature.served) {
    records.push({
      ...common,
      name: `_mta-sts.${domain.name}`,
      data: { type: 'TXT', text: stsText(mtaStsId(feature.policyText)) },
      role: 'mta-sts',
      stage: 'tail',
      firm: true,
      ...(domain.pinned?.mtaSts === undefined ? {} : { former: stsText(domain.pinned.mtaSts) }),
      reason: 'Senders then insist on a valid certificate when they deliver here.',
    });
  }
  return records;
}
