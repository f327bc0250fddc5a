import type { ExportOptions } from '../cli/commands/export.js';
import type { Config } from '../config/schema.js';
import { Exit, SetupError } from '../errors.js';
import { type Facts, probes } from '../facts/index.js';
import { buildModel, type Models } from '../plan/build-model.js';
import { type ConfiguredRelay, relaysOf } from '../relay/relays-of.js';
import { chooseDkim } from './choose-dkim.js';
import { intendDns } from './desired-dns.js';
import { readAcme, readTrustAnchor, roleOf, separateOf } from './make-plan.js';
import type { Session } from './session.js';
import { domainsOf } from './survey.js';

const releases: Readonly<Record<string, string>> = {
  'debian-12': 'bookworm',
  'debian-13': 'trixie',
  'ubuntu-22.04': 'jammy',
  'ubuntu-24.04': 'noble',
  'ubuntu-26.04': 'resolute',
};

export interface ForeseenKey {
  domain: string;
  selector: string;
  /** What DNS shows of it, as the lock file knows. */
  publicKey: string;
}

export interface ForeseenServer {
  models: Models;
  keys: ForeseenKey[];
  relays: ConfiguredRelay[];
  facts: Facts;
}

/**
 * The server as it will be: its release is given, and everything else is as a fresh one has it. Throws
 * E_EXPORT_RELEASE, E_EXPORT_PROFILE (exit 2).
 */
export async function foreseeServer(
  session: Session,
  config: Config,
  hostname: string,
  { release, memory }: ExportOptions,
): Promise<ForeseenServer> {
  const server = config.servers[hostname];
  const [id = '', version = ''] = release.split('-');
  const codename = releases[release];
  if (server === undefined || codename === undefined) throw unknownRelease(release);
  if (server.profile === 'backup-mx') throw notForBackups(hostname);
  const facts = emptyFacts();
  const fresh = chooseDkim({
    config,
    hostname,
    dkim: facts.dkim,
    live: [],
    installId: '',
    now: session.context.clock(),
  });
  const keys = domainsOf(config, hostname).map(([domain]): ForeseenKey => {
    const known = session.lock.domains[domain]?.dkim[0];
    const selector = known?.selector ?? fresh.get(domain)?.[0]?.selector ?? '';
    return { domain, selector, publicKey: known?.publicKey ?? '' };
  });
  const { web } = intendDns(
    config,
    session.lock,
    hostname,
    session.lock.servers[hostname] ?? {},
    new Map(keys.map(({ domain, selector }) => [domain, [{ selector }]])),
    undefined,
  );
  const relays = relaysOf(config, hostname);
  const backups = new Set(domainsOf(config, hostname).flatMap(([, { backup }]) => backup ?? []));
  const models = buildModel({
    hostname,
    server,
    os: { id, version, codename, name: release, like: [] },
    domains: keys.map(({ domain, selector }) => ({
      name: domain,
      selectors: [selector],
      ...roleOf(config, domain),
      ...(web.has(domain) ? { web: web.get(domain) } : {}),
    })),
    facts: { ...facts, machine: { ...facts.machine, memory } },
    acme: await readAcme(session.context, session.answers),
    ...(await readTrustAnchor(session, server)),
    // Known only once its address has a reverse name; apply turns it on then.
    ipv6: session.lock.servers[hostname]?.ipv6 !== undefined && server.ipv6 !== 'off',
    trustedRelays: [...backups].flatMap((backup) =>
      Object.values(session.lock.servers[backup] ?? {}).filter((address) => address !== undefined),
    ),
    relays,
    separate: separateOf(config),
  });
  return { models, keys, relays, facts };
}

/** What every probe would say of a server on which nothing of ours is. */
function emptyFacts(): Facts {
  const entries = Object.entries(probes).map(([name, probe]) => [
    name,
    probe.parse({ code: 127, stdout: '' }),
  ]);
  return Object.fromEntries(entries) as Facts;
}

function unknownRelease(release: string): SetupError {
  return new SetupError({
    code: 'E_EXPORT_RELEASE',
    exit: Exit.usage,
    what: `There is no release ${release} to export for.`,
    evidence: [`known: ${Object.keys(releases).join(', ')}`],
    fix: ['Give one of these with --release.'],
  });
}

function notForBackups(hostname: string): SetupError {
  return new SetupError({
    code: 'E_EXPORT_PROFILE',
    exit: Exit.usage,
    what: `${hostname} is a backup: without its primary's list of recipients it would refuse everybody.`,
    fix: ['Set it up with smtp-setup apply, which reads the list.'],
  });
}
