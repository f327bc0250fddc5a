import type { Secret } from '../config/secret.js';
import type { Facts } from '../facts/index.js';
import type { RunSecret, ServerStep } from './step.js';

export interface WantedMailbox {
  address: string;
  password: Secret;
}

/** Steps for the mailboxes that are not there yet, the passwords that they need, and the addresses that are there already. Pure. */
export function planMailboxes(
  wanted: readonly WantedMailbox[],
  { mailboxes }: Facts['accounts'],
  mapType: string,
): { steps: ServerStep[]; secrets: RunSecret[]; existing: string[] } {
  const steps: ServerStep[] = [];
  const secrets: RunSecret[] = [];
  const existing: string[] = [];
  for (const { address, password } of wanted) {
    if (mailboxes.includes(address)) {
      existing.push(address);
      continue;
    }
    const name = `mailbox-${steps.length + 1}`;
    steps.push({
      id: `mailbox:${address}`,
      run: 'install',
      title: `Create the mailbox ${address}`,
      reason: 'there is none of that name',
      calls: [{ fn: 'accounts_add', args: [address, name, mapType] }],
    });
    secrets.push({ name, value: `${password.reveal()}\n` });
  }
  return { steps, secrets, existing };
}

/** Mailboxes come last in the install run: they need Dovecot's hashing and Postfix's tables. */
export function withAccounts(steps: readonly ServerStep[], accounts: readonly ServerStep[]): ServerStep[] {
  const install = steps.filter((step) => step.run === 'install');
  return [...install, ...accounts, ...steps.filter((step) => step.run !== 'install')];
}
