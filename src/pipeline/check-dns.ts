import type { DnsTarget } from '../checks/dns/context.js';
import { createPinnedFetch } from '../checks/fetch-pinned.js';
import { type CheckReport, runDnsChecks } from '../checks/run.js';
import { createSmtpProbe } from '../checks/smtp-look.js';
import type { CheckOptions } from '../cli/commands/check.js';
import type { Run } from '../cli/outcome.js';
import type { Lock } from '../config/lock.js';
import type { Config } from '../config/schema.js';
import { createAuthoritativeResolver, limitQueries, query, systemClock } from '../dns/resolver/index.js';
import { waitUntilVisible } from '../dns/visible.js';
import { Exit, SetupError } from '../errors.js';
import { specialAddressKind } from '../lib/ip.js';
import { checkerName } from '../mail/checker-name.js';
import { readVersion } from '../version.js';
import { intendDns } from './desired-dns.js';
import { leftOutKey } from './left-out.js';
import { namesPrivateResolver } from './open-resolvers.js';
import { publishReport } from './publish-report.js';
import { openSession, type Session } from './session.js';
import { domainsOf } from './survey.js';

/** A lower limit would add round trips: one dependency level is asked at once. */
const queriesAtOnce = 256;

/** Milliseconds for a connection to a mail port, and for each reply. */
const smtpTimeout = 10_000;

/** `check dns`: live DNS against configuration and lock file, or any domain by itself. Needs neither SSH nor tokens. */
export const runCheckDns: Run<CheckOptions> = async (context, options) => {
  const session = await openSession(context, options);
  return publishReport(context, options, await reportDns(session, options));
};

/** The report of `check dns`; other commands look at DNS by it, too. */
export async function reportDns(
  session: Session,
  options: Pick<CheckOptions, 'flags' | 'selectors' | 'only' | 'skip' | 'profile' | 'smtp' | 'wait'>,
): Promise<CheckReport> {
  const { context } = session;
  const { signal } = context;
  const targets = chooseTargets(session, options);
  const privateNetwork = isPrivate(session);
  const connectPrivate = namesPrivateResolver(session.answers.resolver?.value);
  const recursive = await context.createResolver(session.answers.resolver?.value);
  const allowAddress = (address: string) => (connectPrivate ? undefined : specialAddressKind(address));
  const anchors = targets.flatMap(({ domain, host }) => [domain, ...(host === undefined ? [] : [host])]);
  const common = { recursive, query: limitQueries(query, queriesAtOnce), anchors, allowAddress, signal };
  if (options.wait !== undefined) {
    await waitForRecords(session, targets, createAuthoritativeResolver(common), options.wait);
  }
  return runDnsChecks(
    {
      targets,
      resolver: session.answers.resolver?.value ?? "this machine's own resolver",
      toolVersion: readVersion(),
      signal,
      ...(options.only === undefined ? {} : { only: options.only }),
      ...(options.skip === undefined ? {} : { skip: options.skip }),
      ...(options.profile === undefined ? {} : { profile: options.profile }),
      suppressions: session.loaded?.config.suppress ?? [],
    },
    {
      authoritative: createAuthoritativeResolver({ ...common, remember: true }),
      recursive,
      now: context.clock,
      fetch: createPinnedFetch({ signal, privateCa: privateNetwork }),
      ...(options.smtp ? { probe: createSmtpProbe({ ehloName: checkerName, timeout: smtpTimeout }) } : {}),
      privateNetwork,
      connectPrivate,
    },
  );
}

/** The configuration's domains with the state the lock file settles, or the one domain that was named. */
function chooseTargets(session: Session, options: Pick<CheckOptions, 'flags' | 'selectors'>): DnsTarget[] {
  const { loaded, lock } = session;
  const named = options.flags.domain === undefined ? undefined : session.answers.domain?.value;
  if (loaded !== undefined && (named === undefined || loaded.config.domains[named] !== undefined)) {
    const targets = Object.keys(loaded.config.servers).flatMap((hostname) =>
      targetsOf(loaded.config, session, hostname, options.selectors),
    );
    const wanted = targets.filter(({ domain }) => named === undefined || domain === named);
    if (wanted.length > 0 && wanted.every(({ expected }) => expected.length > 0)) return wanted;
  }
  if (named !== undefined) {
    return [{ domain: named, addresses: [], mail: 'unknown', expected: [], selectors: options.selectors }];
  }
  throw new SetupError({
    code: 'E_CHECK_TARGET',
    exit: Exit.usage,
    what: 'It is not clear what to check.',
    evidence: [
      loaded === undefined
        ? `There is no ${session.configPath}.`
        : `The lock file beside ${session.configPath} has ${Object.keys(lock.domains).length} domains; apply writes it.`,
    ],
    fix: ['Give --domain, or --config with a configuration that was applied.'],
  });
}

