import type { AliasAction } from '../../cli/commands/alias.js';
import type { DkimAction } from '../../cli/commands/dkim.js';
import type { DomainAction } from '../../cli/commands/domain.js';
import type { InitOptions } from '../../cli/commands/init.js';
import type { LogsOptions } from '../../cli/commands/logs.js';
import type { QueueAction } from '../../cli/commands/queue.js';
import type { UndoOptions } from '../../cli/commands/undo.js';
import type { UserAction } from '../../cli/commands/user.js';
import type { Context } from '../../cli/context.js';
import type { Outcome } from '../../cli/outcome.js';

/** A command, with what its arguments would have said. */
export type Chosen =
  | { command: 'user'; action: UserAction }
  | { command: 'alias'; action: AliasAction }
  | { command: 'domain'; action: DomainAction }
  | { command: 'dkim'; action: DkimAction }
  | { command: 'queue'; action: QueueAction }
  | ({ command: 'logs' } & Pick<LogsOptions, 'messageId' | 'from' | 'to'>)
  | { command: 'report' | 'status' | 'check' | 'apply' }
  | { command: 'backup'; target: string }
  | { command: 'restore'; file: string; ssh: string }
  | { command: 'undo'; scope: UndoOptions['scope'] }
  | { command: 'uninstall'; removePackages: boolean };

/** Seconds. */
const day = 86_400;

/** Runs it as from the command line: it asks the rest, and shows its plan, as always. */
export async function runChosen(
  context: Context,
  { config, flags, consents }: InitOptions,
  chosen: Chosen,
): Promise<Outcome> {
  const common = { flags, ...(config === undefined ? {} : { config }), yes: false };
  switch (chosen.command) {
    case 'user':
      return (await import('../user.js')).runUser(context, { ...common, action: chosen.action });
    case 'alias':
      return (await import('../alias.js')).runAlias(context, { ...common, action: chosen.action });
    case 'domain':
      return (await import('../domain.js')).runDomain(context, {
        ...common,
        consents,
        action: chosen.action,
      });
    case 'dkim':
      return (await import('../dkim.js')).runDkim(context, { ...common, action: chosen.action });
    case 'queue':
      return (await import('../queue.js')).runQueue(context, { ...common, action: chosen.action });
    case 'logs': {
      const { command: _logs, ...filter } = chosen;
      return (await import('../logs.js')).runLogs(context, {
        ...common,
        ...filter,
        since: 7 * day,
        follow: false,
      });
    }
    case 'report':
      return (await import('../report.js')).runReport(context, { ...common, since: 7 * day });
    case 'status':
      return (await import('../status.js')).runStatus(context, { ...common, changedOnly: false });
    case 'check':
      return (await import('../check.js')).runCheck(context, {
        ...common,
        scope: 'all',
        selectors: [],
        failOn: 'fail',
      });
    case 'apply':
      return (await import('../apply.js')).runApply(context, {
        ...common,
        consents,
        servers: [],
        parallel: 20,
      });
    case 'backup':
      return (await import('../backup.js')).runBackup(context, {
        ...common,
        target: chosen.target,
        recipients: [],
        plain: false,
      });
    case 'restore': {
      // What was said of the old machine's key does not hold for the fresh one.
      const { hostKey: _old, ...others } = flags;
      return (await import('../restore.js')).runRestore(context, {
        ...common,
        consents,
        file: chosen.file,
        flags: { ...others, ssh: chosen.ssh },
      });
    }
    case 'undo':
      return chosen.scope === 'dns'
        ? (await import('../undo-dns.js')).runUndoDns(context, { ...common, scope: chosen.scope })
        : (await import('../undo-server.js')).runUndoServer(context, { ...common, scope: chosen.scope });
    case 'uninstall':
      return (await import('../uninstall.js')).runUninstall(context, {
        ...common,
        removePackages: chosen.removePackages,
        discardQueue: false,
      });
  }
}
