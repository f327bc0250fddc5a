import type { Profile } from '../../lib/profile.js';
import type { ServedPort } from './server-check.js';

const mail: ServedPort[] = [
  { port: 25, mode: 'starttls' },
  { port: 465, mode: 'tls' },
  { port: 587, mode: 'starttls' },
];

/** The ports that a server of the profile offers to the world. */
export function intendedPorts(profile: Profile = 'mailboxes'): ServedPort[] {
  switch (profile) {
    case 'backup-mx':
      return mail.slice(0, 1);
    case 'send-only':
      return mail.slice(1);
    case 'mailboxes':
      return [...mail, { port: 993, mode: 'tls' }];
  }
}
