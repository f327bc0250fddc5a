import { join } from 'node:path';
import { createDnsLane, type DnsLane } from '../apply/dns-lane.js';
import { createLanePool } from '../apply/lane-pool.js';
import { recordOf } from '../apply/stage-writes.js';
import { formatRecord } from '../dns/canonical.js';
import { openFileJournal } from '../dns/journal-file.js';
import { toChange } from '../dns/merge/sequence.js';
import { fillPending } from '../dns/plan-zone.js';
import type { RecordData, Stage } from '../dns/record.js';
import { systemClock } from '../dns/resolver/index.js';
import { type WaitTick, waitUntilVisible } from '../dns/visible.js';
import type { PlannedChange } from '../dns/zone-plan.js';
import { messageOf } from '../errors.js';
import type { Progress } from '../ui/events.js';
import { createHandWork, describeMissing } from './enter-by-hand.js';
import type { FullPlan } from './make-plan.js';
import type { Resolvers } from './open-resolvers.js';
import type { Session } from './session.js';

/** What the server's keys say in the DNS, by record name. */
export type KnownKeys = Readonly<Record<string, RecordData | readonly RecordData[]>>;

/** The DNS side of an apply: the plan's changes, written stage by stage, each in its zone's lane. */
export interface DnsStages {
  readonly written: readonly PlannedChange[];
  /** When the stage `host` was written, in milliseconds: caches may hold what it changed from here on. */
  readonly hostWritten: number;
  /** What is planned and may be written still. */
  changes(): readonly PlannedChange[];
  /** Gives up what the predicate does not keep: a later apply plans it again. */
  keep(wanted: (change: PlannedChange) => boolean): void;
  /** Fills in what was "(known after apply)". */
  learn(read: () => Promise<KnownKeys>): Promise<void>;
  /** Throws what the provider said; records of a zone without an API wait for {@link settleHandWork}. */
  publish(stage: Stage): Promise<void>;
  /** True when every authoritative server shows the stage's records within seconds. Nothing is said when they do not. */
  seenSoon(stage: Stage): Promise<boolean>;
  /** Undefined once every authoritative server shows the stage's records, else what they lack; asked once, remembered. */
  awaitVisible(stage: Stage): Promise<string | undefined>;
  /** What is left for the user to enter; asked before anything leans on it. */
  settleHandWork(): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** Milliseconds to wait for the zone's own servers before the apply ends and asks to be run again. */
const visibleWithin = 10 * 60 * 1000;

/** Milliseconds that the installation may be held up by name servers that are slow to show an address. */
const soon = 5000;

/** Milliseconds that somebody at a terminal gets to find the panel and enter records there. */
const enteredWithin = 60 * 60 * 1000;

const stageTitles: Readonly<Record<Stage, string>> = {
  host: 'Publish the addresses of the mail host',
  auth: 'Publish SPF and DKIM',
  policy: 'Publish DMARC',
  mx: 'Publish the MX: mail may come',
  tail: 'Publish what leans on all of it',
};

export interface DnsStagesDeps {
  session: Session;
  resolvers: Resolvers;
  progress: Progress;
  /** Makes an error of a refused write: it has to say what stands already. */
  explain(error: unknown): unknown;
}

export function openDnsStages(plan: FullPlan, deps: DnsStagesDeps): DnsStages {
  const { session, progress, resolvers } = deps;
  const { context } = session;
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
  const written: PlannedChange[] = [];
  const handWork = createHandWork({
    clock: systemClock,
    progress,
    signal: context.signal,
    say: (text) => context.io.say(text),
    patience: context.io.canPrompt ? enteredWithin : 0,
  });
  const seen = new Map<Stage, string | undefined>();
  let changes = new Map(lanes.map(({ lane, changes: planned }) => [lane, planned] as const));
  let hostWritten = systemClock.now();
  let handedOver = false;

  const all = (): PlannedChange[] => [...changes.values()].flat();
  const look = (stage: Stage, within: number, every: number, onTick?: (tick: WaitTick) => void) =>
    waitUntilVisible(
      plan.awaited(stage, all()),
      { authoritative: resolvers.authoritative, clock: systemClock, intervalMs: every },
      {
        signal: context.signal,
        deadline: systemClock.now() + within,
        ...(onTick === undefined ? {} : { onTick }),
      },
    );

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

  return {
    written,
    get hostWritten() {
      return hostWritten;
    },
    changes: all,
    keep(wanted) {
      changes = new Map([...changes].map(([lane, planned]) => [lane, planned.filter(wanted)]));
    },
    async learn(read) {
      if (!all().some((change) => change.pending !== undefined)) return;
      const known = await read();
      changes = new Map([...changes].map(([lane, planned]) => [lane, fillPending(planned, known)]));
    },
    async publish(stage) {
      const due = [...changes].filter(([, planned]) => planned.some((change) => change.stage === stage));
      if (due.length === 0) return;
      const id = `dns-${stage}`;
      progress.emit({ kind: 'start', lane: 'dns', id, title: stageTitles[stage] });
      try {
        for (const [lane, planned] of due) await publishIn(lane, stage, planned);
      } catch (error) {
        progress.emit({ kind: 'fail', lane: 'dns', id, message: messageOf(error) });
        throw deps.explain(error);
      }
      if (stage === 'host') hostWritten = systemClock.now();
      progress.emit({ kind: 'done', lane: 'dns', id });
    },
    async seenSoon(stage) {
      if (handedOver) return false;
      const { visible } = await look(stage, soon, 500);
      if (visible) seen.set(stage, undefined);
      return visible;
    },
    async awaitVisible(stage) {
      if (seen.has(stage)) return seen.get(stage);
      const id = `visible-${stage}`;
      let shown = false;
      const result = await look(stage, visibleWithin, 1000, ({ pending, visible, total }) => {
        const first = pending[0];
        if (first === undefined) return;
        const title = `Wait until the name servers show ${stage} records`;
        if (!shown) progress.emit({ kind: 'start', lane: 'dns', id, title });
        shown = true;
        const server = first.servers[0];
        const reason = `${visible} of ${total} visible; ${first.record.name}: ${server?.server ?? ''} ${server?.state ?? ''}`;
        progress.emit({ kind: 'wait', lane: 'dns', id, reason });
      });
      if (shown && result.visible) progress.emit({ kind: 'done', lane: 'dns', id });
      let lack: string | undefined;
      if (!result.visible) {
        const lines = result.pending.map(({ record, servers }) =>
          [`${formatRecord(record)}`, ...servers.map(({ server, state }) => `${server} ${state}`)].join('; '),
        );
        progress.emit({ kind: 'fail', lane: 'dns', id, message: 'not visible yet', tail: lines });
        lack = `The name servers do not show everything yet: ${lines.join(' | ')}`;
      }
      seen.set(stage, lack);
      return lack;
    },
    async settleHandWork() {
      return (await handWork.settle()).map(describeMissing);
    },
    async close() {
      for (const { lane } of lanes) await lane.close();
    },
  };
}
