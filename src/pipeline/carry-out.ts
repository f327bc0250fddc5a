import { loadRunTexts } from '../apply/load-library.js';
import { StepError } from '../apply/server-lane.js';
import { webCertificateStep } from '../components/web.js';
import type { Stage } from '../dns/record.js';
import { systemClock } from '../dns/resolver/index.js';
import type { PlannedChange } from '../dns/zone-plan.js';
import { messageOf, SetupError } from '../errors.js';
import { canCertifyEarly, certifyDuringInstall } from '../plan/arrange-steps.js';
import { filesStepId } from '../plan/plan-group.js';
import type { Connection } from '../ssh/connection.js';
import { explainRefusal } from './carry-out-errors.js';
import { type KnownKeys, openDnsStages } from './dns-stages.js';
import type { FullPlan } from './make-plan.js';
import type { Resolvers } from './open-resolvers.js';
import { outliveCaches } from './outlive-caches.js';
import { openServerRuns, type ServerRunsDeps, type StepState } from './server-runs.js';

export interface CarryOutDeps extends ServerRunsDeps {
  resolvers: Resolvers;
  /** What the server's keys say in the DNS, by record name: DKIM once the install run is over, TLSA after the certificate. */
  readKeys(connection: Connection): Promise<KnownKeys>;
  /** Proves that what the server signs verifies against what DNS serves; DMARC waits for it. */
  proveSigning(connection: Connection): Promise<void>;
  /** The server's checks by direct connection; the MX waits for them, where there is one. Returns why it has to wait, if so. May be asked twice. */
  proveServer(): Promise<string | undefined>;
  /** Makes this machine known to the server's SMTP port, as soon as that is open; ends with the signal. */
  introduce(signal: AbortSignal): Promise<void>;
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

/** Milliseconds to wait for caches before the apply ends and asks to be run again. */
const cachesWithin = 10 * 60 * 1000;

/**
 * Makes it so: the server's runs beside the DNS stages, with the sync points of docs/architecture.md. What waits for
 * something that does not come is left for the next apply; what stands is safe at every point.
 */
export async function carryOut(plan: FullPlan, deps: CarryOutDeps): Promise<CarriedOut> {
  const work = await openWork(plan, deps);
  try {
    // An AAAA record is only good with a reverse name behind it, so the names come first.
    await work.setReverseNames();
    // Under a second, and the first proof that the token may write: before the server is touched.
    await work.dns.publish('host');
    await work.install();
    await work.learnKeys();
    await work.dns.publish('auth');
    if (!(await work.settleHandWork())) return work.result();
    const [hostVisible] = await Promise.all([work.isVisible('host'), work.isVisible('auth')]);
    if (hostVisible) await work.certify();
    if (await work.isVisible('auth')) await work.goLive();
    await work.settleHandWork();
    return work.result();
  } finally {
    await work.dns.close();
  }
}

async function openWork(plan: FullPlan, deps: CarryOutDeps) {
  const { session, progress } = deps;
  const { context } = session;
  const installed = new AbortController();
  const onStep = (id: string, state: StepState): void => {
    deps.onStep?.(id, state);
    if (id === filesStepId('postfix') && state === 'begun') void deps.introduce(installed.signal);
  };
  const server = openServerRuns(plan, { ...deps, onStep }, await loadRunTexts());
  let named = 0;
  const dns = openDnsStages(plan, {
    ...deps,
    explain: (error) => explainRefusal(error, plan, dns.written.length + named > 0 || server.begun),
  });
  const unfinished = new Set<string>();
  // Unfinished, too, but mail does not wait for it.
  const beside: string[] = [];
  const byHand: string[] = [];
  let certified = false;

  const work = {
    dns,

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

    /** The certificates are asked for beside the installation when the authority would find the server by now. */
    async install(): Promise<void> {
      certified =
        plan.server.steps.some(({ run }) => run === 'certify') &&
        canCertifyEarly(plan.models.model.firewall) &&
        (await dns.seenSoon('host'));
      const steps = certified ? certifyDuringInstall(plan.server.steps) : plan.server.steps;
      try {
        for (const { id, message } of await server.run('install', steps)) missCertificate(id, message);
      } finally {
        installed.abort();
      }
    },

    /** Services are up whatever the authority says: a failure here is reported at the end, not now. */
    async certify(): Promise<void> {
      if (certified) return;
      try {
        await server.run('certify');
      } catch (error) {
        if (!(error instanceof SetupError) || error.code !== 'E_STEP_FAILED') throw error;
        missCertificate(error instanceof StepError ? error.stepId : '', error.evidence[0] ?? error.message);
      }
    },

    learnKeys: (): Promise<void> => dns.learn(() => deps.readKeys(server.connection)),

    async isVisible(stage: Stage): Promise<boolean> {
      const lack = await dns.awaitVisible(stage);
      if (lack !== undefined) unfinished.add(lack);
      return lack === undefined;
    },

    /** Signing on, proof, DMARC; then the MX, once strangers would be served well; then what leans on both. */
    async goLive(): Promise<void> {
      // Nothing is invited to a server that only sends, but its applications come as soon as it is there.
      const sendsOnly = plan.models.model.profile === 'send-only';
      const invites = sendsOnly || dns.changes().some(({ stage }) => stage === 'mx' || stage === 'tail');
      // The look takes seconds, and the filter's signing shows in nothing of it; an obstacle found meanwhile is no verdict.
      const early =
        invites && unfinished.size === 0 && onlySigning(plan) ? settle(deps.proveServer()) : undefined;
      try {
        await server.run('golive');
        if (needsProof(plan, dns.changes())) await deps.proveSigning(server.connection);
        await dns.publish('policy');
      } finally {
        await early;
      }
      if (!invites) return;
      const [before] = unfinished;
      const looked = await early;
      const obstacle = before ?? (looked?.ok === true ? undefined : await deps.proveServer());
      if (obstacle !== undefined) {
        unfinished.add(obstacle);
        return;
      }
      const waits = plan.zones.flatMap((zone) => zone.plan.waits.filter(({ before }) => before === 'mx'));
      const cached = await outliveCaches(waits, dns.hostWritten, {
        clock: systemClock,
        now: context.clock,
        progress,
        signal: context.signal,
        patience: cachesWithin,
      });
      if (cached !== undefined) {
        unfinished.add(cached);
        return;
      }
      await work.withholdBackups();
      await dns.publish('mx');
      await work.learnKeys();
      await work.holdPolicies();
      await dns.publish('tail');
    },

    /** A second MX invites mail to a server that must be ready for it; the first one does not wait for that. */
    async withholdBackups(): Promise<void> {
      const late = new Set<string>();
      for (const host of new Set(dns.changes().filter(isBackupMx).map(exchangeOf))) {
        const obstacle = await deps.proveBackup(host);
        if (obstacle === undefined) continue;
        late.add(host);
        unfinished.add(obstacle);
      }
      dns.keep((change) => !isBackupMx(change) || !late.has(exchangeOf(change)));
    },

    /** R16: senders are invited to a policy only once it is served as they will ask for it. */
    async holdPolicies(): Promise<void> {
      dns.keep(({ pending }) => pending === undefined);
      const announced = dns.changes().flatMap(policyDomain);
      if (announced.length === 0) return;
      const waiting = await deps.provePolicies(announced);
      beside.push(...waiting.values());
      dns.keep((change) => !policyDomain(change).some((domain) => waiting.has(domain)));
    },

    /** True once nothing is left for the user to enter; asked before anything leans on it. */
    async settleHandWork(): Promise<boolean> {
      const missing = await dns.settleHandWork();
      byHand.push(...missing);
      return missing.length === 0;
    },

    result: (): CarriedOut => ({
      connection: server.connection,
      written: [...dns.written],
      unfinished: [...unfinished, ...beside],
      byHand,
    }),
  };

  function missCertificate(stepId: string, why: string): void {
    if (stepId === webCertificateStep) beside.push(`The web names have no certificate yet: ${why}`);
    else unfinished.add(`There is no certificate yet: ${why}`);
  }

  return work;
}

/** Whether the last run changes the filter at most, and nothing that serves a port. */
function onlySigning({ server }: FullPlan): boolean {
  return server.steps.every(
    ({ run, files = [] }) => run !== 'golive' || files.every(({ group }) => group === 'rspamd'),
  );
}

/** Never rejects: an obstacle and an error both mean that it has to be asked again. */
async function settle(look: Promise<string | undefined>): Promise<{ ok: boolean }> {
  try {
    return { ok: (await look) === undefined };
  } catch {
    return { ok: false };
  }
}

const policyPrefix = '_mta-sts.';

/** The domain whose MTA-STS policy the change announces, if it does. */
function policyDomain({ role, after }: PlannedChange): string[] {
  return role === 'mta-sts' && after !== undefined ? [after.name.slice(policyPrefix.length)] : [];
}

function isBackupMx({ role, op }: PlannedChange): boolean {
  return role === 'mx-backup' && op === 'create';
}

function exchangeOf({ after }: PlannedChange): string {
  return after?.data.type === 'MX' ? after.data.exchange : '';
}

function needsProof(plan: FullPlan, changes: readonly PlannedChange[]): boolean {
  return (
    plan.server.steps.some((step) => step.run === 'golive') || changes.some(({ stage }) => stage === 'policy')
  );
}
