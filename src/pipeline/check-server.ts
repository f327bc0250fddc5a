import type { Finding } from '../checks/check.js';
import { createPinnedFetch } from '../checks/fetch-pinned.js';
import type { OutboundFacts } from '../checks/preflight/network.js';
import { runServerChecks, serverChecks } from '../checks/server/index.js';
import { intendedPorts } from '../checks/server/intended-ports.js';
import type { ServerTarget } from '../checks/server/server-check.js';
import { relayRecipientsPath } from '../components/postfix.js';
import type { Answers } from '../config/answers.js';
import { Exit, messageOf, SetupError } from '../errors.js';
import { readFiles, readSomeFacts } from '../facts/read-facts.js';
import { catchAllsOf } from '../lib/names.js';
import { checkerName } from '../mail/checker-name.js';
import type { Connection } from '../ssh/connection.js';
import { answersFor, backedDomains } from './backup-mx.js';
import { isPrivate } from './check-dns.js';
import { withCheckLogin } from './check-login.js';
import { connectServer } from './connect-server.js';
import { createServerLookup } from './server-lookup.js';
import type { Session } from './session.js';
import { domainsOf } from './survey.js';

/** A server of the configuration, at the addresses that apply wrote into the lock file. */
export interface CheckedHost {
  hostname: string;
  addresses: readonly string[];
  /** A connection for the checks that need one. */
  connection?: Connection;
}

/** Throws E_CHECK_TARGET (exit 2) when there is none. */
export function hostsOf({ lock, configPath }: Session): CheckedHost[] {
  const hosts = Object.entries(lock.servers).map(([hostname, addresses]) => ({
    hostname,
    addresses: Object.values(addresses),
  }));
  if (hosts.length > 0) return hosts;
  throw new SetupError({
    code: 'E_CHECK_TARGET',
    exit: Exit.usage,
    what: 'It is not known yet where the server is.',
    evidence: [`The lock file beside ${configPath} names no server; apply writes it.`],
    fix: ['Run smtp-setup apply first.'],
  });
}

/** Logs in to the host. What stands in the way becomes a finding: what strangers see can be checked without. */
export async function linkHost(
  session: Session,
  host: CheckedHost,
): Promise<{ host: CheckedHost; findings: Finding[] }> {
  try {
    const { connection } = await connectServer(session, loginOf(session, host.hostname));
    return { host: { ...host, connection }, findings: [] };
  } catch (error) {
    if (session.context.signal.aborted) throw error;
    const [fix] = error instanceof SetupError ? error.fix : [];
    return {
      host,
      findings: [
        {
          id: 'SERVER-SSH',
          group: 'Server',
          severity: 'fail',
          title: 'The server can be asked by SSH',
          subject: host.hostname,
          status: 'unknown',
          message: `Without SSH, logins and block lists were not checked: ${messageOf(error)}`,
          fix: {
            text: [...(fix === undefined ? [] : [fix]), 'Without these checks: --as-stranger'].join(' '),
          },
        },
      ],
    };
  }
}

/** How to get in: as the configuration says of this host, flags and environment over it. */
function loginOf(session: Session, hostname: string): Answers {
  const { answers, loaded } = session;
  const own =
    loaded?.config.servers[hostname] === undefined ? {} : answersFor(session, loaded.config, hostname);
  // What the answers have from the file is said of the server that they mean, which may be another one.
  const given = Object.entries(answers).filter(([, { origin }]) => origin.from !== 'file');
  return { ...own, ...Object.fromEntries(given) };
}

/** What a check of a host needs to know; from the configuration and the lock file. */
export async function targetOf(
  session: Session,
  { hostname, addresses }: CheckedHost,
): Promise<ServerTarget> {
  const { context, loaded, answers } = session;
  const domains = loaded === undefined ? [] : domainsOf(loaded.config, hostname);
  return {
    hostname,
    addresses,
    domains: [
      ...domains.flatMap(([name, { mail }]) => (mail === 'full' ? [name] : [])),
      ...(loaded === undefined ? [] : backedDomains(loaded.config, hostname)).map(({ name }) => name),
    ],
    ports: intendedPorts(loaded?.config.servers[hostname]?.profile),
    privateCa: isPrivate(session),
    ehloName: checkerName,
    timeout: 20_000,
    now: context.clock(),
    resolver: await context.createResolver(answers.resolver?.value),
    fetch: createPinnedFetch({ signal: context.signal, privateCa: isPrivate(session) }),
  };
}

/** The server's checks as a stranger and, with a connection, as a user; `ids` are those that were chosen. */
export async function checkHost(
  session: Session,
  host: CheckedHost,
  ids?: ReadonlySet<string>,
): Promise<Finding[]> {
  const checks = serverChecks.filter(({ id }) => ids === undefined || ids.has(id));
  const target = await targetOf(session, host);
  const { connection } = host;
  if (connection === undefined) return runServerChecks(target, checks);
  let outbound: Promise<OutboundFacts> | undefined;
  const full: ServerTarget = {
    ...target,
    askFromServer: createServerLookup(connection),
    catchAll: await readCatchAlls(session, connection),
    readOutbound: () => {
      outbound ??= readSomeFacts(connection, ['outbound', 'dmi'], session.context.signal);
      return outbound;
    },
    relayed: session.loaded?.config.servers[host.hostname]?.relay !== undefined,
  };
  // A login may be made for any domain of the server, also where no mail comes in.
  const domain = target.domains[0] ?? senderDomain(session, host.hostname);
  const keepsOnly = session.loaded?.config.servers[host.hostname]?.profile === 'backup-mx';
  if (domain === undefined || keepsOnly || !checks.some(({ needs }) => needs.includes('login'))) {
    return runServerChecks(full, checks);
  }
  return withCheckLogin(session, connection, domain, (login) => runServerChecks({ ...full, login }, checks));
}

/** Domains with an alias for all other mail: there nobody is unknown. A backup has the list of its primary. */
async function readCatchAlls({ context }: Session, connection: Connection): Promise<string[]> {
  const [{ accounts }, files] = await Promise.all([
    readSomeFacts(connection, ['accounts'], context.signal),
    readFiles(connection, [relayRecipientsPath], context.signal),
  ]);
  const kept = (files.get(relayRecipientsPath) ?? '').split('\n').map((line) => line.split(/\s/)[0] ?? '');
  return catchAllsOf([...accounts.aliases.map(({ address }) => address), ...kept]);
}

/** The first domain that the server sends for. */
export function senderDomain({ loaded }: Session, hostname: string): string | undefined {
  return loaded === undefined ? undefined : domainsOf(loaded.config, hostname)[0]?.[0];
}
