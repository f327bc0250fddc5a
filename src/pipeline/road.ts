import { loadRunTexts } from '../apply/load-library.js';
import type { Finding } from '../checks/check.js';
import type { Outcome } from '../cli/outcome.js';
import { refuseUnwritable } from '../config/atomic-write.js';
import { loadLock, saveLock } from '../config/load.js';
import type { Lock } from '../config/lock.js';
import { saveConfig } from '../config/save.js';
import { allNameServers } from '../dns/providers/provider.js';
import { mtaStsId } from '../dns/records/mta-sts.js';
import { Exit, type SetupError } from '../errors.js';
import type { Facts } from '../facts/index.js';
import { readSomeFacts } from '../facts/read-facts.js';
import { refuseConflicts } from '../plan/build-server-plan.js';
import { mailboxStepId, type WantedMailbox } from '../plan/plan-mailboxes.js';
import type { Connection } from '../ssh/connection.js';
import { cancelledError } from '../ui/cancelled.js';
import type { Progress } from '../ui/events.js';
import { isEmptyPlan, type PlanView, planDocument, renderPlan } from '../ui/report/plan.js';
import { renderSummary, type SummaryView, summaryDocument } from '../ui/report/summary.js';
import { type CarriedOut, type CarryOutDeps, carryOut } from './carry-out.js';
import { explainRefusal, leftError } from './carry-out-errors.js';
import { ownIncludes } from './desired-dns.js';
import { findLeftOut } from './left-out.js';
import { type LockFacts, makeLock } from './make-lock.js';
import { type FullPlan, makePlan, type PlanRequest, refuseDnsConflicts, toPlanView } from './make-plan.js';
import type { Resolvers } from './open-resolvers.js';
import { owePasswords } from './owed-password.js';
import type { Reached } from './prepare.js';
import { introduceTo, obstacleOf, proveBackup, provePolicies, proveServer, proveSigning } from './prove.js';
import { readDkimRecords, readTlsaRecords } from './read-dkim.js';
import { readZonesAgain } from './read-zones-again.js';
import { removeRecords, withRemovals, type ZoneRemoval } from './remove-records.js';
import type { Session } from './session.js';
import { summarize } from './summarize.js';
import type { ZoneSurvey } from './survey.js';

type Document = Readonly<Record<string, unknown>>;

export interface Journey {
  session: Session;
  reached: Reached;
  zones: readonly ZoneSurvey[];
  resolvers: Resolvers;
  request: PlanRequest;
  /** `--yes`. */
  yes: boolean;
  /** Name of the command, for the log file. */
  command: string;
  /** A mailbox whose password was made up here and has to be shown, once. */
  generated?: WantedMailbox;
  /** Called after consent, before anything is changed: what this machine has to remember. */
  onConsent?(): Promise<void>;
  /** Records of ours that go, backwards and before the server is changed. */
  removals?: readonly ZoneRemoval[];
  /** The last word on the lock file. */
  adjustLock?(lock: Lock): Lock;
}

/** Plan → consent → carry out → prove → report: the part of the road that `init` and `apply` share. */
export async function travel(journey: Journey): Promise<Outcome> {
  const planned = await planJourney(journey);
  const { session } = journey;
  const { io } = session.context;
  if (isEmptyPlan(planned.view)) {
    const document = await settleEmpty(planned);
    io.print(renderPlan(io, planned.view));
    return { exit: Exit.ok, document };
  }
  io.say(renderPlan(io, planned.view));
  await consent(session, journey.yes);
  const { context } = session;
  const log = await context.openLog(journey.command);
  await begin(journey);
  const progress = await context.createProgress(log);
  const owing = journey.generated === undefined ? [] : [journey.generated];
  const isGiven = (step: string) => owing.some(({ address }) => step === mailboxStepId(address));
  return owePasswords(
    io,
    context.signal,
    () => owing,
    async (owed) => {
      const arrival = await carryThrough(planned, progress, (step, state) => {
        if (isGiven(step)) owed.reach(state === 'done' ? state : 'due');
      });
      io.print(renderSummary(io, arrival.summary));
      // A document does not have it.
      if (!io.json) owed.shown();
      if (arrival.left !== undefined) throw arrival.left;
      return { exit: Exit.ok, document: arrival.document };
    },
  );
}

