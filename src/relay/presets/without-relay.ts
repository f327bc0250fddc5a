import type { RelayTombstone } from '../preset.js';

const read = '2026-11-29';

/** Names that lists of providers still carry. */
export const withoutRelay: readonly RelayTombstone[] = [
  {
    id: 'mailify',
    title: 'Mailify',
    aliases: ['sarbacane'],
    kind: 'gone',
    what: 'Mailify became Sarbacane; its transactional service is sold under that name, with host and login from its panel (--host).',
    successors: ['custom', 'brevo', 'mailjet'],
    source: {
      url: 'https://www.sarbacane.com/',
      read,
      unconfirmed: ['the name of the service today', 'its host name and ports'],
    },
  },
  {
    id: 'pabbly',
    title: 'Pabbly Email Marketing',
    kind: 'no-smtp',
    what: 'Pabbly sends campaigns, and through the SMTP account of another provider; it takes no mail of a server itself.',
    successors: ['ses', 'sendgrid', 'mailgun'],
    source: {
      url: 'https://www.pabbly.com/email-marketing/',
      read,
      unconfirmed: ['whether accounts of former years still have a relay'],
    },
  },
  {
    id: 'outlook-personal',
    title: 'Outlook.com (personal accounts)',
    aliases: ['outlook.com', 'hotmail', 'live'],
    kind: 'no-smtp',
    what: 'Outlook.com lets programs in with OAuth only since September 2024; a password opens nothing.',
    successors: ['brevo', 'smtp2go', 'sendgrid'],
    source: {
      url: 'https://support.microsoft.com/office/modern-authentication-methods-now-needed-to-continue-syncing-outlook-email-in-non-microsoft-email-apps-c5d65390-9676-4763-b41f-d7986499a90d',
      read,
    },
  },
];
