import type { AccountsState } from '../../facts/accounts.js';
import { sanitizeLine } from '../../lib/sanitize.js';
import type { ServerStep } from '../../plan/step.js';
import { createStyle } from '../colors.js';
import type { Io } from '../io.js';
import { alignColumns, formatBytes } from '../text.js';

/** The end of a change: one line a step, as it was planned. */
export function renderChanged(
  io: Io,
  view: { changed: boolean; hostname: string; steps: readonly ServerStep[] },
): string {
  const { mark } = createStyle(io.out);
  if (!view.changed) return `${mark.done} Nothing to change on ${sanitizeLine(view.hostname)}.`;
  return view.steps.map(({ title }) => `${mark.done} Done: ${sanitizeLine(title)}`).join('\n');
}

type Accounts = Pick<AccountsState, 'mailboxes' | 'disabled' | 'quotas' | 'logins' | 'aliases'>;

/** All mailboxes and logins, a line each. */
export function renderUsers(io: Io, accounts: Accounts): string {
  const { chalk, mark } = createStyle(io.out);
  const state = (address: string): string[] =>
    accounts.disabled.includes(address)
      ? [mark.skip, sanitizeLine(address), chalk.yellow('disabled')]
      : [mark.done, sanitizeLine(address), 'enabled'];
  const rows = [
    ...accounts.mailboxes.map((address) => [
      ...state(address),
      chalk.dim(
        [describeQuota(accounts, address), describeAliases(accounts, address)].filter(Boolean).join('; '),
      ),
    ]),
    ...accounts.logins.map(({ address, senders }) => [
      ...state(address),
      chalk.dim(sanitizeLine(`no mailbox; sends as ${senders.join(', ')}`)),
    ]),
  ];
  return rows.length === 0 ? 'There are no mailboxes.' : alignColumns(rows).map(trimEnd).join('\n');
}

/** The same as plain data, for `--json`. */
export function usersDocument(accounts: Accounts): Record<string, unknown> {
  const enabled = (address: string): boolean => !accounts.disabled.includes(address);
  return {
    mailboxes: accounts.mailboxes.map((address) => ({
      address,
      enabled: enabled(address),
      aliases: aliasesOf(accounts, address),
      ...quotaOf(accounts, address),
    })),
    logins: accounts.logins.map(({ address, senders }) => ({ address, enabled: enabled(address), senders })),
  };
}

/** All aliases, a line each. */
export function renderAliases(io: Io, { aliases }: Accounts): string {
  if (aliases.length === 0) return 'There are no aliases.';
  const { chalk } = createStyle(io.out);
  const rows = aliases.map(({ address, targets }) => [
    sanitizeLine(address),
    chalk.dim('->'),
    sanitizeLine(targets.join(', '), 2000),
  ]);
  return alignColumns(rows).join('\n');
}

/** The same as plain data, for `--json`. */
export function aliasesDocument({ aliases }: Accounts): Record<string, unknown> {
  return { aliases };
}

/** Only where it is the mailbox's own; `null` is no limit. */
function quotaOf({ quotas }: Accounts, mailbox: string): { quota?: number | null } {
  const own = quotas.find(({ address }) => address === mailbox);
  return own === undefined ? {} : { quota: own.bytes === 0 ? null : own.bytes };
}

function describeQuota(accounts: Accounts, address: string): string {
  const { quota } = quotaOf(accounts, address);
  if (quota === undefined) return '';
  return quota === null ? 'holds any amount' : `holds ${formatBytes(quota)}`;
}

function aliasesOf({ aliases }: Accounts, mailbox: string): string[] {
  return aliases.filter(({ targets }) => targets.includes(mailbox)).map(({ address }) => address);
}

function describeAliases(accounts: Accounts, address: string): string {
  const names = aliasesOf(accounts, address);
  return names.length === 0 ? '' : sanitizeLine(`also ${names.join(', ')}`);
}

function trimEnd(line: string): string {
  return line.trimEnd();
}