/** A plan that may be carried out, and nothing of it begun. */
export interface PlannedJourney {
  journey: Journey;
  plan: FullPlan;
  view: PlanView;
}

/** Throws when the plan cannot be carried out as things stand: E_DNS_CONFLICT, E_HAND_EDITED. */
export async function planJourney(journey: Journey): Promise<PlannedJourney> {
  const { session, reached, zones, resolvers, request, removals = [] } = journey;
  const { connection } = reached.link;
  const { components, facts } = reached;
  const plan = await makePlan(session, connection, components, facts, zones, resolvers, request);
  refuseDnsConflicts(plan);
  refuseConflicts(plan.server, request.onConflict);
  return { journey, plan, view: withRemovals(toPlanView(plan, request.onConflict), removals) };
}

/** The end of a journey on which there is nothing to do. */
export async function settleEmpty({ journey, plan, view }: PlannedJourney): Promise<Document> {
  const { reached, zones } = journey;
  await remember(journey, plan, reached.facts, liveOf(zones));
  const { roundTrips } = reached.link.connection;
  return { changed: false, roundTrips, plan: planDocument(view) };
}

/** What was decided is on disk before the first change: a killed client can go on with `apply`. */
export async function begin(journey: Journey): Promise<void> {
  const { session, request } = journey;
  await refuseUnwritable(session.configPath);
  await journey.onConsent?.();
  await saveConfig(session.configPath, request.config, session.loaded);
}

export interface Arrival {
  summary: SummaryView;
  document: Document;
  /** What could not be done now; the server is safe as it stands. */
  left?: SetupError;
}

/** Carries the plan out, proves the server, and remembers; `progress` is at its end then. */
export async function carryThrough(
  planned: PlannedJourney,
  progress: Progress,
  onStep?: CarryOutDeps['onStep'],
): Promise<Arrival> {
  const { journey, plan, view } = planned;
  const { session, reached, zones, resolvers, removals = [] } = journey;
  const { context } = session;
  const texts = await loadRunTexts();
  let findings: Finding[] = [];
  let done: CarriedOut;
  try {
    await removeRecords(session, removals, progress);
    done = await carryOut(plan, {
      session,
      link: reached.link,
      resolvers,
      progress,
      ...(onStep === undefined ? {} : { onStep }),
      readKeys: async (current) => {
        const facts = await readKeyFacts(current, context.signal);
        return { ...readDkimRecords(facts), ...readTlsaRecords(facts, plan.hostname) };
      },
      proveSigning: (current) =>
        proveSigning(current, texts.library, domainNames(plan), resolvers.authoritative),
      proveServer: async () => {
        progress.emit({
          kind: 'start',
          lane: 'local',
          id: 'prove',
          title: 'Look at the server from outside',
        });
        findings = await proveServer(context, plan);
        const obstacle = obstacleOf(findings, plan.models.model.profile === 'send-only');
        if (obstacle === undefined) progress.emit({ kind: 'done', lane: 'local', id: 'prove' });
        else progress.emit({ kind: 'fail', lane: 'local', id: 'prove', message: obstacle });
        return obstacle;
      },
      introduce: (signal) => introduceTo(context, plan, signal),
      proveBackup: async (hostname) => {
        await session.shared?.whenEnded(hostname);
        return proveBackup(context, plan, hostname);
      },
      provePolicies: (domains) => provePolicies(context, plan, domains),
    });
  } finally {
    progress.stop();
  }
  const after = await readKeyFacts(done.connection, context.signal);
  const { zones: current, refusal } = await readZonesAgain(zones, done.written);
  await remember(journey, plan, after, current);
  // Before the records are entered nobody could ask for a certificate.
  if (after.certificate.state !== 'issued' && done.byHand.length === 0) {
    done.unfinished.unshift(
      'There is no certificate of the authority yet; the self-signed one serves until then.',
    );
  }
  const summary = summarize({
    plan,
    written: done.written,
    findings,
    ...(journey.generated === undefined ? {} : { generatedPassword: journey.generated.password }),
    command: journey.command,
  });
  const { roundTrips } = done.connection;
  await done.connection.close();
  const left = leftError(done, refusal && explainRefusal(refusal, plan, true));
  return {
    summary,
    document: { changed: true, roundTrips, plan: planDocument(view), summary: summaryDocument(summary) },
    ...(left === undefined ? {} : { left }),
  };
}

