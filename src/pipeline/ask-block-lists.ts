import { namesOnLists, suspectAddress, suspectDomain } from '../checks/block-lists.js';
import type { Finding } from '../checks/check.js';
import { checkBlockLists } from '../checks/preflight/block-lists.js';
import type { Config } from '../config/schema.js';
import { publicIpv4 } from '../facts/public-ipv4.js';
import { isPrivateNetwork } from './make-plan.js';
import type { Resolvers } from './open-resolvers.js';
import type { Reached } from './prepare.js';
import { createServerLookup } from './server-lookup.js';
import { domainsOf } from './survey.js';

/** Seconds that a list gets: nobody should wait long for what stops nothing. */
const patience = 8;

/**
 * What block lists say of a fresh server's addresses and of its domains, through the resolver that it has now; one round
 * trip. Of a server that is ours already nothing: `check` and `status` ask then.
 */
export async function askBlockLists(
  { facts, link }: Pick<Reached, 'facts' | 'link'>,
  config: Config,
  hostname: string,
  resolvers: Resolvers,
): Promise<Finding[]> {
  const server = config.servers[hostname];
  if (facts.state.manifest !== 'absent' || server === undefined) return [];
  const { connection } = link;
  const addresses = [
    server.ipv4 ?? publicIpv4(facts.addresses, connection.remoteAddress),
    facts.addresses.ipv6,
  ];
  const suspects = [
    ...addresses.flatMap((address) => (address === undefined ? [] : (suspectAddress(address) ?? []))),
    ...domainsOf(config, hostname).map(([name]) => suspectDomain(name)),
  ];
  const answers = await createServerLookup(connection, patience)(suspects.flatMap(namesOnLists));
  return checkBlockLists(suspects, answers, isPrivateNetwork(resolvers, server));
}
