import type { AliasOptions } from '../cli/commands/alias.js';
import type { Run } from '../cli/outcome.js';
import { Exit } from '../errors.js';
import { parseAddress, parseAddressOrAll } from '../lib/names.js';
import { planAlias, planAliasRemoval } from '../plan/plan-aliases.js';
import { aliasesDocument, renderAliases, renderChanged } from '../ui/report/accounts.js';
import { changeServer, readServer } from './change-server.js';
import { connectServer } from './connect-server.js';
import { openSession } from './session.js';
import { syncBackups } from './sync-backups.js';

/** `alias`: addresses that lead to mailboxes; they live on the server only. */
export const runAlias: Run<AliasOptions> = async (context, options) => {
  const { action } = options;
  const { io } = context;
  const session = await openSession(context, options);
  if (action.kind === 'list') {
    const { accounts } = await readServer(session, await connectServer(session, session.answers));
    io.print(renderAliases(io, accounts));
    return { exit: Exit.ok, document: aliasesDocument(accounts) };
  }
  const address = parseAddressOrAll(action.address);
  const targets = [...new Set(action.targets.map((target) => parseAddress(target)))];
  const { changed, change, hostname, roundTrips } = await changeServer(session, {
    command: `alias-${action.kind}`,
    yes: options.yes,
    plan: async ({ accounts }) =>
      action.kind === 'add'
        ? planAlias(accounts, address, targets)
        : planAliasRemoval(accounts, address, targets),
  });
  if (changed) await syncBackups(session, hostname);
  io.print(renderChanged(io, { changed, hostname, steps: change.steps }));
  const steps = change.steps.map(({ id, title }) => ({ id, title }));
  return { exit: Exit.ok, document: { changed, hostname, roundTrips, steps, notes: change.notes } };
};