/** The one question before anything is changed. Throws E_CANCELLED (exit 130). */
export async function consent(session: Session, yes: boolean): Promise<void> {
  if (yes) return;
  const agreed = await session.asker.confirm({
    key: 'apply',
    message: 'Make these changes?',
    default: true,
    flag: '--yes',
  });
  if (!agreed) throw cancelledError();
}

/** What changes while a plan is carried out, and is published or remembered. */
function readKeyFacts(
  connection: Connection,
  signal: AbortSignal,
): Promise<Pick<Facts, 'dkim' | 'certificate'>> {
  return readSomeFacts(connection, ['dkim', 'certificate'], signal);
}

/** Configuration and lock file say what is so now; neither is touched when it says so already. */
async function remember(
  { session, request, adjustLock, zones: surveys }: Journey,
  plan: FullPlan,
  { dkim: { keys, signing }, certificate }: Pick<Facts, 'dkim' | 'certificate'>,
  zones: LockFacts['zones'],
): Promise<void> {
  const dkim = new Map(
    plan.models.model.domains.map(({ name, selectors }) => [
      name,
      selectors.flatMap((selector) => {
        const key = keys.find((candidate) => candidate.domain === name && candidate.selector === selector);
        return key === undefined ? [] : [{ selector, publicKey: key.publicKey }];
      }),
    ]),
  );
  await saveConfig(session.configPath, request.config, session.loaded);
  const liveBefore = surveys.flatMap(({ live }) => live);
  const { hostname, addresses } = plan;
  const now = session.context.clock();
  const digests = [certificate.digest, certificate.nextDigest].filter((digest) => digest !== undefined);
  const mtaSts: NonNullable<LockFacts['mtaSts']> = new Map(
    [...plan.intent.web].flatMap(([name, { policy }]) => {
      const mode = request.config.domains[name]?.mtaSts?.mode ?? 'testing';
      return policy === undefined ? [] : [[name, { mode, id: mtaStsId(policy) }]];
    }),
  );
  const leftOut = findLeftOut(
    plan.intent.desired,
    plan.zones.map(({ survey, plan: zonePlan }) => ({ live: survey.live, plan: zonePlan })),
  );
  const save = async (before: Lock): Promise<void> => {
    const spfIncludes = ownIncludes(plan.intent, before, liveBefore);
    const known = { hostname, addresses, dkim, zones, signing, spfIncludes, digests, mtaSts, leftOut, now };
    const lock = makeLock(before, known);
    await saveLock(session.configPath, adjustLock?.(lock) ?? lock);
  };
  // Other servers of the same command write their part of the file, too.
  if (session.shared === undefined) await save(session.lock);
  else await session.shared.inTurn(async () => save(await loadLock(session.configPath)));
}

function liveOf(zones: readonly ZoneSurvey[]): LockFacts['zones'] {
  return zones.map(({ zone, live }) => ({
    name: zone.name,
    nameServers: allNameServers(zone),
    records: live,
  }));
}

function domainNames(plan: FullPlan): string[] {
  return plan.intent.input.domains.map(({ name }) => name);
}
