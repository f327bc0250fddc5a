import type { Context } from '../cli/context.js';
import type { Component } from '../components/component.js';
import { createComponents } from '../components/index.js';
import { createRenderer } from '../components/render.js';
import { type Answers, describeOrigin } from '../config/answers.js';
import type { Lock } from '../config/lock.js';
import { findPlaced } from '../config/placed-path.js';
import type { Config, ServerConfig } from '../config/schema.js';
import { isWithin } from '../dns/canonical.js';
import { installIdOf } from '../dns/mark.js';
import { planZone, recordsOfZone } from '../dns/plan-zone.js';
import type { DnsRecord, Stage } from '../dns/record.js';
import type { Consents, PlannedChange, ZonePlan } from '../dns/zone-plan.js';
import { Exit, SetupError } from '../errors.js';
import { hasForeignPostfix } from '../facts/foreign-postfix.js';
import type { Facts } from '../facts/index.js';
import { readFiles } from '../facts/read-facts.js';
import { catchAllsOf } from '../lib/names.js';
import { afterPackages } from '../plan/arrange-steps.js';
import { buildModel, letsEncrypt, type Models } from '../plan/build-model.js';
import {
  buildServerPlan,
  listChangedPaths,
  type OnConflict,
  type ServerPlan,
} from '../plan/build-server-plan.js';
import { planMailboxes, type WantedMailbox, withAccounts } from '../plan/plan-mailboxes.js';
import { planRelayLogins, type RelayLogin } from '../plan/plan-relay-logins.js';
import type { ManualStep, RunSecret, ServerStep } from '../plan/step.js';
import { relaysOf } from '../relay/relays-of.js';
import type { Connection } from '../ssh/connection.js';
import type { PlanView } from '../ui/report/plan.js';
import { awaitedRecords } from './awaited-records.js';
import { type Partners, readPartners } from './backup-mx.js';
import { bounceNotes } from './bounce-notes.js';
import { chooseAddresses, type PublicAddresses, refuseNoAddress } from './choose-addresses.js';
import { chooseDkim } from './choose-dkim.js';
import { type DnsIntent, intendDns } from './desired-dns.js';
import { gatherEvidence } from './gather-evidence.js';
import type { Resolvers } from './open-resolvers.js';
import { openReversePlanner, type ReverseChange } from './plan-reverse.js';
import { refuseStoredMail } from './refuse-stored-mail.js';
import type { Session } from './session.js';
import { completeSurvey, type ZoneSurvey } from './survey.js';
import { findForeignMx, planRecipients, recallDeferral } from './take-over.js';

export interface PlanRequest {
  config: Config;
  hostname: string;
  answers: Answers;
  mailboxes: readonly WantedMailbox[];
  consents: Consents;
  onConflict: OnConflict;
  /** Steps that come before all others but the packages: what a backup brings. */
  first?: readonly ServerStep[];
  /** By relay (`server`, or the sender domain), a login that was given; the others lie on the server. */
  relayLogins?: ReadonlyMap<string, RelayLogin>;
  /** By domain, the DKIM selector that is to take over; what the lock file knows of goes on by itself. */
  nextDkim?: ReadonlyMap<string, string>;
  /** By domain, a DKIM selector whose time is over. */
  retiredDkim?: ReadonlyMap<string, string>;
}

/** One plan over server and DNS, and what carrying it out needs beside it. */
export interface FullPlan {
  hostname: string;
  server: ServerPlan;
  zones: readonly { survey: ZoneSurvey; plan: ZonePlan }[];
  manual: readonly ManualStep[];
  secrets: readonly RunSecret[];
  models: Models;
  intent: DnsIntent;
  addresses: PublicAddresses;
  /** Domains of which every name gets mail, now or once this is carried out. */
  catchAlls: readonly string[];
  /** Servers that keep mail for this one's domains. */
  backups: Partners['backups'];
  /** Carries out one of `addresses.reverse`. */
  setReverse(change: ReverseChange): Promise<void>;
  /** The records of a stage that must be seen at every authoritative server before its sync point is passed. */
  awaited(stage: Stage, changes: readonly PlannedChange[]): DnsRecord[];
}

/** The components, rendering from the package's templates. */
export async function openComponents(session: Session): Promise<readonly Component[]> {
  return createComponents(createRenderer(await session.context.loadTemplates()));
}

