import type { Component } from '../components/component.js';
import type { Config } from '../config/schema.js';
import { isWithin } from '../dns/canonical.js';
import type { Zone } from '../dns/providers/provider.js';
import type { LiveRecord } from '../dns/record.js';
import { dkimName, monthlySelector } from '../dns/records/dkim.js';
import { webLabels } from '../dns/records/web-labels.js';
import { Exit, SetupError } from '../errors.js';
import type { Facts } from '../facts/index.js';
import { readFacts } from '../facts/read-facts.js';
import type { Connection } from '../ssh/connection.js';
import { type OpenProvider, openProvider, requireProvider } from './open-provider.js';
import type { Resolvers } from './open-resolvers.js';
import type { Session } from './session.js';

type Domain = Config['domains'][string];

/** A zone that holds names of ours, as its provider shows it. */
export interface ZoneSurvey {
  open: OpenProvider;
  zone: Zone;
  live: readonly LiveRecord[];
  /** Names that a zone which cannot be listed is asked for; see {@link completeSurvey}. */
  names: Set<string>;
}

/** Reads the server, in one round trip. `smtpHosts: []` skips the slow question about outbound port 25. */
export function surveyServer(
  connection: Connection,
  components: readonly Component[],
  signal: AbortSignal,
  smtpHosts?: readonly string[],
): Promise<Facts> {
  return readFacts(connection, {
    watch: components.flatMap(({ watch }) => watch),
    unitFiles: components.flatMap(({ unitFiles = [] }) => unitFiles),
    signal,
    ...(smtpHosts === undefined ? {} : { smtpHosts }),
  });
}

/** Providers opened and zones read by one command: several servers look at the same ones, which are asked once. */
export interface ZoneCache {
  readonly names: Set<string>;
  readonly providers: Map<string, Promise<OpenProvider>>;
  readonly zones: Map<string, Promise<ZoneSurvey>>;
}

export function createZoneCache(): ZoneCache {
  return { names: new Set(), providers: new Map(), zones: new Map() };
}

/**
 * Opens the providers of the server's domains and reads every zone that holds a domain or the host name.
 * Throws E_NO_ZONE (exit 2) when a provider has no zone for a domain, or none of them one for the host name;
 * credentials are tried first.
 */
export async function surveyZones(
  session: Session,
  config: Config,
  hostname: string,
  { authoritative }: Resolvers,
  cache: ZoneCache = createZoneCache(),
): Promise<ZoneSurvey[]> {
  const { names } = cache;
  for (const name of namesOf(session, config, hostname)) names.add(name);
  const found = new Map<string, FoundZone>();
  const openOnce = (dns: string): Promise<OpenProvider> =>
    remember(cache.providers, dns, () =>
      openProvider(session, requireProvider(dns), { authoritative, names }),
    );
  const addZone = (open: OpenProvider, zone: Zone): void => {
    found.set(`${open.definition.id} ${zone.id}`, { open, zone });
  };
  for (const [name, { dns }] of domainsOf(config, hostname)) {
    const open = await openOnce(dns);
    const zone = await open.provider.findZone(name);
    if (zone === null) throw noZone(name, [open]);
    addZone(open, zone);
  }
  const asked: OpenProvider[] = [];
  for (const dns of hostProvidersOf(config, hostname)) {
    const open = await openOnce(dns);
    asked.push(open);
    const zone = await open.provider.findZone(hostname);
    if (zone === null) continue;
    addZone(open, zone);
    return readZones(found, cache);
  }
  const [[domain] = []] = [...domainsOf(config, hostname), ...backedBy(config, hostname)];
  if (domain !== undefined) throw noZone(hostname, asked, domain);
  return [];
}

type FoundZone = Pick<ZoneSurvey, 'open' | 'zone'>;

