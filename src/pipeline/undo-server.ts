import type { UndoOptions } from '../cli/commands/undo.js';
import type { Run } from '../cli/outcome.js';
import { Exit, SetupError } from '../errors.js';
import { readFiles, readSomeFacts } from '../facts/read-facts.js';
import { buildModel } from '../plan/build-model.js';
import { refuseConflicts } from '../plan/build-server-plan.js';
import { planUndo, undoPaths } from '../plan/plan-undo.js';
import { changeServer } from './change-server.js';
import { chooseServer } from './choose-servers.js';
import { openComponents } from './make-plan.js';
import { openSession } from './session.js';
import { domainsOf, surveyServer } from './survey.js';

/** `undo server`: the files that the last command replaced, as they were before it. Twice: what was undone is back. */
export const runUndoServer: Run<UndoOptions> = async (context, options) => {
  const { io } = context;
  const session = await openSession(context, { ...options, needsConfig: true });
  const { config, hostname } = chooseServer(session, session.answers);
  const components = await openComponents(session);
  const { changed, change, roundTrips } = await changeServer(session, {
    command: 'undo-server',
    yes: options.yes,
    async plan(_facts, connection) {
      const { signal } = context;
      const { lastBackup: backup } = await readSomeFacts(connection, ['lastBackup'], signal);
      const facts = await surveyServer(connection, components, signal, []);
      const server = config.servers[hostname];
      if (backup === undefined || facts.os === undefined || server === undefined)
        return { steps: [], secrets: [], notes: ['No run has replaced a file; there is nothing to undo.'] };
      if (backup.first) throw setUp();
      const contents = await readFiles(connection, undoPaths({ backup, facts }), signal);
      const { os } = facts;
      const last = facts.state.runs.at(-1)?.id;
      // The probes ask about the domains that stay, as the configuration has them.
      const domains = domainsOf(config, hostname).map(([name, { mail }]) => ({
        name,
        selectors: [],
        receives: mail !== 'send-only',
      }));
      const { model } = buildModel({ hostname, server, os, facts, domains, acme: {}, ipv6: false });
      const plan = planUndo({ backup, facts, components, model, contents });
      refuseConflicts({ generation: 0, manual: [], ...plan }, 'stop');
      return { steps: [...plan.steps], secrets: [], notes: [describeRuns(backup.runs, last), ...plan.notes] };
    },
  });
  const steps = change.steps.map(({ id, title }) => ({ id, title }));
  io.print(
    changed
      ? 'The files are as they were before that. What apply would make of them: smtp-setup plan'
      : 'Nothing was changed.',
  );
  return { exit: Exit.ok, document: { changed, roundTrips, steps } };
};

/** What it is about: the last run may have changed nothing but mailboxes. */
function describeRuns(runs: readonly string[], last: string | undefined): string {
  const what = runs.length === 1 ? `the run ${runs[0]}` : `the runs ${runs.join(', ')}`;
  if (last === undefined || runs.at(-1) === last) return `What ${what} replaced is put back.`;
  return `The last run, ${last}, replaced no file: mailboxes and aliases are changed back with smtp-setup user and smtp-setup alias. What is put back is what ${what} replaced.`;
}

function setUp(): SetupError {
  return new SetupError({
    code: 'E_UNDO_FIRST',
    exit: Exit.usage,
    what: 'The last command that wrote files set this server up, or finished what an earlier one began; there is nothing of ours to go back to.',
    fix: ['Take everything back: smtp-setup uninstall', 'Nothing was changed.'],
  });
}
