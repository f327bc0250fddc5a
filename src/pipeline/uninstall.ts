import { describeClient } from '../apply/holder.js';
import { loadRunTexts } from '../apply/load-library.js';
import { runServerPlan } from '../apply/server-lane.js';
import type { UninstallOptions } from '../cli/commands/uninstall.js';
import type { Outcome, Run } from '../cli/outcome.js';
import { saveLock } from '../config/load.js';
import type { Config } from '../config/schema.js';
import { renderInstructions } from '../dns/instructions.js';
import { toChange } from '../dns/merge/sequence.js';
import { Exit, SetupError } from '../errors.js';
import { buildModel } from '../plan/build-model.js';
import { compileRuns } from '../plan/compile-runs.js';
import { planUninstall } from '../plan/plan-uninstall.js';
import { cancelledError } from '../ui/cancelled.js';
import type { Progress } from '../ui/events.js';
import { isEmptyPlan, type PlanView, planDocument, renderPlan } from '../ui/report/plan.js';
import { chooseServer } from './choose-servers.js';
import { connectServer } from './connect-server.js';
import { forgetServer } from './forget-server.js';
import { planZones } from './leave-zones.js';
import { openComponents } from './make-plan.js';
import { openResolvers } from './open-resolvers.js';
import { type Reached, secondsNow, settleRunning } from './prepare.js';
import { readQueue } from './queue.js';
import { removeRecords, withRemovals, type ZoneRemoval } from './remove-records.js';
import { createRunId, openSession, readMyself, type Session } from './session.js';
import { createRunListener } from './show-run.js';
import { domainsOf, surveyServer, surveyZones, type ZoneSurvey } from './survey.js';
import { planReverseUndo, type ReverseUndo, undoReverse } from './undo-reverse.js';

/** `uninstall`: DNS backwards, then the server as it was; the mail stays. Where that is so already nothing is done. */
export const runUninstall: Run<UninstallOptions> = async (context, options) => {
  const session = await openSession(context, { ...options, needsConfig: true });
  const { config, hostname } = chooseServer(session, session.answers);
  const { io } = context;
  const [first, zones] = await Promise.all([
    options.only === 'dns' ? undefined : reach(session),
    options.only === 'server' ? [] : readZones(session, config, hostname),
  ]);
  const reached =
    first === undefined ? undefined : await settleRunning(session, first, await context.createProgress());
  const server =
    reached === undefined ? { steps: [], notes: [] } : planServer(reached, config, hostname, options);
  if (server.steps.length > 0 && reached !== undefined) await refuseQueue(reached, options);
  const removals = await planZones(session, zones, { config, hostname, facts: reached?.facts });
  const names = await planNames(session, hostname, zones, options);
  const reverse = names.takeBacks.map(({ change }) => change);
  const view = withRemovals({ hostname, server: server.steps, zones: [], reverse, manual: [] }, removals);
  if (isEmptyPlan(view)) {
    for (const note of [...removals.flatMap(({ notes }) => notes), ...names.notes]) io.say(note);
    io.print(renderPlan(io, { ...view, zones: [] }));
    await reached?.link.connection.close();
    return { exit: Exit.ok, document: { changed: false, plan: planDocument(view) } };
  }
  for (const note of [...server.notes, ...names.notes]) io.say(note);
  io.say(renderPlan(io, view));
  await consent(session, options.yes);
  const progress = await context.createProgress(await context.openLog('uninstall'));
  try {
    // Nobody is sent to the server any more before it stops; its own address goes when it has stopped.
    await removeRecords(
      session,
      pick(removals, (stage) => stage !== 'host'),
      progress,
    );
    if (reached !== undefined) await takeBack(session, reached, view, progress);
    await removeRecords(
      session,
      pick(removals, (stage) => stage === 'host'),
      progress,
    );
    await undoReverse(session, names);
    await saveLock(
      session.configPath,
      forgetServer(session, zones, { config, hostname, facts: reached?.facts }, options.only),
    );
  } finally {
    progress.stop();
    await reached?.link.connection.close();
  }
  return report(session, view, removals, names);
};

async function reach(session: Session): Promise<Reached> {
  const components = await openComponents(session);
  const link = await connectServer(session, session.answers);
  const askedAt = secondsNow(session);
  const facts = await surveyServer(link.connection, components, session.context.signal, []);
  return { link, components, facts, askedAt };
}

/** The reverse names belong to the server as the world sees it: they go with its records. */
async function planNames(
  session: Session,
  hostname: string,
  zones: readonly ZoneSurvey[],
  { only }: UninstallOptions,
): Promise<ReverseUndo> {
  return only === 'server' ? { takeBacks: [], notes: [] } : planReverseUndo(session, hostname, zones);
}

