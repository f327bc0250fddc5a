import { describe, expect, it } from 'vitest';
import { Secret } from '../../../src/config/secret.js';
import type { AccountsState } from '../../../src/facts/accounts.js';
import { planMailboxes, withAccounts } from '../../../src/plan/plan-mailboxes.js';
import type { RunName, ServerStep } from '../../../src/plan/step.js';

const step = (id: string, after?: readonly string[], run: RunName = 'install'): ServerStep => ({
  ...{ id, run, title: id, reason: '', calls: [] },
  ...(after === undefined ? {} : { after }),
});
const orders = (steps: readonly ServerStep[]) => steps.map(({ id, after }) => [id, after]);

describe('new mailboxes', () => {
  it('are made; of one that exists it is said that its password stays, and how to change it', () => {
    const accounts = { mailboxes: ['ada@example.org'] } as unknown as AccountsState;
    const wanted = ['ada', 'bob'].map((name) => ({
      address: `${name}@example.org`,
      password: new Secret(`password of ${name}`),
    }));
    const { steps, secrets, manual } = planMailboxes(wanted, accounts, 'lmdb');
    expect(steps.map(({ id }) => id)).toEqual(['mailbox:bob@example.org']);
    expect(secrets).toEqual([{ name: 'mailbox-1', value: 'password of bob\n' }]);
    expect(manual).toEqual([
      {
        id: 'mailbox-exists:ada@example.org',
        title: 'ada@example.org exists already; its password is not changed',
        detail: ['smtp-setup user passwd ada@example.org changes it.'],
      },
    ]);
  });

  it('come as soon as there is a list, each after the other; what needs the list waits for them', () => {
    const steps = [
      step('packages', []),
      step('files-accounts', ['packages']),
      step('files-nginx', ['packages']),
      step('files-dovecot', ['packages', 'files-accounts']),
      step('files-rspamd', [], 'golive'),
    ];
    expect(orders(withAccounts(steps, [step('ada'), step('bob')]))).toEqual([
      ['packages', []],
      ['files-accounts', ['packages']],
      ['ada', ['packages', 'files-accounts']],
      ['bob', ['packages', 'files-accounts', 'ada']],
      ['files-nginx', ['packages']],
      ['files-dovecot', ['packages', 'files-accounts', 'ada', 'bob']],
      ['files-rspamd', []],
    ]);
  });

  it('wait for everything where the lists are there already', () => {
    const steps = [step('files-dovecot', [])];
    expect(orders(withAccounts(steps, [step('ada')]))).toEqual([
      ['files-dovecot', []],
      ['ada', undefined],
    ]);
  });
});
