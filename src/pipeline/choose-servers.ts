import type { Context } from '../cli/context.js';
import type { FlagValues } from '../cli/flags.js';
import type { Answers } from '../config/answers.js';
import { mergeAnswers } from '../config/merge-answers.js';
import type { Config } from '../config/schema.js';
import { Exit, SetupError } from '../errors.js';
import { openSession, type Session } from './session.js';
import { domainsOf } from './survey.js';

export interface ServersOptions {
  flags: FlagValues;
  config?: string;
  /** `--server`, once for each; empty: all of the configuration. */
  servers: readonly string[];
}

/** The host names of the servers that are meant, in the order of the file. Throws E_NO_SERVER (exit 2). */
export async function chooseServers(context: Context, options: ServersOptions): Promise<string[]> {
  const session = await openSession(context, { ...options, needsConfig: true });
  const known = Object.keys(session.loaded?.config.servers ?? {});
  const { hostname } = session.answers;
  const named = hostname !== undefined && hostname.origin.from !== 'file' ? [hostname.value] : [];
  const wanted = options.servers.length > 0 ? options.servers : named;
  const unknown = wanted.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw unknownServer(session, unknown, ', or none for all of them');
  const chosen = wanted.length > 0 ? known.filter((name) => wanted.includes(name)) : known;
  refuseSeveral(session, chosen, 'Choose one with --server HOST');
  return chosen;
}

/** Several servers, and a login from flag or environment: throws E_ONE_SERVER (exit 2), saying how to choose one. */
export function refuseSeveral(
  { answers: { ssh, hostKey } }: Session,
  hostnames: readonly string[],
  choose: string,
): void {
  const personal = [ssh, hostKey].flatMap((answer) =>
    answer !== undefined && 'name' in answer.origin ? [answer.origin.name] : [],
  );
  if (hostnames.length <= 1 || personal.length === 0) return;
  throw new SetupError({
    code: 'E_ONE_SERVER',
    exit: Exit.usage,
    what: `${personal.join(' and ')} can only mean one server, and ${hostnames.length} are configured.`,
    evidence: hostnames,
    fix: [`${choose}, or write it into the configuration, each under its server.`],
  });
}

/** A session that means one server of the configuration. */
export async function openServerSession(
  context: Context,
  { flags, config }: Pick<ServersOptions, 'flags' | 'config'>,
  hostname: string | undefined,
): Promise<Session> {
  const session = await openSession(context, {
    flags: hostname === undefined ? flags : { ...flags, hostname },
    ...(config === undefined ? {} : { config }),
    needsConfig: true,
  });
  const { domain } = session.answers;
  const own = hostname === undefined ? [] : domainsOf(session.loaded?.config, hostname).map(([name]) => name);
  if (hostname === undefined || domain === undefined || own.includes(domain.value)) return session;
  // The only domain of the file may be another server's.
  const { domain: _theirs, dns, ...answers } = session.answers;
  return {
    ...session,
    answers: { ...answers, ...(dns === undefined || dns.origin.from === 'file' ? {} : { dns }) },
  };
}

/** The server that flags or an unambiguous configuration mean, and the configuration with the flags laid over it. */
export function chooseServer(session: Session, answers: Answers): { config: Config; hostname: string } {
  const named = answers.hostname?.value;
  // Only with a login can a name that the file does not have be a server; without one it is a slip of the pen.
  if (named !== undefined && answers.ssh === undefined && session.loaded?.config.servers[named] === undefined)
    throw unknownServer(session, [named]);
  const config = mergeAnswers(session.loaded?.config, answers);
  const hosts = Object.keys(config.servers);
  const hostname = named ?? (hosts.length === 1 ? hosts[0] : undefined);
  if (hostname !== undefined && config.servers[hostname] !== undefined)
    return { config: moveDns(config, hostname, answers), hostname };
  throw new SetupError({
    code: 'E_NO_SERVER',
    exit: Exit.usage,
    what: 'It is not clear which server is meant.',
    evidence: [`${session.configPath} names: ${hosts.join(', ') || 'none'}`],
    fix: ['Run smtp-setup init to add one.'],
  });
}

function unknownServer(
  { configPath, loaded }: Session,
  hostnames: readonly string[],
  otherwise = '',
): SetupError {
  return new SetupError({
    code: 'E_NO_SERVER',
    exit: Exit.usage,
    what: `There is no server ${hostnames.join(', ')} in the configuration.`,
    evidence: [`${configPath} names: ${Object.keys(loaded?.config.servers ?? {}).join(', ') || 'none'}`],
    fix: [`Give one of these${otherwise}; smtp-setup init adds one.`],
  });
}

/** `--dns` without a domain means all of the server's domains. */
function moveDns(config: Config, hostname: string, { dns, domain }: Answers): Config {
  if (dns === undefined || domain !== undefined) return config;
  const moved = domainsOf(config, hostname).map(([name, own]) => [name, { ...own, dns: dns.value }] as const);
  return { ...config, domains: { ...config.domains, ...Object.fromEntries(moved) } };
}
