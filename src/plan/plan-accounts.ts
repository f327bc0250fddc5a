import type { Secret } from '../config/secret.js';
import { Exit, SetupError } from '../errors.js';
import type { AccountsState } from '../facts/accounts.js';
import { nearestWord } from '../lib/nearest-word.js';
import type { RunSecret, ServerStep } from './step.js';

export type Accounts = Omit<AccountsState, 'prepared'>;

/** What a command changes among mailboxes and aliases. No steps: it is so already. */
export interface AccountChange {
  steps: ServerStep[];
  secrets: RunSecret[];
  /** What a person should know about it. */
  notes: string[];
}

export interface NewUser {
  address: string;
  credential: { kind: 'password' | 'hash'; value: Secret };
  /** A login for an application: no mailbox, and only these addresses (`@domain` for all of one) as sender. */
  senders?: readonly string[];
}

export const hasLogin = (accounts: Accounts, address: string): boolean =>
  accounts.mailboxes.includes(address) || accounts.logins.some((login) => login.address === address);

/** New mailboxes or logins, all in one step: all or none. Those that are there keep their password. Throws E_ACCOUNT_…. */
export function planNewUsers(accounts: Accounts, users: readonly NewUser[]): AccountChange {
  const notes: string[] = [];
  const coming = users.filter(({ address }) => {
    if (!hasLogin(accounts, address)) return true;
    notes.push(`${address} is there already and keeps its password (smtp-setup user passwd changes it).`);
    return false;
  });
  refuseMailboxes(accounts, coming);
  requireDomains(accounts, [
    ...coming.map(({ address }) => address),
    ...coming.flatMap(({ senders }) => senders ?? []),
  ]);
  const taken = coming.filter(
    ({ address, senders }) => senders === undefined && findAlias(accounts, address) !== undefined,
  );
  if (taken.length > 0) {
    throw refuse(
      'E_ACCOUNT_ALIAS',
      'There is an alias of that name.',
      taken.map(({ address }) => `${address} leads to ${findAlias(accounts, address)?.targets.join(', ')}`),
      taken.map(({ address }) => `Remove it first: smtp-setup alias rm ${address}`).slice(0, 3),
    );
  }
  const [first] = coming;
  if (first === undefined) return { steps: [], secrets: [], notes };
  const name = 'new-users';
  const title =
    coming.length > 1
      ? `Create ${coming.length} mailboxes`
      : `Create the ${first.senders ? 'login' : 'mailbox'} ${first.address}`;
  const step: ServerStep = {
    id: coming.length > 1 ? 'mailboxes' : `mailbox:${first.address}`,
    run: 'install',
    title,
    reason: first.senders
      ? `it may send as ${first.senders.join(', ')}`
      : coming.length > 1
        ? 'there are none of these names'
        : 'there is none of that name',
    calls: [{ fn: 'accounts_add_all', args: [name, accounts.mapType] }],
    ...(coming.length > 1 ? { preview: coming.map(({ address }) => address) } : {}),
  };
  const lines = coming.map(({ address, credential, senders }) =>
    [address, credential.kind, credential.value.reveal(), ...(senders ? [senders.join(',')] : [])].join('\t'),
  );
  return { steps: [step], secrets: [{ name, value: `${lines.join('\n')}\n` }], notes };
}

/** On a server that only sends a login belongs to an application, and says whom it sends as. Throws E_NO_MAILBOXES. */
function refuseMailboxes({ sendsOnly }: Accounts, users: readonly NewUser[]): void {
  const boxes = users.filter(({ senders }) => senders === undefined).map(({ address }) => address);
  const [first] = boxes;
  if (!sendsOnly || first === undefined) return;
  throw refuse('E_NO_MAILBOXES', 'This server only sends; it has no mailboxes.', boxes.slice(0, 20), [
    `Give the application a login, and say which senders it may use: smtp-setup user add ${first} --sender ${first}`,
  ]);
}

/** Throws E_ACCOUNT_UNKNOWN. */
export function planNewPassword(accounts: Accounts, address: string, password: Secret): AccountChange {
  requireLogins(accounts, [address]);
  const name = 'new-password';
  return {
    steps: [
      {
        id: `password:${address}`,
        run: 'install',
        title: `Change the password of ${address}`,
        reason: 'asked for; open sessions end',
        calls: [{ fn: 'accounts_passwd', args: [address, name, accounts.mapType] }],
      },
    ],
    secrets: [{ name, value: `${password.reveal()}\n` }],
    notes: [],
  };
}

