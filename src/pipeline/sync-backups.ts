import { describeClient } from '../apply/holder.js';
import { loadRunTexts } from '../apply/load-library.js';
import { runServerPlan } from '../apply/server-lane.js';
import { Exit, messageOf, SetupError } from '../errors.js';
import { refuseConflicts } from '../plan/build-server-plan.js';
import { compileRuns } from '../plan/compile-runs.js';
import { answersFor } from './backup-mx.js';
import { makePlan } from './make-plan.js';
import { openResolvers } from './open-resolvers.js';
import { reachServer, settleRunning } from './prepare.js';
import { createRunId, readMyself, type Session } from './session.js';
import { createRunListener } from './show-run.js';
import { domainsOf } from './survey.js';

/**
 * Brings the recipient lists of a server's backups in step, after mailboxes or aliases of that server were changed.
 * Throws E_BACKUP_BEHIND (exit 1) when one cannot be told.
 */
export async function syncBackups(session: Session, hostname: string): Promise<void> {
  const config = session.loaded?.config;
  const backups = new Set(domainsOf(config, hostname).flatMap(([, { backup }]) => backup ?? []));
  for (const backup of backups) {
    try {
      await syncBackup(session, backup);
    } catch (error) {
      session.context.signal.throwIfAborted();
      throw new SetupError({
        code: 'E_BACKUP_BEHIND',
        exit: Exit.failed,
        what: `The change is made on ${hostname}, but its backup ${backup} does not know of it.`,
        evidence: [messageOf(error)],
        fix: [
          'Run smtp-setup apply when the backup can be reached: it brings its list of recipients in step.',
        ],
        cause: error,
      });
    }
  }
}

async function syncBackup(before: Session, backup: string): Promise<void> {
  const config = before.loaded?.config;
  if (config === undefined) return;
  const { context } = before;
  const { resolver } = before.answers;
  const answers = {
    ...answersFor(before, config, backup),
    ...(resolver === undefined ? {} : { resolver }),
  };
  const session = { ...before, answers };
  const progress = await context.createProgress();
  try {
    const first = await reachServer(session, answers, { egress: 'when-fresh' });
    // Its first apply brings the whole list.
    if (first.facts.state.manifest === 'absent') return;
    const { link, components, facts } = await settleRunning(session, first, progress);
    const resolvers = await openResolvers(session, [backup]);
    const plan = await makePlan(session, link.connection, components, facts, [], resolvers, {
      config,
      hostname: backup,
      answers,
      mailboxes: [],
      consents: { update: false, delete: false },
      onConflict: 'stop',
    });
    refuseConflicts(plan.server);
    const texts = await loadRunTexts();
    const [run] = compileRuns(
      plan.server.steps.filter(({ id }) => id === 'files-postfix'),
      {
        idOf: (name) => createRunId(context.clock(), name),
        generation: plan.server.generation,
        who: describeClient(readMyself(context)),
        library: texts.library,
      },
    );
    if (run === undefined) return;
    context.io.say(`Bringing the list of recipients on ${backup} in step.`);
    const { connection } = await runServerPlan(run, {
      connection: link.connection,
      connector: link.connector,
      texts,
      signal: context.signal,
      onEvent: createRunListener(run.name, progress),
    });
    await connection.close();
  } finally {
    progress.stop();
  }
}
