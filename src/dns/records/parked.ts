import type { DesiredRecord } from '../record.js';

/** For names without mail, opted in: nobody sends (RFC 7208), forgeries are rejected (RFC 9989), nobody receives (RFC 7505). */
export function parkedRecords(parked: { name: string; ttl: number }): DesiredRecord[] {
  const common = { ttl: parked.ttl, rank: 'optional' } as const;
  return [
    {
      ...common,
      name: parked.name,
      data: { type: 'TXT', text: 'v=spf1 -all' },
      role: 'parked-spf',
      stage: 'auth',
      reason: `No server sends mail for ${parked.name}.`,
    },
    {
      ...common,
      name: `_dmarc.${parked.name}`,
      data: { type: 'TXT', text: 'v=DMARC1; p=reject' },
      role: 'parked-dmarc',
      stage: 'policy',
      reason: `Mail that claims to come from ${parked.name} is forged.`,
    },
    {
      ...common,
      name: parked.name,
      data: { type: 'MX', preference: 0, exchange: '' },
      role: 'parked-mx',
      stage: 'mx',
      reason: `${parked.name} receives no mail.`,
    },
  ];
}