/** Facts and zones against the desired state. Reads, and writes nothing anywhere. */
export async function makePlan(
  session: Session,
  connection: Connection,
  components: readonly Component[],
  facts: Facts,
  zones: readonly ZoneSurvey[],
  resolvers: Resolvers,
  request: PlanRequest,
): Promise<FullPlan> {
  const { config, hostname } = request;
  const server = config.servers[hostname];
  if (server === undefined || facts.os === undefined)
    throw new Error('the plan needs a server that passed preflight');
  refuseStoredMail(server, facts, hostname);
  const reverse = openReversePlanner(session, facts.dmi, hostname, zones, request.consents.update);
  const [addresses, signed] = await Promise.all([
    chooseAddresses(facts, connection.remoteAddress, hostname, server, resolvers, {
      planner: reverse,
      before: session.lock.servers[hostname] ?? {},
    }),
    isSigned(hostname, zones, resolvers),
  ]);
  refuseNoAddress(hostname, addresses, facts, server);
  const live = zones.flatMap((zone) => zone.live);
  const installId = installIdOf(hostname);
  const now = session.context.clock();
  const next = nextSelectors(session.lock, request);
  const retired = request.retiredDkim ?? new Map();
  const dkim = chooseDkim({ config, hostname, dkim: facts.dkim, live, installId, now, next, retired });
  const directory = request.answers.acmeDirectory?.value ?? facts.certificate.directory;
  const issuer = directory === undefined || directory === letsEncrypt ? 'letsencrypt.org' : undefined;
  const { digest, nextDigest } = facts.certificate;
  const tlsa = signed ? [digest, nextDigest] : undefined;
  const intent = intendDns(config, session.lock, hostname, addresses, dkim, live, issuer, tlsa);
  const partners = await readPartners(session, config, hostname, resolvers, connection);
  const relays = relaysOf(config, hostname);
  const logins = planRelayLogins(relays, facts.relayLogins, request.relayLogins ?? new Map());
  const models = buildModel({
    hostname,
    server,
    os: facts.os,
    domains: [...dkim].map(([name, keys]) => ({
      name,
      selectors: keys.map(({ selector }) => selector),
      ...roleOf(config, name),
      ...(intent.web.has(name) ? { web: intent.web.get(name) } : {}),
      ...(next.has(name) ? { next: next.get(name) ?? '' } : {}),
    })),
    facts,
    acme: await readAcme(session.context, request.answers),
    ...(await readTrustAnchor(session, server)),
    ipv6: addresses.ipv6 !== undefined,
    ...(partners.backup === undefined ? {} : { backup: partners.backup }),
    trustedRelays: partners.backups.flatMap((backup) => backup.addresses),
    relays,
    separate: separateOf(config),
  });
  const serverPlan = await planServer(connection, components, facts, models, request, session.context.signal);
  const accounts = planMailboxes(request.mailboxes, facts.accounts, models.model.mapType);
  const takenOver = [...findForeignMx(config, hostname, zones).keys()];
  const consent = request.consents.takeOverMx;
  if (consent !== undefined) {
    const coming = request.mailboxes.map(({ address }) => address);
    const { mapType } = models.model;
    accounts.steps.push(
      ...planRecipients({ consent, domains: takenOver, accounts: facts.accounts, coming, mapType }),
    );
  }
  const privateNetwork = isPrivateNetwork(resolvers, server);
  const asked = intent.desired.map(({ name }) => name);
  const surveys = await Promise.all(zones.map((survey) => completeSurvey(survey, asked)));
  const zoneNames = zones.map(({ zone }) => zone.name);
  const planned = await Promise.all(
    surveys.map(async (survey) => ({
      survey,
      plan: planZone({
        zone: survey.zone,
        live: survey.live,
        desired: recordsOfZone(intent.desired, survey.zone.name, zoneNames),
        input: intent.input,
        caps: survey.open.definition.capabilities,
        audit: (record) => survey.open.provider.audit(record),
        consents: request.consents,
        evidence: await gatherEvidence(session, survey, intent, resolvers, privateNetwork),
        installId,
        privateNetwork,
      }),
    })),
  );
  return {
    hostname,
    server: {
      ...serverPlan,
      steps: afterPackages(withAccounts(serverPlan.steps, accounts.steps), [
        ...(request.first ?? []),
        ...logins.steps,
      ]),
    },
    zones: planned,
    manual: [
      ...addresses.manual,
      ...accounts.manual,
      ...bounceNotes(config, hostname, live, facts.accounts),
      ...(server.unknownRecipients === 'defer'
        ? [recallDeferral(hostname, now, takenOver.length > 0 || hasForeignPostfix(facts))]
        : []),
    ],
    secrets: [...accounts.secrets, ...logins.secrets],
    models,
    intent,
    addresses,
    catchAlls: [
      ...catchAllsOf(facts.accounts.aliases.map(({ address }) => address)),
      ...catchAllsOf(partners.backup?.recipients ?? []),
      ...(consent !== undefined && 'catchAll' in consent ? takenOver : []),
    ],
    backups: partners.backups,
    setReverse: (change) => reverse.set(change),
    awaited: (stage, changes) =>
      awaitedRecords(
        stage,
        changes,
        planned.map(({ plan }) => plan),
      ),
  };
}

