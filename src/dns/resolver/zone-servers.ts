import { isWithin } from '../canonical.js';
import type { WireReply } from './decode.js';
import type { Answer, NameServer, ResolvedRecord, Resolver, ZoneServers } from './types.js';
import { isUnknown } from './types.js';

/** RFC 2181 has no limit; a hostile zone with a thousand name servers shall not make us ask them all. */
const mostHosts = 13;
const mostAddressesEach = 4;

export interface ZoneLookup {
  recursive: Resolver;
  port: number;
  allowAddress(address: string): string | undefined;
}

/** The zone that holds `name`, by the SOA that comes with every answer about it. Asks only the recursive resolver. */
export async function findZoneApex(
  recursive: Resolver,
  name: string,
): Promise<{ zone: string } | { error: string }> {
  const answer = await askEvenIfBogus(recursive, name, 'SOA');
  if (isUnknown(answer.status)) return { error: answer.detail ?? answer.status };
  // Behind a CNAME the SOA belongs to the target's zone; the alias itself is in a zone above.
  const onChain = answer.chain.length > 0;
  if (!onChain && answer.soa && isWithin(name, answer.soa.zone)) return { zone: answer.soa.zone };
  const dot = name.indexOf('.');
  if (name === '') return { error: 'the root zone gives no SOA' };
  return findZoneApex(recursive, dot < 0 ? '' : name.slice(dot + 1));
}

/** A bogus zone must still be looked at, so SERVFAIL is asked once more with CD. */
export async function askEvenIfBogus(recursive: Resolver, name: string, type: 'SOA' | 'NS' | 'A' | 'AAAA') {
  const answer = await recursive.resolve(name, type);
  return answer.status === 'servfail' ? recursive.resolve(name, type, { checkingDisabled: true }) : answer;
}

/** Servers of a zone from its NS set, with addresses from the recursive resolver. */
export async function findServers(
  lookup: ZoneLookup,
  zone: string,
): Promise<ZoneServers | { error: string }> {
  const answer: Answer = await askEvenIfBogus(lookup.recursive, zone, 'NS');
  if (answer.status !== 'ok')
    return { error: `no NS records for ${zone}: ${answer.detail ?? answer.status}` };
  const hosts = answer.records.flatMap(({ data }) => (data.type === 'NS' ? [data.target] : []));
  return serversOf(lookup, zone, hosts, []);
}

/** A referral: the child zone below `zone` that a server points to instead of answering. */
export function readReferral(
  reply: WireReply,
  zone: string,
  name: string,
): { zone: string; hosts: string[] } | undefined {
  if (reply.rcode !== 0 || reply.authoritative || reply.answers.length > 0) return undefined;
  const owners = reply.authority.filter(
    ({ data, name: owner }) =>
      data.type === 'NS' && owner !== zone && isWithin(owner, zone) && isWithin(name, owner),
  );
  const child = owners[0]?.name;
  if (child === undefined) return undefined;
  const hosts = owners.flatMap(({ name: owner, data }) =>
    owner === child && data.type === 'NS' ? [data.target] : [],
  );
  return { zone: child, hosts };
}

/** Addresses for the hosts: glue where it is given, else asked for. Addresses that must not be connected to are left out. */
export async function serversOf(
  lookup: ZoneLookup,
  zone: string,
  hosts: readonly string[],
  glue: readonly ResolvedRecord[],
): Promise<ZoneServers> {
  const names = [...new Set(hosts)].sort().slice(0, mostHosts);
  const found = await Promise.all(names.map(async (host) => findAddresses(lookup, host, glue)));
  const servers: NameServer[] = [];
  const unusable: { host: string; reason: string }[] = [];
  for (const { host, addresses, reason } of found) {
    const usable = addresses.filter((address) => {
      const refusal = lookup.allowAddress(address);
      if (refusal !== undefined) unusable.push({ host, reason: `${address} is not asked: ${refusal}` });
      return refusal === undefined;
    });
    servers.push(
      ...usable.slice(0, mostAddressesEach).map((address) => ({ host, address, port: lookup.port })),
    );
    if (addresses.length === 0) unusable.push({ host, reason: reason ?? 'has no address' });
  }
  return { zone, servers, unusable };
}

async function findAddresses(
  lookup: ZoneLookup,
  host: string,
  glue: readonly ResolvedRecord[],
): Promise<{ host: string; addresses: string[]; reason?: string }> {
  const glued = addressesOf(glue.filter((record) => record.name === host));
  if (glued.length > 0) return { host, addresses: glued };
  const [v4, v6] = await Promise.all([
    askEvenIfBogus(lookup.recursive, host, 'A'),
    askEvenIfBogus(lookup.recursive, host, 'AAAA'),
  ]);
  const addresses = addressesOf([...v4.records, ...v6.records]);
  if (addresses.length > 0) return { host, addresses };
  const trouble = [v4, v6].find((answer) => isUnknown(answer.status));
  return {
    host,
    addresses,
    reason: trouble ? `its address lookup failed: ${trouble.detail ?? trouble.status}` : 'has no address',
  };
}

function addressesOf(records: readonly ResolvedRecord[]): string[] {
  return records.flatMap(({ data }) => (data.type === 'A' || data.type === 'AAAA' ? [data.address] : []));
}
