import type { ServerConfig } from '../config/schema.js';
import { Exit, SetupError } from '../errors.js';
import type { Facts } from '../facts/index.js';

/** Mailboxes would be shut, and their mail forgotten. Throws E_PROFILE (exit 5). */
export function refuseStoredMail(
  { profile }: Pick<ServerConfig, 'profile'>,
  { accounts }: { accounts: Pick<Facts['accounts'], 'mailboxes'> },
  hostname: string,
): void {
  if (profile !== 'send-only' || accounts.mailboxes.length === 0) return;
  throw new SetupError({
    code: 'E_PROFILE',
    exit: Exit.unsuitable,
    what: `There are mailboxes on ${hostname}, and a server that only sends has none.`,
    evidence: accounts.mailboxes.slice(0, 20),
    fix: [
      'Keep "profile: mailboxes" (a domain whose mail goes elsewhere has "mail: send-only"),',
      'or move the mail and remove them first: smtp-setup backup, then smtp-setup user rm ADDRESS.',
      'Nothing was changed.',
    ],
  });
}
