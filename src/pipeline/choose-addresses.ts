import type { ServerConfig } from '../config/schema.js';
import { isUnknown, type Resolver } from '../dns/resolver/index.js';
import { reverseNameOf } from '../dns/reverse-name.js';
import type { Facts } from '../facts/index.js';
import { publicIpv4 } from '../facts/public-ipv4.js';
import type { ManualStep } from '../plan/step.js';
import type { Resolvers } from './open-resolvers.js';
import type { ReverseChange, ReversePlanner, ReverseVerdict } from './plan-reverse.js';

export interface PublicAddresses {
  ipv4?: string;
  /** Only when it works both ways: a reverse name that leads back (or will), and port 25 not known to be blocked. */
  ipv6?: string;
  /** Reverse names that the hosting provider's API will set. */
  reverse: readonly ReverseChange[];
  /** What only the user can do about reverse names. */
  manual: readonly ManualStep[];
}

/** The facts that say where a server is reached. */
export type AddressFacts = Pick<Facts, 'addresses' | 'outbound' | 'dmi'>;

/** The addresses that DNS will name, and what is to be done about their PTR records. */
export async function chooseAddresses(
  facts: AddressFacts,
  remoteAddress: string,
  hostname: string,
  server: ServerConfig,
  { recursive }: Resolvers,
  more: {
    /** Left out: where the names of a server are nobody's business here. */
    planner?: ReversePlanner;
    /** What the last apply settled on: it stands until something speaks against it. */
    before?: { ipv6?: string };
  } = {},
): Promise<PublicAddresses> {
  const { planner, before } = more;
  const tries6 = facts.outbound.filter(({ family }) => family === 6);
  const open6 = tries6.some(({ result }) => result === 'open');
  // One mail server that does not answer is no blocked port.
  const blocked6 = !open6 && tries6.some(({ result }) => result === 'timeout');
  const ipv4 = server.ipv4 ?? publicIpv4(facts.addresses, remoteAddress);
  const candidate = server.ipv6 === 'off' || blocked6 ? undefined : facts.addresses.ipv6;
  const judge = async (address: string | undefined): Promise<ReverseVerdict | 'leads back' | undefined> => {
    if (address === undefined) return undefined;
    const found = await readPtr(recursive, address);
    if (found === hostname) return 'leads back';
    if (found === unknownPtr && address === before?.ipv6) return 'leads back';
    return found === unknownPtr ? undefined : planner?.judge(address, found);
  };
  const [verdict4, verdict6] = await Promise.all([judge(ipv4), judge(candidate)]);
  const good6 = verdict6 === 'leads back' || (typeof verdict6 === 'object' && verdict6.kind === 'right');
  // A name that is yet to be set is worth it only where mail is known to get out.
  const coming6 = typeof verdict6 === 'object' && verdict6.kind === 'set' && open6;
  const settled = [verdict4, ...(coming6 ? [verdict6] : [])].filter((one) => typeof one === 'object');
  return {
    ...(ipv4 === undefined ? {} : { ipv4 }),
    ...(candidate !== undefined && (good6 || coming6) ? { ipv6: candidate } : {}),
    reverse: settled.flatMap((verdict) => (verdict.kind === 'set' ? [verdict.change] : [])),
    manual: settled.flatMap((verdict) => (verdict.kind === 'manual' ? [verdict.step] : [])),
  };
}

/** No answer says nothing: it is no reason to tell somebody to set what may be set. */
const unknownPtr = Symbol('unknown');

async function readPtr(resolver: Resolver, address: string): Promise<string | undefined | typeof unknownPtr> {
  const name = reverseNameOf(address);
  if (name === undefined) return undefined;
  const answer = await resolver.resolve(name, 'PTR');
  if (isUnknown(answer.status)) return unknownPtr;
  const names = answer.records.flatMap(({ data }) => (data.type === 'PTR' ? [data.target] : []));
  return names[0];
}
