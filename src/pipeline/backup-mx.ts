import type { BackupModel } from '../components/model.js';
import { relayRecipientsPath } from '../components/postfix.js';
import type { Answers } from '../config/answers.js';
import type { Config } from '../config/schema.js';
import { Exit, messageOf, SetupError } from '../errors.js';
import type { AccountsState } from '../facts/accounts.js';
import { readFiles, readSomeFacts } from '../facts/read-facts.js';
import type { Connection } from '../ssh/connection.js';
import { chooseAddresses } from './choose-addresses.js';
import { connectServer } from './connect-server.js';
import type { Resolvers } from './open-resolvers.js';
import type { Session } from './session.js';
import { domainsOf } from './survey.js';

/** What one server has to know of the others of its configuration. */
export interface Partners {
  /** For a backup: whose mail it keeps. */
  backup?: BackupModel;
  /** For a primary: its backups, and where they come from. */
  backups: readonly { hostname: string; addresses: readonly string[] }[];
}

/** Addresses that a domain must take mail for, whoever has a mailbox there (RFC 5321 4.5.1, RFC 2142). */
const roles = ['postmaster', 'abuse'];

/** Asks the other servers of the configuration what this one has to know of them. Reads only. */
export async function readPartners(
  session: Session,
  config: Config,
  hostname: string,
  resolvers: Resolvers,
  connection: Connection,
): Promise<Partners> {
  if (config.servers[hostname]?.profile === 'backup-mx')
    return { backup: await readBackup(session, config, hostname, connection), backups: [] };
  const hosts = [...new Set(domainsOf(config, hostname).flatMap(([, { backup }]) => backup ?? []))];
  const backups = await Promise.all(
    hosts.map(async (host) => ({
      hostname: host,
      addresses: await readAddresses(session, config, host, resolvers),
    })),
  );
  return { backups };
}

/** The domains that a backup keeps mail for, and the server that each has it from. */
export function backedDomains(config: Config, hostname: string): { name: string; primary: string }[] {
  const primaries = Object.keys(config.servers).filter(
    (host) => config.servers[host]?.profile !== 'backup-mx',
  );
  return Object.entries(config.domains).flatMap(([name, { backup, server }]) => {
    const primary = server ?? (primaries.length === 1 ? primaries[0] : undefined);
    return backup === hostname && primary !== undefined ? [{ name, primary }] : [];
  });
}

/** What a server takes mail for, of the given domains. Pure. */
export function listRecipients(
  { mailboxes, aliases }: Pick<AccountsState, 'mailboxes' | 'aliases'>,
  domains: readonly string[],
): string[] {
  const taken = [
    ...mailboxes,
    ...aliases.map(({ address }) => address),
    ...domains.flatMap((domain) => roles.map((role) => `${role}@${domain}`)),
  ];
  const ours = taken.filter((address) => domains.includes(address.slice(address.lastIndexOf('@') + 1)));
  return [...new Set(ours.map((address) => address.toLowerCase()))].sort();
}

async function readBackup(
  session: Session,
  config: Config,
  hostname: string,
  connection: Connection,
): Promise<BackupModel> {
  const domains = backedDomains(config, hostname);
  const primaries = [...new Set(domains.map(({ primary }) => primary))];
  const lists = await Promise.all(
    primaries.map(async (primary) => {
      const names = domains.filter((domain) => domain.primary === primary).map(({ name }) => name);
      try {
        return await atPartner(session, config, primary, async (partner) => {
          const { accounts } = await readSomeFacts(partner, ['accounts'], session.context.signal);
          return listRecipients(accounts, names);
        });
      } catch (error) {
        return keepList(session, primary, names, connection, error);
      }
    }),
  );
  return { domains, recipients: [...new Set(lists.flat())].sort() };
}

/** While the primary is away the backup goes on with the list that it has: it is there for just that. */
async function keepList(
  session: Session,
  primary: string,
  domains: readonly string[],
  connection: Connection,
  error: unknown,
): Promise<string[]> {
  session.context.signal.throwIfAborted();
  const files = await readFiles(connection, [relayRecipientsPath], session.context.signal);
  const text = files.get(relayRecipientsPath);
  if (text === undefined) {
    throw new SetupError({
      code: 'E_PRIMARY_AWAY',
      exit: Exit.failed,
      what: `${primary} cannot be asked for its recipients, and the backup has no list of them yet.`,
      evidence: [messageOf(error)],
      fix: [`Run this again when ${primary} can be reached.`],
      cause: error,
    });
  }
  session.context.io.say(`${primary} cannot be asked for its recipients now; the backup keeps its list.`);
  const known = text.split('\n').flatMap((line) => /^(\S*@\S+)\s+OK$/.exec(line)?.[1] ?? []);
  return known.filter((address) => domains.some((domain) => address.endsWith(`@${domain}`)));
}

async function readAddresses(
  session: Session,
  config: Config,
  host: string,
  resolvers: Resolvers,
): Promise<string[]> {
  const known = session.lock.servers[host];
  const server = config.servers[host];
  if (known !== undefined || server === undefined) return listOf(known ?? {});
  try {
    return await atPartner(session, config, host, async (partner) => {
      const facts = await readSomeFacts(partner, ['addresses', 'dmi'], session.context.signal);
      const all = { ...facts, outbound: [] };
      return listOf(await chooseAddresses(all, partner.remoteAddress, host, server, resolvers));
    });
  } catch (error) {
    // It was never set up: the primary goes on without it, and gets no second MX.
    session.context.signal.throwIfAborted();
    session.context.io.say(`The backup ${host} cannot be reached yet: ${messageOf(error)}`);
    return [];
  }
}

function listOf({ ipv4, ipv6 }: { ipv4?: string; ipv6?: string }): string[] {
  return [ipv4, ipv6].filter((address) => address !== undefined);
}

/** Looks at another server of the configuration, on a connection of its own. */
async function atPartner<T>(
  session: Session,
  config: Config,
  host: string,
  look: (connection: Connection) => Promise<T>,
): Promise<T> {
  const { connection } = await connectServer(session, answersFor(session, config, host));
  try {
    return await look(connection);
  } finally {
    await connection.close();
  }
}

/** How to get in, as the configuration says and nothing else: flags mean the server that the command is about. */
export function answersFor(session: Session, config: Config, host: string): Answers {
  const { ssh = '', identity, hostKey } = config.servers[host] ?? {};
  const origin = { from: 'file', path: session.configPath } as const;
  return {
    ssh: { value: ssh, origin },
    ...(identity === undefined ? {} : { identity: { value: identity, origin } }),
    ...(hostKey === undefined ? {} : { hostKey: { value: hostKey, origin } }),
  };
}