/** R15: DANE means nothing in a zone without a chain of trust; what cannot be found out is not begun. */
async function isSigned(
  hostname: string,
  zones: readonly ZoneSurvey[],
  { recursive }: Resolvers,
): Promise<boolean> {
  const [zone] = zones
    .map(({ zone: { name } }) => name)
    .filter((name) => isWithin(hostname, name))
    .sort((a, b) => b.length - a.length);
  return zone !== undefined && (await recursive.resolve(zone, 'DS')).status === 'ok';
}

/** Amendment A6: a resolver or trust anchor of one's own means a rehearsal or a private network. */
export function isPrivateNetwork(resolvers: Resolvers, server: ServerConfig): boolean {
  return (
    resolvers.own || server.resolver.forwarder !== undefined || server.resolver.trustAnchor !== undefined
  );
}

export function toPlanView(plan: FullPlan, onConflict: OnConflict = 'stop'): PlanView {
  const edited = onConflict === 'take-over' ? [] : plan.server.conflicts;
  return {
    hostname: plan.hostname,
    server: plan.server.steps,
    edited: edited.map(({ path, reason }) => ({ path, reason, kept: onConflict === 'keep' })),
    zones: plan.zones.map((zone) => zone.plan),
    reverse: plan.addresses.reverse,
    manual: plan.manual,
  };
}

/** Any conflict means that nothing may be written, neither in DNS nor on the server. Throws E_DNS_CONFLICT (exit 2). */
export function refuseDnsConflicts(plan: FullPlan): void {
  const conflicts = plan.zones.flatMap((zone) => zone.plan.conflicts);
  const first = conflicts[0];
  if (first === undefined) return;
  throw new SetupError({
    code: first.code,
    exit: Exit.usage,
    what: first.what,
    evidence: [...first.evidence, ...conflicts.slice(1).map((conflict) => conflict.what)],
    fix: [...new Set(conflicts.flatMap((conflict) => conflict.fix)), 'Nothing was changed.'],
  });
}

/** What the configuration says of a domain that its files on the server need. */
export function roleOf(config: Config, domain: string): { receives: boolean; perDay?: number } {
  const { mail, limits } = config.domains[domain] ?? {};
  return { receives: mail !== 'send-only', ...(limits === undefined ? {} : { perDay: limits.perDay }) };
}

/** The domains that are kept apart from the others of their server. */
export function separateOf({ domains }: Config): string[] {
  return Object.entries(domains).flatMap(([name, { separate }]) => (separate ? [name] : []));
}

async function planServer(
  connection: Connection,
  components: readonly Component[],
  facts: Facts,
  models: Models,
  request: PlanRequest,
  signal: AbortSignal,
): Promise<ServerPlan> {
  const input = { ...models, facts, components, onConflict: request.onConflict };
  const changed = listChangedPaths(input);
  // The diffs need what is there now: one more round trip, and none when nothing differs.
  const contents = await readFiles(connection, changed, signal);
  return buildServerPlan({ ...input, contents });
}

/** Changes of keys that began and have not come to the point where the new key signs. */
function nextSelectors(lock: Lock, { nextDkim }: PlanRequest): Map<string, string> {
  const begun = Object.entries(lock.domains).flatMap(([name, { rotation }]): [string, string][] =>
    rotation === undefined || rotation.switched !== undefined ? [] : [[name, rotation.to]],
  );
  return new Map([...begun, ...(nextDkim ?? [])]);
}

/** More is another file than the certificate or the key that was meant. */
const maxGivenBytes = 256 * 1024;

export async function readAcme(
  { files }: Pick<Context, 'files'>,
  { acmeDirectory, acmeCa }: Answers,
): Promise<{ directory?: string; ca?: string }> {
  return {
    ...(acmeDirectory === undefined ? {} : { directory: acmeDirectory.value }),
    ...(acmeCa === undefined ? {} : { ca: await files.read(acmeCa.value, '--acme-ca', maxGivenBytes) }),
  };
}

export async function readTrustAnchor(
  { context, configPath, answers }: Pick<Session, 'context' | 'configPath' | 'answers'>,
  server: ServerConfig,
): Promise<{ trustAnchor?: string }> {
  const answer = answers.trustAnchor;
  const value = answer?.value ?? server.resolver.trustAnchor;
  if (value === undefined) return {};
  const wanter =
    answer === undefined || answer.origin.from === 'file'
      ? `resolver.trustAnchor in ${configPath}`
      : describeOrigin(answer.origin);
  const path = findPlaced(value, configPath, context.homeDir);
  return { trustAnchor: await context.files.read(path, wanter, maxGivenBytes) };
}