function targetsOf(
  config: Config,
  { lock }: Session,
  hostname: string,
  selectors: readonly string[],
): DnsTarget[] {
  const dkim = new Map(domainsOf(config, hostname).map(([name]) => [name, lock.domains[name]?.dkim ?? []]));
  const addresses = lock.servers[hostname] ?? {};
  const tlsa = lock.tlsa?.[hostname];
  const intent = intendDns(config, lock, hostname, addresses, dkim, undefined, undefined, tlsa);
  const leftOut = new Set(lock.leftOut?.[hostname] ?? []);
  const desired = intent.desired.filter((record) => !leftOut.has(leftOutKey(record)));
  return domainsOf(config, hostname).map(([domain, { mail }]) => ({
    domain,
    host: hostname,
    addresses: Object.values(addresses),
    mail,
    expected:
      lock.servers[hostname] === undefined
        ? []
        : desired.filter(({ name }) => name === hostname || name === domain || name.endsWith(`.${domain}`)),
    selectors,
    ...dmarcSinceOf(lock, domain),
    ...stsSinceOf(lock, domain),
    ...nameServersOf(lock, domain),
    issuer: 'letsencrypt.org',
  }));
}

function dmarcSinceOf(lock: Lock, domain: string): { dmarcSince?: number } {
  const day = lock.domains[domain]?.dmarcSince;
  return day === undefined ? {} : { dmarcSince: Date.parse(day) };
}

function stsSinceOf(lock: Lock, domain: string): { stsSince?: number } {
  const day = lock.domains[domain]?.mtaSts?.since;
  return day === undefined ? {} : { stsSince: Date.parse(day) };
}

function nameServersOf(lock: Lock, domain: string): Pick<DnsTarget, 'providerNameServers'> {
  const { nameServers } = lock.domains[domain] ?? {};
  return nameServers === undefined ? {} : { providerNameServers: nameServers };
}

/** Amendment A6: a resolver or trust anchor of one's own means a rehearsal or a private network. */
export function isPrivate({ answers, loaded }: Session): boolean {
  const servers = Object.values(loaded?.config.servers ?? {});
  return (
    namesPrivateResolver(answers.resolver?.value) ||
    servers.some(({ resolver }) => resolver.forwarder !== undefined || resolver.trustAnchor !== undefined)
  );
}

async function waitForRecords(
  { context }: Session,
  targets: readonly DnsTarget[],
  authoritative: ReturnType<typeof createAuthoritativeResolver>,
  seconds: number,
): Promise<void> {
  const records = targets.flatMap(({ expected }) => expected);
  const progress = await context.createProgress();
  const id = 'wait';
  progress.emit({ kind: 'start', lane: 'dns', id, title: 'Wait until the name servers show every record' });
  const result = await waitUntilVisible(
    records,
    { authoritative, clock: systemClock, intervalMs: 5000 },
    {
      signal: context.signal,
      deadline: systemClock.now() + seconds * 1000,
      onTick: ({ pending, visible, total, cacheSeconds }) => {
        const first = pending[0];
        if (first === undefined) return;
        const server = first.servers[0];
        const state = `${first.record.name}: ${server?.server ?? ''} ${server?.state ?? ''}`;
        const caches = cacheSeconds === 0 ? '' : `; caches elsewhere may lag ${cacheSeconds} s behind`;
        const reason = `${visible} of ${total} visible; ${state}${caches}`;
        progress.emit({ kind: 'wait', lane: 'dns', id, reason });
      },
    },
  );
  if (result.visible) progress.emit({ kind: 'done', lane: 'dns', id });
  else progress.emit({ kind: 'fail', lane: 'dns', id, message: 'not everything became visible in time' });
  if (result.cacheSeconds > 0) {
    progress.emit({
      kind: 'notice',
      level: 'info',
      text: `Resolvers elsewhere may hold older answers for up to ${result.cacheSeconds} s.`,
    });
  }
  progress.stop();
}
