import type { Answers } from '../config/answers.js';
import { Exit, SetupError } from '../errors.js';
import { publicIpv4 } from '../facts/public-ipv4.js';
import { sanitizeLine } from '../lib/sanitize.js';
import { parseTarget } from '../lib/ssh-target.js';
import type { Reached } from './prepare.js';
import type { Session } from './session.js';

/** What configuration and lock file know of servers. */
export type Known = Pick<Session, 'loaded' | 'lock' | 'configPath'>;

/** The parts of {@link Reached} that tell which machine it is. */
export interface Machine {
  facts: Pick<Reached['facts'], 'addresses' | 'hostName'> & {
    state: Pick<Reached['facts']['state'], 'manifest'>;
  };
  link: { connection: Pick<Reached['link']['connection'], 'remoteAddress'> };
}

/**
 * The answers without what the file says of a server to which the given login does not lead: with one server in the file
 * that would be the answer about any other one, too.
 */
export function answersForLogin(known: Known, answers: Answers): Answers {
  const { ssh, hostname } = answers;
  if (ssh === undefined || ssh.origin.from === 'file' || hostname?.origin.from !== 'file') return answers;
  if (leadsTo(known, ssh.value, hostname.value)) return answers;
  const { domain, dns } = answers;
  const others = Object.entries(answers).filter(([, { origin }]) => origin.from !== 'file');
  // A domain is no server's property, and neither is who has its DNS.
  return { ...(domain && { domain }), ...(dns && { dns }), ...Object.fromEntries(others) };
}

/** The host name under which the machine is known already, whatever the login is called. */
export function recogniseServer(known: Known, machine: Machine): string | undefined {
  const hosts = Object.keys(known.loaded?.config.servers ?? {});
  const { fqdn } = machine.facts.hostName;
  if (machine.facts.state.manifest !== 'absent' && hosts.includes(fqdn)) return fqdn;
  return hosts.find((host) => isAt(known, machine, host));
}

/**
 * A host name belongs to one machine: given to a fresh one it would take the address record, and with it the mail, from
 * the one that has it. Nor does a domain change servers because of a login. Throws E_OTHER_MACHINE (exit 2).
 */
export function refuseOtherMachine(known: Known, answers: Answers, machine: Machine): void {
  const { ssh, hostname, domain } = answers;
  if (ssh === undefined || ssh.origin.from === 'file' || hostname === undefined) return;
  const wasChosen = hostname.origin.from !== 'detected' && hostname.origin.from !== 'file';
  const isOther = (host: string): boolean =>
    isKnown(known, host, wasChosen) && !leadsTo(known, ssh.value, host) && !isAt(known, machine, host);
  const isFresh = machine.facts.state.manifest === 'absent';
  if (isFresh && isOther(hostname.value)) throw otherMachine(known, ssh.value, hostname.value, machine);
  const home = domain === undefined ? undefined : serverOf(known, domain.value);
  if (!wasChosen && home !== undefined && home !== hostname.value && isOther(home))
    throw otherMachine(known, ssh.value, home, machine, domain?.value);
}

/** The lock file knows what was set up; the file alone may hold a first try, which another name and login may follow. */
function isKnown({ loaded, lock }: Known, host: string, wasChosen: boolean): boolean {
  if (addressesOf({ lock }, host).length > 0) return true;
  return !wasChosen && loaded?.config.servers[host] !== undefined;
}

/** The server that the file gives a domain. */
function serverOf({ loaded }: Known, domain: string): string | undefined {
  const known = loaded?.config.domains[domain];
  if (known === undefined) return undefined;
  const hosts = Object.keys(loaded?.config.servers ?? {});
  return known.server ?? (hosts.length === 1 ? hosts[0] : undefined);
}

/** Whether a login is that of the server in the file: the same place, or its name or address. */
function leadsTo(known: Known, ssh: string, host: string): boolean {
  const given = parseTarget(ssh);
  const server = known.loaded?.config.servers[host];
  const own = server === undefined ? undefined : parseTarget(server.ssh);
  const isSame = own !== undefined && sameName(own.host, given.host) && own.port === given.port;
  return (
    isSame || [host, server?.ipv4, ...addressesOf(known, host)].some((name) => sameName(name, given.host))
  );
}

const sameName = (a: string | undefined, b: string): boolean => a?.toLowerCase() === b.toLowerCase();

/** Whether the machine has an address under which the host is known. */
function isAt(known: Known, { facts, link }: Machine, host: string): boolean {
  const { ipv4, ipv6, all } = facts.addresses;
  const { remoteAddress } = link.connection;
  const here = [...all, ipv4, ipv6, remoteAddress, publicIpv4(facts.addresses, remoteAddress)];
  const there = [known.loaded?.config.servers[host]?.ipv4, ...addressesOf(known, host)];
  return there.some((address) => address !== undefined && here.includes(address));
}

function addressesOf({ lock }: Pick<Known, 'lock'>, host: string): string[] {
  const { ipv4, ipv6 } = lock.servers[host] ?? {};
  return [ipv4, ipv6].filter((address) => address !== undefined);
}

function otherMachine(
  known: Known,
  ssh: string,
  host: string,
  { facts, link }: Machine,
  domain?: string,
): SetupError {
  const { configPath, loaded } = known;
  const server = loaded?.config.servers[host];
  const there = addressesOf(known, host);
  const here = publicIpv4(facts.addresses, link.connection.remoteAddress) ?? facts.addresses.ipv6;
  const free = domain === undefined ? 'another name' : `a name of its own, and ${domain} moves there`;
  return new SetupError({
    code: 'E_OTHER_MACHINE',
    exit: Exit.usage,
    what:
      domain === undefined
        ? `${host} is the name of another machine than ${sanitizeLine(ssh)}.`
        : `${domain} is on ${host}, which is another machine than ${sanitizeLine(ssh)}.`,
    evidence: [
      ...(server === undefined ? [] : [`${configPath}: ${host} is reached by ${sanitizeLine(server.ssh)}`]),
      ...(there.length === 0 ? [] : [`lock file: ${host} is at ${there.join(' and ')}`]),
      `reached now: ${here ?? link.connection.remoteAddress}${facts.state.manifest === 'absent' ? ', where smtp-setup has set up nothing' : ''}`,
    ],
    fix: [
      `For a second server give it ${free}: --hostname NAME`,
      `To move ${host} to this machine with its mail: smtp-setup backup there, then smtp-setup restore FILE --ssh ${sanitizeLine(ssh)}`,
      server === undefined
        ? `Or, when that machine is gone: take ${host} out of the lock file beside ${configPath}.`
        : `Or, when that machine is gone: change ssh (and hostKey) of ${host} in ${configPath}.`,
      'Nothing was changed.',
    ],
  });
}
