import { isIP } from 'node:net';
import type { ServerConfig } from '../config/schema.js';
import { isUnknown, type Resolver } from '../dns/resolver/index.js';
import { reverseNameOf } from '../dns/reverse-name.js';
import type { Facts } from '../facts/index.js';
import { recogniseHosting, unknownHosting } from '../hosting/providers.js';
import type { ManualStep } from '../plan/step.js';
import type { Resolvers } from './open-resolvers.js';

export interface PublicAddresses {
  ipv4?: string;
  /** Only when it works both ways: a reverse name that leads back, and port 25 not known to be blocked. */
  ipv6?: string;
  /** What only the user can do about reverse names. */
  manual: readonly ManualStep[];
}

/** The facts that say where a server is reached. */
export type AddressFacts = Pick<Facts, 'addresses' | 'outbound' | 'dmi'>;

/** The addresses that DNS will name, and what is left to do about their PTR records. */
export async function chooseAddresses(
  facts: AddressFacts,
  remoteAddress: string,
  hostname: string,
  server: ServerConfig,
  { recursive }: Resolvers,
): Promise<PublicAddresses> {
  const ipv4 = publicIpv4(facts, remoteAddress);
  const candidate = server.ipv6 === 'off' ? undefined : facts.addresses.ipv6;
  const [ptr4, ptr6] = await Promise.all([readPtr(recursive, ipv4), readPtr(recursive, candidate)]);
  const blocked6 = facts.outbound.some(({ family, result }) => family === 6 && result === 'timeout');
  const ipv6 = candidate !== undefined && ptr6 === hostname && !blocked6 ? candidate : undefined;
  const manual: ManualStep[] = [];
  if (ipv4 !== undefined && ptr4 !== hostname && ptr4 !== unknownPtr) {
    manual.push(ptrStep(facts, ipv4, ptr4, hostname));
  }
  return {
    ...(ipv4 === undefined ? {} : { ipv4 }),
    ...(ipv6 === undefined ? {} : { ipv6 }),
    manual,
  };
}

/** Behind address translation the server sees another address than the world does. */
function publicIpv4({ addresses }: AddressFacts, remoteAddress: string): string | undefined {
  const seen = [...addresses.all, addresses.ipv4, addresses.ipv6];
  return isIP(remoteAddress) === 4 && !seen.includes(remoteAddress) ? remoteAddress : addresses.ipv4;
}

/** No answer says nothing: it is no reason to tell somebody to set what may be set. */
const unknownPtr = Symbol('unknown');

async function readPtr(
  resolver: Resolver,
  address: string | undefined,
): Promise<string | undefined | typeof unknownPtr> {
  const name = address === undefined ? undefined : reverseNameOf(address);
  if (name === undefined) return undefined;
  const answer = await resolver.resolve(name, 'PTR');
  if (isUnknown(answer.status)) return unknownPtr;
  const names = answer.records.flatMap(({ data }) => (data.type === 'PTR' ? [data.target] : []));
  return names[0];
}

function ptrStep(
  facts: AddressFacts,
  address: string,
  found: string | undefined,
  hostname: string,
): ManualStep {
  const hosting = recogniseHosting(facts.dmi);
  return {
    id: `ptr:${address}`,
    title: `Set the reverse name (PTR) of ${address} to ${hostname}`,
    detail: [
      found === undefined ? 'It has none now.' : `It is ${found} now.`,
      (hosting ?? unknownHosting).ptr,
      'Gmail and others refuse mail from addresses whose reverse name does not lead back to them.',
    ],
  };
}
