import { loadRunTexts } from '../apply/load-library.js';
import type { Finding } from '../checks/check.js';
import type { Outcome } from '../cli/outcome.js';
import { saveLock } from '../config/load.js';
import type { Lock } from '../config/lock.js';
import { saveConfig } from '../config/save.js';
import type { Secret } from '../config/secret.js';
import type { DnsRecord } from '../dns/record.js';
import { Exit } from '../errors.js';
import type { Facts } from '../facts/index.js';
import { refuseConflicts } from '../plan/build-server-plan.js';
import type { Connection } from '../ssh/connection.js';
import { cancelledError } from '../ui/cancelled.js';
import { isEmptyPlan, planDocument, renderPlan } from '../ui/report/plan.js';
import { renderSummary, summaryDocument } from '../ui/report/summary.js';
import { type CarriedOut, carryOut } from './carry-out.js';
import { pendingError, unfinishedError } from './carry-out-errors.js';
import { makeLock } from './make-lock.js';
import { type FullPlan, makePlan, type PlanRequest, refuseDnsConflicts, toPlanView } from './make-plan.js';
import type { Resolvers } from './open-resolvers.js';
import type { Reached } from './prepare.js';
import { obstacleOf, proveServer, proveSigning } from './prove.js';
import { readDkimRecords } from './read-dkim.js';
import { removeRecords, withRemovals, type ZoneRemoval } from './remove-records.js';
import type { Session } from './session.js';
import { summarize } from './summarize.js';
import { surveyServer, type ZoneSurvey } from './survey.js';

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
  /** A password that was made up here and has to be shown, once. */
  generatedPassword?: Secret;
  /** Called after consent, before anything is changed: what this machine has to remember. */
  onConsent?(): Promise<void>;
  /** Records of ours that go, backwards and before the server is changed. */
  removals?: readonly ZoneRemoval[];
  /** The last word on the lock file. */
  adjustLock?(lock: Lock): Lock;
}

/** Plan → consent → carry out → prove → report: the part of the road that `init` and `apply` share. */
export async function travel(journey: Journey): Promise<Outcome> {
  const { session, reached, zones, resolvers, request } = journey;
  const { context } = session;
  const { io } = context;
  const { connection } = reached.link;
  const plan = await makePlan(
    session,
    connection,
    reached.components,
    reached.facts,
    zones,
    resolvers,
    request,
  );
  const { removals = [] } = journey;
  const view = withRemovals(toPlanView(plan), removals);
  refuseDnsConflicts(plan);
  refuseConflicts(plan.server, request.onConflict);
  if (isEmptyPlan(view)) {
    await remember(journey, plan, reached.facts.dkim, liveOf(zones));
    io.print(renderPlan(io, view));
    const { roundTrips } = connection;
    return { exit: Exit.ok, document: { changed: false, roundTrips, plan: planDocument(view) } };
  }
  io.say(renderPlan(io, view));
  await consent(journey);
  await journey.onConsent?.();
  // What the user decided is on disk before the first change: a killed client can go on with `apply`.
  await saveConfig(session.configPath, request.config, session.loaded);

  const log = await context.openLog(journey.command);
  const progress = await context.createProgress(log);
  const texts = await loadRunTexts();
  const findings: Finding[] = [];
  let done: CarriedOut;
  try {
    await removeRecords(session, removals, progress);
    done = await carryOut(plan, {
      session,
      link: reached.link,
      resolvers,
      progress,
      readDkim: async (current) => readDkimRecords(await refresh(journey, current)),
      proveSigning: (current) =>
        proveSigning(current, texts.library, domainNames(plan), resolvers.authoritative),
      proveServer: async () => {
        progress.emit({
          kind: 'start',
          lane: 'local',
          id: 'prove',
          title: 'Look at the server from outside',
        });
        findings.push(...(await proveServer(context, plan)));
        const obstacle = obstacleOf(findings);
        if (obstacle === undefined) progress.emit({ kind: 'done', lane: 'local', id: 'prove' });
        else progress.emit({ kind: 'fail', lane: 'local', id: 'prove', message: obstacle });
        return obstacle;
      },
    });
  } finally {
    progress.stop();
  }
  const after = await refresh(journey, done.connection);
  const current = await Promise.all(
    zones.map(async ({ zone, open }) => ({ name: zone.name, records: await open.provider.list(zone) })),
  );
  await remember(journey, plan, after.dkim, current);
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
    ...passwordOf(journey),
    command: journey.command,
  });
  io.print(renderSummary(io, summary));
  const { roundTrips } = done.connection;
  const document = { changed: true, roundTrips, plan: planDocument(view), summary: summaryDocument(summary) };
  await done.connection.close();
  if (done.unfinished.length > 0) throw unfinishedError([...done.unfinished, ...done.byHand]);
  if (done.byHand.length > 0) throw pendingError(done.byHand);
  return { exit: Exit.ok, document };
}

async function consent({ session, yes }: Journey): Promise<void> {
  if (yes) return;
  const agreed = await session.asker.confirm({
    key: 'apply',
    message: 'Make these changes?',
    default: true,
    flag: '--yes',
  });
  if (!agreed) throw cancelledError();
}

function refresh({ session, reached }: Journey, connection: Connection) {
  return surveyServer(connection, reached.components, session.context.signal, []);
}

/** Configuration and lock file say what is so now; neither is touched when it says so already. */
async function remember(
  { session, request, adjustLock }: Journey,
  plan: FullPlan,
  { keys, signing }: Facts['dkim'],
  zones: readonly { name: string; records: readonly DnsRecord[] }[],
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
  const { hostname, addresses } = plan;
  const now = session.context.clock();
  const lock = makeLock(session.lock, { hostname, addresses, dkim, zones, signing, now });
  await saveLock(session.configPath, adjustLock?.(lock) ?? lock);
}

function liveOf(zones: readonly ZoneSurvey[]): { name: string; records: readonly DnsRecord[] }[] {
  return zones.map(({ zone, live }) => ({ name: zone.name, records: live }));
}

function domainNames(plan: FullPlan): string[] {
  return plan.intent.input.domains.map(({ name }) => name);
}

function passwordOf({ generatedPassword }: Journey): { generatedPassword?: Secret } {
  return generatedPassword === undefined ? {} : { generatedPassword };
}
