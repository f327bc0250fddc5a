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

/**
 * Mailboxes come last in the install run: they need Dovecot's hashing and Postfix's tables. What comes beside and after
 * Postfix (the guards) they need not wait for.
 */
export function withAccounts(steps: readonly ServerStep[], accounts: readonly ServerStep[]): ServerStep[] {
  const install = steps.filter((step) => step.run === 'install');
  const postfix = install.findLast(({ id }) => id === 'files-postfix');
  const before = postfix?.after === undefined ? undefined : [postfix.id, ...postfix.after];
  const placed = accounts.map((step, index): ServerStep => {
    if (before === undefined) return step;
    return { ...step, after: [...before, ...accounts.slice(0, index).map(({ id }) => id)] };
  });
  return [...install, ...placed, ...steps.filter((step) => step.run !== 'install')];
}
