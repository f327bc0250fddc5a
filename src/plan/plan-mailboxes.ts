import type { Secret } from '../config/secret.js';
import type { Facts } from '../facts/index.js';
import { filesStepId } from './plan-group.js';
import type { ManualStep, RunSecret, ServerStep } from './step.js';

export interface WantedMailbox {
  address: string;
  password: Secret;
}

/** Of the step that makes the mailbox. */
export function mailboxStepId(address: string): string {
  return `mailbox:${address}`;
}

/** Steps for the mailboxes that are not there yet, the passwords that they need, and a word about those that are there already. Pure. */
export function planMailboxes(
  wanted: readonly WantedMailbox[],
  { mailboxes }: Facts['accounts'],
  mapType: string,
): { steps: ServerStep[]; secrets: RunSecret[]; manual: ManualStep[] } {
  const steps: ServerStep[] = [];
  const secrets: RunSecret[] = [];
  const manual: ManualStep[] = [];
  for (const { address, password } of wanted) {
    if (mailboxes.includes(address)) {
      manual.push({
        id: `mailbox-exists:${address}`,
        title: `${address} exists already; its password is not changed`,
        detail: [`smtp-setup user passwd ${address} changes it.`],
      });
      continue;
    }
    const name = `mailbox-${steps.length + 1}`;
    steps.push({
      id: mailboxStepId(address),
      run: 'install',
      title: `Create the mailbox ${address}`,
      reason: 'there is none of that name',
      calls: [{ fn: 'accounts_add', args: [address, name, mapType] }],
    });
    secrets.push({ name, value: `${password.reveal()}\n` });
  }
  return { steps, secrets, manual };
}

/**
 * Mailboxes come as soon as there is a list of them: Dovecot then starts with all it has to know. Without changes to the
 * lists themselves they come last in the install run.
 */
export function withAccounts(steps: readonly ServerStep[], accounts: readonly ServerStep[]): ServerStep[] {
  const install = steps.filter((step) => step.run === 'install');
  const rest = steps.filter((step) => step.run !== 'install');
  const at = install.findIndex(({ id }) => id === filesStepId('accounts'));
  const list = install[at];
  if (list?.after === undefined) return [...install, ...accounts, ...rest];
  const before = [...list.after, list.id];
  const ids = accounts.map(({ id }) => id);
  const placed = accounts.map((step, index) => ({ ...step, after: [...before, ...ids.slice(0, index)] }));
  const behind = install
    .slice(at + 1)
    .map((step) =>
      step.after?.includes(list.id) === true ? { ...step, after: [...step.after, ...ids] } : step,
    );
  return [...install.slice(0, at + 1), ...placed, ...behind, ...rest];
}