async function readZones(session: Session, config: Config, hostname: string): Promise<ZoneSurvey[]> {
  const names = [hostname, ...domainsOf(config, hostname).map(([name]) => name)];
  return surveyZones(session, config, hostname, await openResolvers(session, names));
}

function planServer(
  { facts, components }: Reached,
  config: Config,
  hostname: string,
  { removePackages, discardQueue }: UninstallOptions,
): ReturnType<typeof planUninstall> {
  const server = config.servers[hostname];
  const { os } = facts;
  if (server === undefined || os === undefined || facts.state.manifest === 'absent')
    return { steps: [], notes: [] };
  const domains = domainsOf(config, hostname).map(([name]) => ({ name, selectors: [] }));
  const { model } = buildModel({ hostname, server, os, facts, domains, acme: {}, ipv6: false });
  return planUninstall({ facts, components, model, removePackages, discardQueue });
}

/** Asked before anything is changed; the run asks again, once nothing comes in any more. */
async function refuseQueue({ link, facts }: Reached, { discardQueue }: UninstallOptions): Promise<void> {
  if (discardQueue || facts.packages.get('postfix')?.installed !== true) return;
  const queue = await readQueue(link.connection);
  if (queue.length === 0) return;
  throw new SetupError({
    code: 'E_QUEUE_NOT_EMPTY',
    exit: Exit.failed,
    what: `${queue.length} messages still wait in the queue; they would be lost.`,
    evidence: queue
      .slice(0, 5)
      .map(({ id, recipients }) => `${id} to ${recipients.map(({ address }) => address).join(', ')}`),
    fix: [
      'See why: smtp-setup queue list. Try now: smtp-setup queue flush',
      'Or give them up: --discard-queue. Nothing was changed.',
    ],
  });
}

function pick(removals: readonly ZoneRemoval[], wanted: (stage: string) => boolean): ZoneRemoval[] {
  return removals
    .filter(({ survey }) => survey.open.definition.capabilities.manual !== true)
    .map((removal) => ({ ...removal, changes: removal.changes.filter(({ stage }) => wanted(stage)) }));
}

async function takeBack(
  { context }: Session,
  { link, facts }: Reached,
  view: PlanView,
  progress: Progress,
): Promise<void> {
  const texts = await loadRunTexts();
  const [run] = compileRuns(view.server, {
    idOf: (name) => createRunId(context.clock(), name),
    generation: facts.state.generation,
    who: describeClient(readMyself(context)),
    library: texts.library,
  });
  if (run === undefined) return;
  const done = await runServerPlan(run, {
    connection: link.connection,
    connector: link.connector,
    texts,
    signal: context.signal,
    onEvent: createRunListener(run.name, progress),
  }).catch((error: unknown) => {
    throw error instanceof SetupError ? toBeFinished(error) : error;
  });
  if (done.connection !== link.connection) await done.connection.close();
}

/** What the runs of `apply` say about going on is another command here. */
function toBeFinished(cause: SetupError): SetupError {
  const { code, exit, evidence } = cause;
  const fix = cause.fix.map((line) => line.replace(/\bapply\b/g, 'uninstall'));
  return new SetupError({ code, exit, what: cause.message, evidence, fix, cause });
}

function report(
  { context }: Session,
  view: PlanView,
  removals: readonly ZoneRemoval[],
  { takeBacks }: ReverseUndo,
): Outcome {
  const { io } = context;
  const byHand = removals.filter(
    ({ survey, changes }) => survey.open.definition.capabilities.manual === true && changes.length > 0,
  );
  for (const { survey, changes } of byHand)
    io.print(renderInstructions(survey.zone, changes.map(toChange)).join('\n'));
  if (view.server.length > 0) {
    io.print(
      `${view.hostname} is as it was before. Mail is in /var/vmail, keys and lists are in /var/lib/smtp-setup/kept.`,
    );
    io.print(
      takeBacks.length > 0
        ? `${view.hostname} stays in smtp-setup.yaml.`
        : `By hand: take the PTR record back in the VPS provider's panel; ${view.hostname} stays in smtp-setup.yaml.`,
    );
  }
  const document = { changed: true, plan: planDocument(view) };
  return { exit: byHand.length > 0 ? Exit.pending : Exit.ok, document };
}

async function consent({ asker }: Session, yes: boolean): Promise<void> {
  if (yes) return;
  const agreed = await asker.confirm({
    key: 'uninstall',
    message: 'Take all of this back?',
    default: false,
    flag: '--yes',
  });
  if (!agreed) throw cancelledError();
}
