import type { Command } from 'commander';
import type { Context } from '../context.js';
import type { Outcome, Run } from '../outcome.js';
import { aliasCommand } from './alias.js';
import { applyCommand } from './apply.js';
import { backupCommand } from './backup.js';
import { checkCommand } from './check.js';
import type { CommandDefinition } from './definition.js';
import { dkimCommand } from './dkim.js';
import { domainCommand } from './domain.js';
import { exportCommand } from './export.js';
import { initCommand } from './init.js';
import { logsCommand } from './logs.js';
import { planCommand } from './plan.js';
import { queueCommand } from './queue.js';
import { relayCommand } from './relay.js';
import { reportCommand } from './report.js';
import { restoreCommand } from './restore.js';
import { sandboxCommand } from './sandbox.js';
import { statusCommand } from './status.js';
import { undoCommand } from './undo.js';
import { uninstallCommand } from './uninstall.js';
import { userCommand } from './user.js';

export interface Entry {
  /** Adds the command to the program and returns its examples; nothing when there is no working half yet. */
  register(program: Command, context: Context, done: (outcome: Outcome) => void): readonly string[];
}

/** Joins the parsing half of a command with its working half, which is loaded only when the command runs. */
export function entry<O>(definition: CommandDefinition<O>, load?: () => Promise<Run<O>>): Entry {
  return {
    register(program, context, done) {
      if (load === undefined) return [];
      definition.define(program, async (options) => {
        const run = await load();
        done(await run(context, options));
      });
      return definition.examples;
    },
  };
}

/**
 * The registry. A line without a loader is parsed in tests only and stays out of `--help`; wired it reads
 * `entry(initCommand, async () => (await import('../../pipeline/init.js')).runInit)`.
 */
export const commands: readonly Entry[] = [
  entry(initCommand, async () => (await import('../../pipeline/init.js')).runInit),
  entry(planCommand, async () => (await import('../../pipeline/plan.js')).runPlan),
  entry(applyCommand, async () => (await import('../../pipeline/apply.js')).runApply),
  entry(checkCommand, async () => (await import('../../pipeline/check.js')).runCheck),
  entry(userCommand, async () => (await import('../../pipeline/user.js')).runUser),
  entry(aliasCommand, async () => (await import('../../pipeline/alias.js')).runAlias),
  entry(domainCommand, async () => (await import('../../pipeline/domain.js')).runDomain),
  entry(dkimCommand, async () => (await import('../../pipeline/dkim.js')).runDkim),
  entry(relayCommand, async () => (await import('../../pipeline/relay.js')).runRelay),
  entry(queueCommand, async () => (await import('../../pipeline/queue.js')).runQueue),
  entry(logsCommand, async () => (await import('../../pipeline/logs.js')).runLogs),
  entry(reportCommand, async () => (await import('../../pipeline/report.js')).runReport),
  entry(statusCommand, async () => (await import('../../pipeline/status.js')).runStatus),
  entry(backupCommand, async () => (await import('../../pipeline/backup.js')).runBackup),
  entry(restoreCommand, async () => (await import('../../pipeline/restore.js')).runRestore),
  entry(exportCommand, async () => (await import('../../pipeline/export.js')).runExport),
  entry(undoCommand, async () => {
    const [dns, server] = await Promise.all([
      import('../../pipeline/undo-dns.js'),
      import('../../pipeline/undo-server.js'),
    ]);
    return (context, options) =>
      options.scope === 'dns' ? dns.runUndoDns(context, options) : server.runUndoServer(context, options);
  }),
  entry(uninstallCommand, async () => (await import('../../pipeline/uninstall.js')).runUninstall),
  entry(sandboxCommand, async () => (await import('../../pipeline/sandbox.js')).runSandbox),
];