/** All at once, and only when all are found: a reading that nobody waits for yet has nobody to tell of its failure. */
function readZones(found: ReadonlyMap<string, FoundZone>, cache: ZoneCache): Promise<ZoneSurvey[]> {
  const { names } = cache;
  const read = async ({ open, zone }: FoundZone): Promise<ZoneSurvey> => ({
    open,
    zone,
    live: await open.provider.list(zone),
    names,
  });
  return Promise.all([...found].map(([key, one]) => remember(cache.zones, key, () => read(one))));
}

/**
 * Providers that may have the zone of the host name, the likeliest first: of a domain it lies in, whichever server that
 * has, then of the server's own domains or those it is the backup of. A server without any has no names to look after.
 */
function hostProvidersOf(config: Config, hostname: string): Set<string> {
  const own = [...domainsOf(config, hostname), ...backedBy(config, hostname)];
  if (own.length === 0) return new Set();
  const around = Object.entries(config.domains)
    .filter(([name]) => isWithin(hostname, name))
    .sort(([a], [b]) => b.length - a.length);
  // Without an API nothing is missing anywhere: whoever has one is asked before.
  const isManual = ({ dns }: Domain) => requireProvider(dns).capabilities.manual === true;
  const others = [...own].sort(([, a], [, b]) => Number(isManual(a)) - Number(isManual(b)));
  return new Set([...around, ...others].map(([, { dns }]) => dns));
}

/** Domains of other servers that this one keeps mail for; one of them leads to the zone of its name. */
function backedBy(config: Config, hostname: string): [string, Domain][] {
  return Object.entries(config.domains).filter(([, { backup }]) => backup === hostname);
}

function remember<T>(known: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const value = known.get(key) ?? make();
  known.set(key, value);
  return value;
}

/** A zone that cannot be listed is asked again once it is known which names matter. */
export async function completeSurvey(survey: ZoneSurvey, wanted: readonly string[]): Promise<ZoneSurvey> {
  const { open, zone, names } = survey;
  if (open.definition.capabilities.manual !== true) return survey;
  for (const name of wanted) names.add(name);
  return { ...survey, live: await open.provider.list(zone) };
}

/** What a zone that cannot be listed is asked for: hosts, domains, and the DKIM selectors that are or may be in use. */
function namesOf(session: Session, config: Config, hostname: string): string[] {
  const month = monthlySelector(session.context.clock());
  return domainsOf(config, hostname).flatMap(([name, { parked }]) => {
    const known = session.lock.domains[name]?.dkim.map(({ selector }) => selector) ?? [];
    return [
      hostname,
      name,
      ...(parked ?? []),
      ...webLabels.map((label) => `${label}.${name}`),
      ...[...known, month].map((selector) => dkimName(selector, name)),
    ];
  });
}

/** The domains that this server handles, in the order of the file. */
export function domainsOf(config: Config | undefined, hostname: string): [string, Domain][] {
  // A backup keeps mail for domains that are others'.
  if (config?.servers[hostname]?.profile === 'backup-mx') return [];
  return Object.entries(config?.domains ?? {}).filter(
    ([, domain]) => (domain.server ?? hostname) === hostname,
  );
}

/** `domain`: one of those whose host name lies in no zone. */
function noZone(name: string, asked: readonly OpenProvider[], domain?: string): SetupError {
  const titles = asked.map(({ definition }) => definition.title);
  const rights = [...new Set(asked.map(({ definition }) => definition.rights))];
  return new SetupError({
    code: 'E_NO_ZONE',
    exit: Exit.usage,
    what:
      titles.length > 1
        ? `None of ${titles.join(', ')} has a zone that holds ${name}, or the tokens may not see it.`
        : `${titles[0]} has no zone that holds ${name}, or the token may not see it.`,
    evidence: [`asked for ${name} and every name above it`],
    fix: [
      `Add the domain at ${titles.join(' or ')}, and set the name servers it names at the registrar.`,
      `If it is there already: the token needs ${rights.join(', or ')}.`,
      ...(domain === undefined
        ? []
        : [`Or give the server a name below the domain: --hostname mail.${domain}`]),
    ],
  });
}
