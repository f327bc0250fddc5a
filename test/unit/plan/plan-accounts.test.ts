import { describe, expect, it } from 'vitest';
import { Secret } from '../../../src/config/secret.js';
import {
  type Accounts,
  planNewPassword,
  planNewUsers,
  planQuota,
  planRemoval,
  planSwitch,
} from '../../../src/plan/plan-accounts.js';
import { planAlias, planAliasRemoval } from '../../../src/plan/plan-aliases.js';
import { planMailDeletion } from '../../../src/plan/plan-mail-deletion.js';

const accounts: Accounts = {
  sendsOnly: false,
  mailboxes: ['ada@example.org', 'bob@example.org', 'ada@example.net'],
  disabled: ['bob@example.org'],
  quotas: [],
  logins: [{ address: 'shop@example.org', senders: ['@example.org'] }],
  domains: ['example.org', 'example.net'],
  aliases: [
    { address: 'info@example.org', targets: ['ada@example.org', 'bob@example.org'] },
    { address: 'team@example.net', targets: ['info@example.org'] },
  ],
  mapType: 'hash',
};
const password = { kind: 'password' as const, value: new Secret('a secret of some length') };
const code = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof Error && 'code' in error) return `${String(error.code)}: ${error.message}`;
    throw error;
  }
  return 'no error';
};

describe('planNewUsers', () => {
  it('creates all in one step; the passwords are in the secret only', () => {
    const { steps, secrets } = planNewUsers(accounts, [
      { address: 'eve@example.org', credential: password },
      { address: 'eve@example.net', credential: { kind: 'hash', value: new Secret('{BLF-CRYPT}x') } },
      { address: 'app@example.org', credential: password, senders: ['a@example.org', '@example.net'] },
    ]);
    expect(steps.map(({ calls }) => calls)).toEqual([
      [{ fn: 'accounts_add_all', args: ['new-users', 'hash'] }],
    ]);
    expect(steps[0]?.preview).toEqual(['eve@example.org', 'eve@example.net', 'app@example.org']);
    expect(secrets).toEqual([
      {
        name: 'new-users',
        value:
          'eve@example.org\tpassword\ta secret of some length\neve@example.net\thash\t{BLF-CRYPT}x\napp@example.org\tpassword\ta secret of some length\ta@example.org,@example.net\n',
      },
    ]);
    expect(JSON.stringify(steps)).not.toContain('a secret');
  });

  it('makes no mailbox on a server that only sends, and says how an application gets its login', () => {
    const sender = { ...accounts, mailboxes: [], sendsOnly: true };
    const box = { address: 'eve@example.org', credential: password };
    expect(code(() => planNewUsers(sender, [box]))).toContain('E_NO_MAILBOXES');
    expect(planNewUsers(sender, [{ ...box, senders: ['a@example.org'] }]).steps).toHaveLength(1);
  });

  it('the same name in another domain is another mailbox; one that is there keeps its password', () => {
    const { steps, notes } = planNewUsers(accounts, [
      { address: 'ada@example.net', credential: password },
      { address: 'bob@example.net', credential: password },
    ]);
    expect(steps.map(({ title }) => title)).toEqual(['Create the mailbox bob@example.net']);
    expect(notes).toEqual([expect.stringMatching(/^ada@example\.net is there already and keeps/)]);
  });

  it.each([
    [{ address: 'x@other.org', credential: password }, /^E_ACCOUNT_DOMAIN/],
    [{ address: 'x@example.org', credential: password, senders: ['y@other.org'] }, /^E_ACCOUNT_DOMAIN: y@/],
    [{ address: 'info@example.org', credential: password }, /^E_ACCOUNT_ALIAS/],
  ])('%# is refused', (user, expected) => {
    expect(code(() => planNewUsers(accounts, [user]))).toMatch(expected);
  });
});

describe('changes to a login', () => {
  it('a password, of logins too', () => {
    const { steps, secrets } = planNewPassword(accounts, 'shop@example.org', password.value);
    expect(steps[0]?.calls).toEqual([
      { fn: 'accounts_passwd', args: ['shop@example.org', 'new-password', 'hash'] },
    ]);
    expect(secrets[0]?.value).toBe('a secret of some length\n');
    expect(code(() => planNewPassword(accounts, 'adq@example.org', password.value))).toMatch(
      /^E_ACCOUNT_UNKNOWN/,
    );
  });

  it('disable and enable do only what is not so already', () => {
    const both = ['ada@example.org', 'bob@example.org'];
    expect(planSwitch(accounts, both, 'disable').steps.map(({ id }) => id)).toEqual([
      'disable:ada@example.org',
    ]);
    expect(planSwitch(accounts, both, 'enable').steps.map(({ id }) => id)).toEqual([
      'enable:bob@example.org',
    ]);
    expect(code(() => planSwitch(accounts, ['x@example.org'], 'enable'))).toMatch(/^E_ACCOUNT_UNKNOWN/);
  });

  it('removal keeps the mail, and refuses while an alias leads there', () => {
    expect(code(() => planRemoval(accounts, ['bob@example.org']))).toMatch(/^E_ACCOUNT_ALIAS/);
    const { steps, notes } = planRemoval(accounts, ['ada@example.net', 'nobody@example.org']);
    expect(steps.map(({ id }) => id)).toEqual(['remove:ada@example.net']);
    expect(notes.join('\n')).toContain('stays on the server');
    expect(notes.join('\n')).toContain('no mailbox or login nobody@example.org');
    const last = { ...accounts, mailboxes: ['ada@example.net'], aliases: [] };
    expect(planRemoval(last, ['ada@example.net']).notes.join('\n')).toContain('No mailbox is left');
  });
});

