import type { MailStore } from '../facts/mail-store.js';
import { type AccountChange, refuse } from './plan-accounts.js';

/** The stored mail of mailboxes that go or are gone. Throws E_BACKUP_FIRST while some of it is in no backup. Pure. */
export function planMailDeletion({ saved, stores }: MailStore): Pick<AccountChange, 'steps'> {
  const unsaved = stores.filter(({ messages, newer }) => messages > 0 && (saved === 0 || newer > 0));
  if (unsaved.length > 0) {
    throw refuse(
      'E_BACKUP_FIRST',
      'Mail that is in no backup is not deleted.',
      unsaved.map(({ address, messages, newer }) =>
        saved === 0
          ? `${address}: ${messages} messages, and there is no backup of this server`
          : `${address}: ${newer} of ${messages} messages came after the last backup (${new Date(saved * 1000).toISOString()})`,
      ),
      ['Make a backup, and run this again: smtp-setup backup DIRECTORY'],
    );
  }
  return {
    steps: stores.map(({ address, messages, kib }) => ({
      id: `delete-mail:${address}`,
      run: 'install',
      title: `Delete the mail of ${address} for good: ${messages} messages, ${Math.ceil(kib / 1024)} MiB`,
      reason: 'all of it is in a backup',
      calls: [{ fn: 'accounts_delete_mail', args: [address, String(saved)] }],
    })),
  };
}
