import { join } from 'node:path';
import { createDnsLane, type DnsLane } from '../apply/dns-lane.js';
import { describeClient } from '../apply/holder.js';
import { createLanePool } from '../apply/lane-pool.js';
import { loadRunTexts } from '../apply/load-library.js';
import { type FailedStep, runServerPlan, StepError } from '../apply/server-lane.js';
import { recordOf } from '../apply/stage-writes.js';
import { webCertificateStep } from '../components/web.js';
import { formatRecord } from '../dns/canonical.js';
import { openFileJournal } from '../dns/journal-file.js';
import { toChange } from '../dns/merge/sequence.js';
import { fillPending } from '../dns/plan-zone.js';
import type { RecordData, Stage } from '../dns/record.js';
import { systemClock } from '../dns/resolver/index.js';
import { waitUntilVisible } from '../dns/visible.js';
import type { PlannedChange } from '../dns/zone-plan.js';
import { messageOf, SetupError } from '../errors.js';
import { certifyDuringInstall } from '../plan/arrange-steps.js';
import { compileRuns } from '../plan/compile-runs.js';
import type { RunName, ServerStep } from '../plan/step.js';
import type { Connection } from '../ssh/connection.js';
import type { Progress } from '../ui/events.js';
import { explainRefusal } from './carry-out-errors.js';
import type { ServerLink } from './connect-server.js';
import { createHandWork, describeMissing } from './enter-by-hand.js';
import type { FullPlan } from './make-plan.js';
import type { Resolvers } from './open-resolvers.js';
import { outliveCaches } from './outlive-caches.js';
import { createRunId, readMyself, type Session } from './session.js';
import { createRunListener } from './show-run.js';

export interface CarryOutDeps {
  session: Session;
  link: ServerLink;
  resolvers: Resolvers;
  progress: Progress;
  /** What the server's keys say in the DNS, by record name: DKIM once the install run is over, TLSA after the certificate. */
  readKeys(connection: Connection): Promise<Readonly<Record<string, RecordData | readonly RecordData[]>>>;
  /** Proves that what the server signs verifies against what DNS serves; DMARC waits for it. */
  proveSigning(connection: Connection): Promise<void>;
  /** The server's checks by direct connection; the MX waits for them. Returns why it has to wait, if so. */
  proveServer(): Promise<string | undefined>;
  /** The same of a backup, once whatever is done to it in this command is over. */
  proveBackup(hostname: string): Promise<string | undefined>;
  /** Looks for the MTA-STS policies of some domains; by domain, why its record has to wait. */
  provePolicies(domains: readonly string[]): Promise<ReadonlyMap<string, string>>;
}

export interface CarriedOut {
  connection: Connection;
  written: PlannedChange[];
  /** What could not be done now and a later apply finishes; the exit code is 1 then. */
  unfinished: string[];
  /** Records that the user has to enter first; the exit code is 4 then. */
  byHand: string[];
}

/** Milliseconds to wait for the zone's own servers, or for caches, before the apply ends and asks to be run again. */
const visibleWithin = 10 * 60 * 1000;

/** Milliseconds that the installation may be held up by name servers that are slow to show an address. */
const soon = 5000;

/** Milliseconds that somebody at a terminal gets to find the panel and enter records there. */
const enteredWithin = 60 * 60 * 1000;

/**
 * Makes it so: the server's runs beside the DNS stages, with the sync points of DESIGN.md section 2. What waits for
 * something that does not come is left for the next apply; what stands is safe at every point.
 */
export async function carryOut(plan: FullPlan, deps: CarryOutDeps): Promise<CarriedOut> {
  const work = await openWork(plan, deps);
  try {
    // An AAAA record is only good with a reverse name behind it, so the names come first.
    await work.setReverseNames();
    // Under a second, and the first proof that the token may write: before the server is touched.
    await work.publish('host');
    await work.install();
    await work.learnKeys();
    await work.publish('auth');
    if (!(await work.settleHandWork())) return work.result();
    const [hostVisible] = await Promise.all([work.awaitVisible('host'), work.awaitVisible('auth')]);
    if (hostVisible) await work.runCertify();
    if (await work.awaitVisible('auth')) await work.goLive();
    await work.settleHandWork();
    return work.result();
  } finally {
    await work.close();
  }
}