/** The logins go; their mail stays, unless it is `deleted`, too. Throws E_ACCOUNT_ALIAS while an alias leads to one of them. */
export function planRemoval(
  accounts: Accounts,
  addresses: readonly string[],
  mail: 'stays' | 'deleted' = 'stays',
): AccountChange {
  const there = addresses.filter((address) => hasLogin(accounts, address));
  const notes = addresses
    .filter((address) => !there.includes(address))
    .map((address) => `There is no mailbox or login ${address}.`);
  const leading = accounts.aliases.filter(({ targets }) =>
    targets.some((target) => there.includes(withoutTag(target))),
  );
  if (leading.length > 0) {
    throw refuse(
      'E_ACCOUNT_ALIAS',
      'Mail to an alias would have nowhere to go.',
      leading.map(({ address, targets }) => `${address} leads to ${targets.join(', ')}`),
      leading.flatMap(({ address, targets }) =>
        targets
          .filter((target) => there.includes(withoutTag(target)))
          .map((target) => `Take it out of the alias first: smtp-setup alias rm ${address} ${target}`),
      ),
    );
  }
  const left = accounts.mailboxes.filter((address) => !there.includes(address));
  if (there.some((address) => accounts.mailboxes.includes(address))) {
    if (mail === 'stays') notes.push('The stored mail stays on the server, under /var/vmail.');
    if (left.length === 0) notes.push('No mailbox is left: mail to postmaster and abuse is refused.');
  }
  return {
    steps: there.map((address) => ({
      id: `remove:${address}`,
      run: 'install',
      title: `Remove ${address}`,
      reason: mail === 'stays' ? 'asked for; its mail stays' : 'asked for',
      calls: [{ fn: 'accounts_remove', args: [address, accounts.mapType] }],
    })),
    secrets: [],
    notes,
  };
}

/** Logins off or on; mail comes in all the while. Throws E_ACCOUNT_UNKNOWN. */
export function planSwitch(
  accounts: Accounts,
  addresses: readonly string[],
  to: 'disable' | 'enable',
): AccountChange {
  requireLogins(accounts, addresses);
  const due = addresses.filter((address) => accounts.disabled.includes(address) !== (to === 'disable'));
  return {
    steps: due.map((address) => ({
      id: `${to}:${address}`,
      run: 'install',
      title: to === 'disable' ? `Disable ${address}` : `Enable ${address}`,
      reason: to === 'disable' ? 'no login and no sending; mail still comes in' : 'with the password it had',
      calls: [{ fn: `accounts_${to}`, args: [address, accounts.mapType] }],
    })),
    secrets: [],
    notes: addresses
      .filter((address) => !due.includes(address))
      .map((address) => `${address} is ${to}d already.`),
  };
}

/** Room for a mailbox: bytes, 0 for no limit, or the configuration's. Throws E_ACCOUNT_UNKNOWN, E_ACCOUNT_QUOTA. */
export function planQuota(
  accounts: Accounts,
  address: string,
  size: { text: string; bytes: number | 'default' },
): AccountChange {
  requireLogins(accounts, [address]);
  if (!accounts.mailboxes.includes(address)) {
    throw refuse(
      'E_ACCOUNT_QUOTA',
      `${address} is a login without a mailbox; it holds no mail.`,
      [],
      ['smtp-setup user list shows the mailboxes.'],
    );
  }
  const now = accounts.quotas.find((one) => one.address === address)?.bytes ?? 'default';
  if (now === size.bytes) return { steps: [], secrets: [], notes: [] };
  const titles = new Map([
    ['none', `Let the mailbox ${address} grow without limit`],
    ['default', `Give the mailbox ${address} as much room as the others`],
  ]);
  return {
    steps: [
      {
        id: `quota:${address}`,
        run: 'install',
        title: titles.get(size.text) ?? `Let the mailbox ${address} hold ${size.text}`,
        reason: 'asked for; mail beyond it is refused with 452, and tried again',
        calls: [{ fn: 'accounts_quota', args: [address, String(size.bytes), accounts.mapType] }],
      },
    ],
    secrets: [],
    notes: [],
  };
}

/** Addresses of this server's domains; `@domain` counts, too. Throws E_ACCOUNT_DOMAIN. */
export function requireDomains(accounts: Accounts, addresses: readonly string[]): void {
  const foreign = addresses.filter((address) => !accounts.domains.includes(domainOf(address)));
  if (foreign.length === 0) return;
  throw refuse(
    'E_ACCOUNT_DOMAIN',
    foreign.length === 1
      ? `${foreign[0]} belongs to none of this server's domains.`
      : `${foreign.length} addresses belong to none of this server's domains.`,
    [
      ...(foreign.length === 1 ? [] : foreign.slice(0, 20)),
      `The server's domains: ${accounts.domains.join(', ') || 'none'}`,
    ],
    ['Check the spelling.'],
  );
}

function requireLogins(accounts: Accounts, addresses: readonly string[]): void {
  const unknown = addresses.filter((address) => !hasLogin(accounts, address));
  const [first] = unknown;
  if (first === undefined) return;
  const known = [...accounts.mailboxes, ...accounts.logins.map(({ address }) => address)];
  const near = nearestWord(first, known);
  throw refuse(
    'E_ACCOUNT_UNKNOWN',
    `There is no mailbox ${unknown.join(', ')}.`,
    near === undefined ? [] : [`Did you mean ${near}?`],
    ['smtp-setup user list shows those that there are.'],
  );
}

export function findAlias(accounts: Accounts, address: string): Accounts['aliases'][number] | undefined {
  return accounts.aliases.find((alias) => alias.address === address);
}

export function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1);
}

/** `user+tag@…` reaches `user@…`. */
export function withoutTag(address: string): string {
  return address.replace(/\+[^@]*@/, '@');
}

export function refuse(
  code: string,
  what: string,
  evidence: readonly string[],
  fix: readonly string[],
): SetupError {
  return new SetupError({ code, exit: Exit.usage, what, evidence, fix: [...fix, 'Nothing was changed.'] });
}