describe('planAlias', () => {
  const targetsOf = (change: ReturnType<typeof planAlias>) => change.steps[0]?.calls[0]?.args[1];

  it('adds to what is there, and does nothing twice', () => {
    expect(targetsOf(planAlias(accounts, 'info@example.org', ['ada@example.net']))).toBe(
      'ada@example.org,bob@example.org,ada@example.net',
    );
    expect(planAlias(accounts, 'info@example.org', ['bob@example.org']).steps).toEqual([]);
  });

  it('makes a catch-all, leads to tagged addresses and roles, and warns of forwarding outside', () => {
    expect(targetsOf(planAlias(accounts, '@example.net', ['ada+all@example.net']))).toBe(
      'ada+all@example.net',
    );
    expect(targetsOf(planAlias(accounts, 'x@example.net', ['postmaster@example.org']))).toBeDefined();
    expect(planAlias(accounts, 'x@example.net', ['x@elsewhere.test']).notes[0]).toContain('Forwarding to');
  });

  it.each([
    ['info@other.org', ['ada@example.org'], /^E_ACCOUNT_DOMAIN/],
    ['ada@example.org', ['bob@example.org'], /^E_ALIAS_MAILBOX/],
    ['x@example.org', ['typo@example.org'], /^E_ALIAS_TARGET/],
    ['x@example.org', ['shop@example.org'], /^E_ALIAS_TARGET/],
    ['info@example.org', ['team@example.net'], /^E_ALIAS_CIRCLE/],
    ['x@example.org', ['x@example.org'], /^E_ALIAS_CIRCLE/],
    ['@example.net', ['typo@example.net'], /^E_ALIAS_CIRCLE/],
  ])('%s to %j is refused', (address, targets, expected) => {
    expect(code(() => planAlias(accounts, address, targets))).toMatch(expected);
  });

  it('two ways to one mailbox are no circle', () => {
    expect(planAlias(accounts, 'x@example.org', ['info@example.org', 'team@example.net']).steps).toHaveLength(
      1,
    );
  });
});

describe('planAliasRemoval', () => {
  it('takes one target out, and the alias with its last one', () => {
    const some = planAliasRemoval(accounts, 'info@example.org', ['bob@example.org', 'x@example.org']);
    expect(some.steps[0]?.calls).toEqual([
      { fn: 'accounts_alias', args: ['info@example.org', 'ada@example.org', 'hash'] },
    ]);
    expect(some.notes).toEqual(['info@example.org does not lead to x@example.org.']);
    for (const targets of [[], ['info@example.org']]) {
      expect(planAliasRemoval(accounts, 'team@example.net', targets).steps[0]?.calls).toEqual([
        { fn: 'accounts_alias_remove', args: ['team@example.net', 'hash'] },
      ]);
    }
    expect(planAliasRemoval(accounts, 'none@example.org', []).steps).toEqual([]);
  });

  it('refuses while another alias leads there', () => {
    expect(code(() => planAliasRemoval(accounts, 'info@example.org', []))).toMatch(/^E_ALIAS_NEEDED/);
  });
});

describe('planMailDeletion', () => {
  const store = { address: 'bob@example.org', messages: 3, newer: 0, kib: 2049 };

  it('deletes what is in a backup, and says how much it is', () => {
    const { steps } = planMailDeletion({ saved: 1700000000, stores: [store] });
    expect(steps).toMatchObject([
      {
        title: 'Delete the mail of bob@example.org for good: 3 messages, 3 MiB',
        calls: [{ fn: 'accounts_delete_mail', args: ['bob@example.org', '1700000000'] }],
      },
    ]);
  });

  it.each([
    ['there is no backup', { saved: 0, stores: [{ ...store, newer: 3 }] }],
    ['one message came after it', { saved: 1700000000, stores: [store, { ...store, newer: 1 }] }],
  ])('refuses while %s', (_why, given) => {
    expect(code(() => planMailDeletion(given))).toContain('E_BACKUP_FIRST');
  });

  it('has nothing to do where there is no mail', () => {
    expect(planMailDeletion({ saved: 0, stores: [] }).steps).toEqual([]);
  });
});

describe('planQuota', () => {
  const own = { ...accounts, quotas: [{ address: 'ada@example.org', bytes: 1024 }] };

  it('gives room, takes the limit away, and goes back to the common one', () => {
    const calls = (address: string, text: string, bytes: number | 'default') =>
      planQuota(own, address, { text, bytes }).steps.map((step) => [step.title, step.calls[0]?.args[1]]);
    expect(calls('bob@example.org', '5G', 5)).toEqual([['Let the mailbox bob@example.org hold 5G', '5']]);
    expect(calls('ada@example.org', 'none', 0)[0]?.[1]).toBe('0');
    expect(calls('ada@example.org', 'default', 'default')[0]?.[1]).toBe('default');
    expect(calls('ada@example.org', '1K', 1024)).toEqual([]);
    expect(calls('bob@example.org', 'default', 'default')).toEqual([]);
  });

  it('refuses who has no mailbox', () => {
    expect(code(() => planQuota(own, 'shop@example.org', { text: '5G', bytes: 5 }))).toContain(
      'E_ACCOUNT_QUOTA',
    );
    expect(code(() => planQuota(own, 'nobody@example.org', { text: '5G', bytes: 5 }))).toContain(
      'E_ACCOUNT_UNKNOWN',
    );
  });
});