async function openWork(plan: FullPlan, deps: CarryOutDeps) {
  const { session, progress, link } = deps;
  const { context } = session;
  const texts = await loadRunTexts();
  let generation = plan.server.generation;
  const pool = session.shared?.lanes ?? createLanePool();
  const lanes = plan.zones.map((zone) => ({
    at: { zone: zone.plan.zone, provider: zone.survey.open.provider },
    changes: zone.plan.changes,
    lane: pool.take(`${zone.survey.open.definition.id} ${zone.plan.zone.id}`, () =>
      createDnsLane({
        provider: zone.survey.open.provider,
        zone: zone.plan.zone,
        capabilities: zone.survey.open.definition.capabilities,
        journal: openFileJournal(join(context.stateDir, 'dns')),
        log: (text) => progress.emit({ kind: 'line', lane: 'dns', id: 'dns', text }),
        clock: () => new Date(context.clock()),
      }),
    ),
  }));
  let { connection }: { connection: Connection } = link;
  const written: PlannedChange[] = [];
  let named = 0;
  const unfinished: string[] = [];
  // Unfinished, too, but mail does not wait for it.
  const beside: string[] = [];
  const byHand: string[] = [];
  const handWork = createHandWork({
    clock: systemClock,
    progress,
    signal: context.signal,
    say: (text) => context.io.say(text),
    patience: context.io.canPrompt ? enteredWithin : 0,
  });
  const visible = new Map<Stage, boolean>();
  // What the stage `host` lowered or took away may be held by caches from here on.
  let hostWritten = systemClock.now();
  let certified = false;
  let handedOver = false;
  let changes = new Map(lanes.map(({ lane, changes: planned }) => [lane, planned] as const));

  const work = {
    /** The certificates are asked for beside the installation when the authority would find the server by now. */
    async install(): Promise<void> {
      certified = plan.server.steps.some(({ run }) => run === 'certify') && (await work.seenSoon('host'));
      const failed = await work.run(
        'install',
        certified ? certifyDuringInstall(plan.server.steps) : plan.server.steps,
      );
      for (const { id, message } of failed) missCertificate(id, message);
    },

    /** Throws what {@link runServerPlan} does; returns the steps that failed and were no reason to end the run. */
    async run(
      name: RunName,
      steps: readonly ServerStep[] = plan.server.steps,
    ): Promise<readonly FailedStep[]> {
      const [run] = compileRuns(
        steps.filter((step) => step.run === name),
        {
          idOf: (run) => createRunId(context.clock(), run),
          generation,
          who: describeClient(readMyself()),
          library: texts.library,
          secrets: { install: plan.secrets },
        },
      );
      if (run === undefined) return [];
      // Every run raises the server's generation as its first deed, however it ends.
      generation += 1;
      const done = await runServerPlan(run, {
        connection,
        connector: link.connector,
        texts,
        signal: context.signal,
        onEvent: createRunListener(name, progress),
      });
      connection = done.connection;
      return done.failed;
    },

    /** Services are up whatever the authority says: a failure here is reported at the end, not now. */
    async runCertify(): Promise<void> {
      if (certified) return;
      try {
        await work.run('certify');
      } catch (error) {
        if (!(error instanceof SetupError) || error.code !== 'E_STEP_FAILED') throw error;
        missCertificate(error instanceof StepError ? error.stepId : '', error.evidence[0] ?? error.message);
      }
    },

    async setReverseNames(): Promise<void> {
      for (const change of plan.addresses.reverse) {
        const id = `reverse-${change.address}`;
        const title = `Set the reverse name of ${change.address} at ${change.at}`;
        progress.emit({ kind: 'start', lane: 'dns', id, title });
        try {
          await plan.setReverse(change);
        } catch (error) {
          progress.emit({ kind: 'fail', lane: 'dns', id, message: messageOf(error) });
          throw error;
        }
        named += 1;
        progress.emit({ kind: 'done', lane: 'dns', id });
      }
    },

    async publish(stage: Stage): Promise<void> {
      const due = [...changes].filter(([, planned]) => planned.some((change) => change.stage === stage));
      if (due.length === 0) return;
      const id = `dns-${stage}`;
      progress.emit({ kind: 'start', lane: 'dns', id, title: stageTitles[stage] });
      try {
        for (const [lane, planned] of due) await publishIn(lane, stage, planned);
      } catch (error) {
        progress.emit({ kind: 'fail', lane: 'dns', id, message: messageOf(error) });
        const touched = written.length + named > 0 || generation > plan.server.generation;
        throw explainRefusal(error, plan, touched);
      }
      if (stage === 'host') hostWritten = systemClock.now();
      progress.emit({ kind: 'done', lane: 'dns', id });
    },

    /** Fills in what was "(known after apply)". */
    async learnKeys(): Promise<void> {
      if (![...changes.values()].flat().some((change) => change.pending !== undefined)) return;
      const known = await deps.readKeys(connection);
      changes = new Map([...changes].map(([lane, planned]) => [lane, fillPending(planned, known)]));
    },

    /** True when every authoritative server shows the stage's records within seconds. Nothing is said when they do not. */
    async seenSoon(stage: Stage): Promise<boolean> {
      if (handedOver) return false;
      const { visible: seen } = await waitUntilVisible(
        plan.awaited(stage, [...changes.values()].flat()),
        { authoritative: deps.resolvers.authoritative, clock: systemClock, intervalMs: 500 },
        { signal: context.signal, deadline: systemClock.now() + soon },
      );
      if (seen) visible.set(stage, true);
      return seen;
    },

    /** True once every authoritative server shows the stage's records; asked once, remembered. */
    async awaitVisible(stage: Stage): Promise<boolean> {
      const before = visible.get(stage);
      if (before !== undefined) return before;
      const records = plan.awaited(stage, [...changes.values()].flat());
      const id = `visible-${stage}`;
      let shown = false;
      const result = await waitUntilVisible(
        records,
        { authoritative: deps.resolvers.authoritative, clock: systemClock, intervalMs: 1000 },
        {
          signal: context.signal,
          deadline: systemClock.now() + visibleWithin,
          onTick: ({ pending, visible: seen, total }) => {
            const first = pending[0];
            if (first === undefined) return;
            if (!shown) {
              progress.emit({
                kind: 'start',
                lane: 'dns',
                id,
                title: `Wait until the name servers show ${stage} records`,
              });
            }
            shown = true;
            const server = first.servers[0];
            const reason = `${seen} of ${total} visible; ${first.record.name}: ${server?.server ?? ''} ${server?.state ?? ''}`;
            progress.emit({ kind: 'wait', lane: 'dns', id, reason });
          },
        },
      );
      if (shown && result.visible) progress.emit({ kind: 'done', lane: 'dns', id });
      if (!result.visible) {
        const lines = result.pending.map(({ record, servers }) =>
          [`${formatRecord(record)}`, ...servers.map(({ server, state }) => `${server} ${state}`)].join('; '),
        );
        progress.emit({ kind: 'fail', lane: 'dns', id, message: 'not visible yet', tail: lines });
        unfinished.push(`The name servers do not show everything yet: ${lines.join(' | ')}`);
      }
      visible.set(stage, result.visible);
      return result.visible;
    },

    /** Signing on, proof, DMARC; then the MX, once strangers would be served well; then what leans on both. */
    async goLive(): Promise<void> {
      await work.run('golive');
      if (needsProof(plan, changes)) await deps.proveSigning(connection);
      await work.publish('policy');
      if (!hasStage(changes, 'mx') && !hasStage(changes, 'tail')) return;
      const obstacle = unfinished[0] ?? (await deps.proveServer());
      if (obstacle !== undefined) {
        if (unfinished.length === 0) unfinished.push(obstacle);
        return;
      }
      const waits = plan.zones.flatMap((zone) => zone.plan.waits.filter(({ before }) => before === 'mx'));
      const early = await outliveCaches(waits, hostWritten, {
        clock: systemClock,
        now: context.clock,
        progress,
        signal: context.signal,
        patience: visibleWithin,
      });
      if (early !== undefined) {
        unfinished.push(early);
        return;
      }
      await work.withholdBackups();
      await work.publish('mx');
      await work.learnKeys();
      await work.holdPolicies();
      await work.publish('tail');
    },

    /** A second MX invites mail to a server that must be ready for it; the first one does not wait for that. */
    async withholdBackups(): Promise<void> {
      const coming = [...changes.values()].flat().filter(isBackupMx);
      const late = new Set<string>();
      for (const host of new Set(coming.map(exchangeOf))) {
        const obstacle = await deps.proveBackup(host);
        if (obstacle === undefined) continue;
        late.add(host);
        unfinished.push(obstacle);
      }
      changes = new Map(
        [...changes].map(([lane, planned]) => [
          lane,
          planned.filter((change) => !isBackupMx(change) || !late.has(exchangeOf(change))),
        ]),
      );
    },

    /** R16: senders are invited to a policy only once it is served as they will ask for it. */
    async holdPolicies(): Promise<void> {
      changes = new Map(
        [...changes].map(([lane, planned]) => [lane, planned.filter(({ pending }) => pending === undefined)]),
      );
      const prefix = '_mta-sts.';
      const announced = [...changes.values()]
        .flat()
        .flatMap(({ role, after }) =>
          role === 'mta-sts' && after !== undefined ? [after.name.slice(prefix.length)] : [],
        );
      if (announced.length === 0) return;
      const waiting = await deps.provePolicies(announced);
      beside.push(...waiting.values());
      const held = ({ role, after }: PlannedChange): boolean =>
        role === 'mta-sts' && waiting.has(after?.name.slice(prefix.length) ?? '');
      changes = new Map(
        [...changes].map(([lane, planned]) => [lane, planned.filter((change) => !held(change))]),
      );
    },

    /** True once nothing is left for the user to enter; asked before anything leans on it. */
    async settleHandWork(): Promise<boolean> {
      const missing = await handWork.settle();
      byHand.push(...missing.map(describeMissing));
      return missing.length === 0;
    },

    result: (): CarriedOut => ({ connection, written, unfinished: [...unfinished, ...beside], byHand }),

    async close(): Promise<void> {
      for (const { lane } of lanes) await lane.close();
    },
  };

  async function publishIn(lane: DnsLane, stage: Stage, planned: readonly PlannedChange[]): Promise<void> {
    const done = await lane.applyStage(stage, planned);
    const left = new Set(done.byHand.map((change) => recordOf(change)));
    const at = lanes.find((candidate) => candidate.lane === lane)?.at;
    if (at !== undefined) handWork.add(at, done.byHand);
    handedOver ||= left.size > 0;
    written.push(
      ...planned.filter((change) => change.stage === stage && !left.has(recordOf(toChange(change)))),
    );
  }

  function missCertificate(stepId: string, why: string): void {
    if (stepId === webCertificateStep) beside.push(`The web names have no certificate yet: ${why}`);
    else unfinished.push(`There is no certificate yet: ${why}`);
  }

  return work;
}

const stageTitles: Readonly<Record<Stage, string>> = {
  host: 'Publish the addresses of the mail host',
  auth: 'Publish SPF and DKIM',
  policy: 'Publish DMARC',
  mx: 'Publish the MX: mail may come',
  tail: 'Publish what leans on all of it',
};

function isBackupMx({ role, op }: PlannedChange): boolean {
  return role === 'mx-backup' && op === 'create';
}

function exchangeOf({ after }: PlannedChange): string {
  return after?.data.type === 'MX' ? after.data.exchange : '';
}

type Changes = ReadonlyMap<DnsLane, readonly PlannedChange[]>;

function hasStage(changes: Changes, stage: Stage): boolean {
  return [...changes.values()].flat().some((change) => change.stage === stage);
}

function needsProof(plan: FullPlan, changes: Changes): boolean {
  return plan.server.steps.some((step) => step.run === 'golive') || hasStage(changes, 'policy');
}
