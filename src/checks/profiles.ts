import type { Finding, Status } from './check.js';

export const profileIds = ['gmail', 'yahoo', 'outlook', 'internet.nl'] as const;
export type ProfileId = (typeof profileIds)[number];

export interface Profile {
  id: ProfileId;
  title: string;
  /** Checks that this receiver looks at; ids or groups. */
  only: readonly string[];
  /** Statuses that weigh otherwise there: check id → from → to. */
  weigh: Readonly<Record<string, Partial<Record<Status, Status>>>>;
  /** What it asks for that no DNS check can show. */
  beyond: readonly string[];
}

const senderRules: Pick<Profile, 'only' | 'weigh'> = {
  only: [
    'SPF',
    'DKIM',
    'DMARC-ONE',
    'DMARC-SYNTAX',
    'DMARC-P',
    'DMARC-ALIGN',
    'PTR-EXISTS',
    'PTR-FCRDNS',
    'HOST-A',
    'HOST-AAAA',
    'HOST-PRIV',
    'TLS-STARTTLS',
    'RECORD',
  ],
  weigh: {
    // Any policy is enough for them, none included.
    'DMARC-P': { warn: 'info' },
    'DKIM-KEY': { info: 'unknown' },
  },
};

/** As published by the receivers for senders of bulk mail; the limits are per day and primary domain. */
export const profiles: Readonly<Record<ProfileId, Profile>> = {
  gmail: {
    id: 'gmail',
    title: 'Gmail sender guidelines (2024)',
    ...senderRules,
    beyond: ['One-click unsubscribe (RFC 8058) in bulk mail', 'Spam rate below 0.3 % in Postmaster Tools'],
  },
  yahoo: {
    id: 'yahoo',
    title: 'Yahoo sender requirements (2024)',
    ...senderRules,
    beyond: ['One-click unsubscribe (RFC 8058), honoured within two days', 'Spam rate below 0.3 %'],
  },
  outlook: {
    id: 'outlook',
    title: 'Outlook.com requirements for senders of more than 5,000 a day (2025)',
    ...senderRules,
    beyond: ['SPF and DKIM must both pass, and one of them align', 'A reachable From or Reply-To address'],
  },
  'internet.nl': {
    id: 'internet.nl',
    title: 'Internet.nl mail test',
    only: ['NS-V6', 'MX', 'DNSSEC', 'SPF', 'DKIM', 'DMARC', 'TLS', 'DANE', 'RECORD'],
    weigh: {
      'NS-V6': { info: 'fail' },
      'MX-V6': { info: 'fail' },
      DNSSEC: { info: 'fail' },
      'DANE-EXISTS': { info: 'fail' },
      'DMARC-P': { warn: 'fail', info: 'fail' },
      'SPF-ALL': { warn: 'fail' },
      'DKIM-NX': { warn: 'fail' },
      'DKIM-KEY': { info: 'unknown' },
      // Notices there, not points.
      'DMARC-EXT': { warn: 'info' },
      'TLS-CERT': { fail: 'info', warn: 'info' },
    },
    beyond: ['RPKI for the mail and name servers', 'TLS ciphers and key exchange in detail'],
  },
};

export function weighByProfile(finding: Finding, profile: Profile | undefined): Finding {
  const status = profile?.weigh[finding.id]?.[finding.status];
  return status === undefined ? finding : { ...finding, status };
}
