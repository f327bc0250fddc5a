import {
  type AccountChange,
  type Accounts,
  domainOf,
  findAlias,
  refuse,
  requireDomains,
  withoutTag,
} from './plan-accounts.js';

const roles = ['postmaster', 'abuse', 'root', 'mailer-daemon'];

/** The alias leads to these targets, too. `@domain` catches all. Throws E_ACCOUNT_DOMAIN, E_ALIAS_…. */
export function planAlias(accounts: Accounts, address: string, targets: readonly string[]): AccountChange {
  requireDomains(accounts, [address]);
  if (accounts.mailboxes.includes(address)) {
    throw refuse(
      'E_ALIAS_MAILBOX',
      `${address} is a mailbox.`,
      [],
      ['Choose another name for the alias, or remove the mailbox first.'],
    );
  }
  const before = findAlias(accounts, address)?.targets ?? [];
  const after = [...new Set([...before, ...targets])];
  requireReachable(accounts, address, after);
  const outside = targets.filter((target) => !accounts.domains.includes(domainOf(target)));
  const notes = outside.map(
    (target) =>
      `Forwarding to ${target}: its server sees strangers' mail come from this one. SPF fails there, DKIM mostly holds; spam that passes here counts against this server.`,
  );
  if (after.length === before.length)
    return { steps: [], secrets: [], notes: [`${address} is there already.`] };
  return { steps: [aliasStep(accounts, address, after, before)], secrets: [], notes };
}

/** Takes targets out of an alias, or the whole alias when none is named or left. */
export function planAliasRemoval(
  accounts: Accounts,
  address: string,
  targets: readonly string[],
): AccountChange {
  const before = findAlias(accounts, address)?.targets;
  if (before === undefined) return { steps: [], secrets: [], notes: [`There is no alias ${address}.`] };
  const strangers = targets.filter((target) => !before.includes(target));
  const notes = strangers.map((target) => `${address} does not lead to ${target}.`);
  if (targets.length > 0 && strangers.length === targets.length) return { steps: [], secrets: [], notes };
  const after = targets.length === 0 ? [] : before.filter((target) => !targets.includes(target));
  if (after.length > 0) return { steps: [aliasStep(accounts, address, after, before)], secrets: [], notes };
  requireNotNeeded(accounts, address);
  return {
    steps: [
      {
        id: `alias-remove:${address}`,
        run: 'install',
        title: `Remove the alias ${address}`,
        reason: `it leads to ${before.join(', ')}`,
        calls: [{ fn: 'accounts_alias_remove', args: [address, accounts.mapType] }],
      },
    ],
    secrets: [],
    notes,
  };
}

function aliasStep(
  accounts: Accounts,
  address: string,
  after: readonly string[],
  before: readonly string[],
): AccountChange['steps'][number] {
  const who = address.startsWith('@') ? `all other mail to ${address.slice(1)}` : address;
  return {
    id: `alias:${address}`,
    run: 'install',
    title: `Deliver ${who} to ${after.join(', ')}`,
    reason: before.length === 0 ? 'there is no such alias' : `until now to ${before.join(', ')}`,
    calls: [{ fn: 'accounts_alias', args: [address, after.join(','), accounts.mapType] }],
  };
}

/** Every target must lead out of the server or to a mailbox, in the end: Postfix would bounce mail it has accepted. */
function requireReachable(accounts: Accounts, address: string, targets: readonly string[]): void {
  const next = new Map(accounts.aliases.map((alias) => [alias.address, alias.targets]));
  next.set(address, targets);
  for (const target of targets) {
    const seen = new Set<string>();
    const todo = [withoutTag(target)];
    for (let one = todo.shift(); one !== undefined; one = todo.shift()) {
      if (seen.has(one) || !accounts.domains.includes(domainOf(one)) || accounts.mailboxes.includes(one))
        continue;
      seen.add(one);
      const key = next.has(one) ? one : `@${domainOf(one)}`;
      const onward = next.get(key);
      if (key === address) {
        throw refuse(
          'E_ALIAS_CIRCLE',
          `${address} would lead back to itself.`,
          [`through ${target}`],
          ['Name mailboxes, or aliases that lead to some.'],
        );
      }
      if (onward !== undefined) todo.push(...onward.map(withoutTag));
      else if (!isRole(one, accounts)) {
        throw refuse(
          'E_ALIAS_TARGET',
          `There is neither a mailbox nor an alias ${one}.`,
          [`${address} shall lead to ${target}`],
          [`Create it first: smtp-setup user add ${one}`],
        );
      }
    }
  }
}

/** These reach the first mailbox by themselves (RFC 2142). */
function isRole(address: string, accounts: Accounts): boolean {
  return roles.includes(address.slice(0, address.lastIndexOf('@'))) && accounts.mailboxes.length > 0;
}

function requireNotNeeded(accounts: Accounts, address: string): void {
  const others = accounts.aliases.filter(({ targets }) =>
    targets.some((target) => withoutTag(target) === address),
  );
  if (others.length === 0 || isRole(address, accounts)) return;
  throw refuse(
    'E_ALIAS_NEEDED',
    `Other aliases lead to ${address}.`,
    others.map((alias) => `${alias.address} leads to ${alias.targets.join(', ')}`),
    others.map((alias) => `Take it out there first: smtp-setup alias rm ${alias.address} ${address}`),
  );
}
