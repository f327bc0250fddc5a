import { join } from 'node:path';
import { describeClient } from '../apply/holder.js';
import { loadRunTexts } from '../apply/load-library.js';
import { runServerPlan } from '../apply/server-lane.js';
import type { UninstallOptions } from '../cli/commands/uninstall.js';
import type { Outcome, Run } from '../cli/outcome.js';
import { saveLock } from '../config/load.js';
import { keyWaitDays, type Lock } from '../config/lock.js';
import type { Config } from '../config/schema.js';
import { isWithin } from '../dns/canonical.js';
import { renderInstructions } from '../dns/instructions.js';
import { openFileJournal } from '../dns/journal-file.js';
import { toChange } from '../dns/merge/sequence.js';
import { planRemoval } from '../dns/plan-removal.js';
import { dkimText } from '../dns/records/dkim.js';
import { Exit, SetupError } from '../errors.js';
import type { Facts } from '../facts/index.js';
import { buildModel } from '../plan/build-model.js';
import { compileRuns } from '../plan/compile-runs.js';
import { planUninstall } from '../plan/plan-uninstall.js';
import { cancelledError } from '../ui/cancelled.js';
import type { Progress } from '../ui/events.js';
import { isEmptyPlan, type PlanView, planDocument, renderPlan } from '../ui/report/plan.js';
import { chooseServer } from './choose-servers.js';
import { connectServer } from './connect-server.js';
import { policyNote } from './domain.js';
import { openComponents } from './make-plan.js';
import { openResolvers } from './open-resolvers.js';
import { type Reached, secondsNow, settleRunning } from './prepare.js';
import { readQueue } from './queue.js';
import {
  describeChanged,
  ownValues,
  removeRecords,
  withRemovals,
  type ZoneRemoval,
} from './remove-records.js';
import { createRunId, openSession, readMyself, type Session } from './session.js';
import { createRunListener } from './show-run.js';
import { domainsOf, surveyServer, surveyZones, type ZoneSurvey } from './survey.js';

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
  const view = withRemovals({ hostname, server: server.steps, zones: [], manual: [] }, removals);
  if (isEmptyPlan(view)) {
    for (const note of removals.flatMap(({ notes }) => notes)) io.say(note);
    io.print(renderPlan(io, { ...view, zones: [] }));
    await reached?.link.connection.close();
    return { exit: Exit.ok, document: { changed: false, plan: planDocument(view) } };
  }
  for (const note of server.notes) io.say(note);
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
    await saveLock(
      session.configPath,
      forget(session, zones, { config, hostname, facts: reached?.facts }, options),
    );
  } finally {
    progress.stop();
    await reached?.link.connection.close();
  }
  return report(session, view, removals);
};

async function reach(session: Session): Promise<Reached> {
  const components = await openComponents(session);
  const link = await connectServer(session, session.answers);
  const askedAt = secondsNow(session);
  const facts = await surveyServer(link.connection, components, session.context.signal, []);
  return { link, components, facts, askedAt };
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

interface Leaving {
  config: Config;
  hostname: string;
  facts: Facts | undefined;
}

/** What is ours in each zone; DKIM records stay until mail under way has arrived. */
async function planZones(
  { context, lock }: Session,
  zones: readonly ZoneSurvey[],
  { config, hostname, facts }: Leaving,
): Promise<ZoneRemoval[]> {
  const own = domainsOf(config, hostname).map(([name]) => name);
  const journal = openFileJournal(join(context.stateDir, 'dns'));
  const others = [
    ...Object.keys(config.servers).filter((host) => host !== hostname),
    ...Object.keys(config.domains).filter((name) => !own.includes(name)),
  ];
  const keys = facts?.dkim.keys ?? [];
  return Promise.all(
    zones.map(async (survey) => {
      const names = [...own, hostname].filter((name) => isWithin(name, survey.zone.name));
      const waiting = own.flatMap((name) => {
        // A domain that was set up again since has a key in use.
        const at = lock.domains[name] === undefined ? lock.removed?.[name]?.at : undefined;
        return at === undefined ? [] : [Date.parse(at) + keyWaitDays * 86_400_000];
      });
      const due = waiting.length > 0 && waiting.every((time) => context.clock() >= time);
      const values = own.map((name) => ownValues(lock, name, keys));
      const { changes, changed } = planRemoval({
        live: survey.live,
        journal: await journal.read(survey.zone.name),
        names,
        except: others.filter((name) => !names.some((top) => isWithin(top, name))),
        installId: hostname.replace(/[^a-z0-9]+/g, '-'),
        keepRoles: due ? [] : ['dkim'],
        values: {
          hosts: [hostname],
          addresses: values.flatMap(({ addresses }) => addresses),
          digests: values.flatMap(({ digests = [] }) => digests),
          texts: [
            ...values.flatMap(({ texts }) => texts),
            ...own.flatMap((name) => (lock.removed?.[name]?.keys ?? []).map(dkimText)),
          ],
        },
      });
      const until = new Date(
        waiting.length > 0 ? Math.max(...waiting) : context.clock() + keyWaitDays * 86_400_000,
      )
        .toISOString()
        .slice(0, 10);
      const stays = survey.live.some(({ name }) => names.some((top) => name.endsWith(`._domainkey.${top}`)));
      const notes =
        due || !stays
          ? []
          : [
              `The DKIM records of ${survey.zone.name} stay until ${until}, for mail that is under way; run uninstall again then.`,
            ];
      const policies = own
        .filter((name) => names.includes(name))
        .flatMap((name) => policyNote(lock, config.domains[name], name));
      return { survey, changes, notes: [...describeChanged(changed), ...notes, ...policies] };
    }),
  );
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
    who: describeClient(readMyself()),
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

/** The lock file without what was taken back; the DKIM keys stay in it until their records go, too. */
function forget(
  { lock, context }: Session,
  zones: readonly ZoneSurvey[],
  { config, hostname, facts }: Leaving,
  { only }: UninstallOptions,
): Lock {
  const names = domainsOf(config, hostname).map(([name]) => name);
  const servers = Object.fromEntries(Object.entries(lock.servers).filter(([host]) => host !== hostname));
  if (only === 'server') return { ...lock, servers };
  const now = context.clock();
  const at = new Date(now).toISOString();
  const { removed: before = {}, ...rest } = lock;
  const removed: NonNullable<Lock['removed']> = {};
  for (const [name, entry] of Object.entries(before))
    if (!names.includes(name) || now < Date.parse(entry.at) + keyWaitDays * 86_400_000) removed[name] = entry;
  for (const name of names) {
    if (lock.domains[name] === undefined && before[name] !== undefined) continue;
    const zone = zones.find((survey) => isWithin(name, survey.zone.name))?.zone.name;
    const keys = new Map(
      [
        ...(lock.domains[name]?.dkim ?? []),
        ...(facts?.dkim.keys.filter(({ domain }) => domain === name) ?? []),
      ].map(({ selector, publicKey }) => [selector, publicKey]),
    );
    if (zone !== undefined && keys.size > 0)
      removed[name] = { at, zone, dkim: [...keys.keys()], keys: [...keys.values()] };
  }
  return {
    ...rest,
    ...(only === 'dns' ? {} : { servers }),
    domains: Object.fromEntries(Object.entries(lock.domains).filter(([name]) => !names.includes(name))),
    ...(Object.keys(removed).length > 0 ? { removed } : {}),
  };
}

function report({ context }: Session, view: PlanView, removals: readonly ZoneRemoval[]): Outcome {
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
      `By hand: take the PTR record back in the VPS provider's panel; ${view.hostname} stays in smtp-setup.yaml.`,
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
