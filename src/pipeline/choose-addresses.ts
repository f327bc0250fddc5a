import type { ServerConfig } from '../config/schema.js';
import { isUnknown, type Resolver } from '../dns/resolver/index.js';
import { reverseNameOf } from '../dns/reverse-name.js';
import { Exit, SetupError } from '../errors.js';
import type { Facts } from '../facts/index.js';
import { publicIpv4 } from '../facts/public-ipv4.js';
import { specialAddressKind } from '../lib/ip.js';
import type { ManualStep } from '../plan/step.js';
import type { Resolvers } from './open-resolvers.js';
import type { ReverseChange, ReversePlanner, ReverseVerdict } from './plan-reverse.js';

export interface PublicAddresses {
  ipv4?: string;
  /**
   * Only when it works both ways: a reverse name that leads back (or will), and port 25 not known to be blocked. A server
   * without IPv4 has no other address: its own whatever is said of it.
   */
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
  const own6 = server.ipv6 === 'off' ? undefined : facts.addresses.ipv6;
  const isOnly6 = ipv4 === undefined && own6 !== undefined && mayBePublic(own6);
  const candidate = blocked6 && !isOnly6 ? undefined : own6;
  const judge = async (address: string | undefined): Promise<ReverseVerdict | 'leads back' | undefined> => {
    if (address === undefined) return undefined;
    const found = await readPtr(recursive, address);
    if (found === unknownPtr) return address === before?.ipv6 ? 'leads back' : undefined;
    // Several names are unusual, not wrong: receivers look for one that leads back (RFC 8601 section 2.7.3).
    return found.some((name) => name === hostname) ? 'leads back' : planner?.judge(address, found[0]);
  };
  const [verdict4, verdict6] = await Promise.all([judge(ipv4), judge(candidate)]);
  const good6 = verdict6 === 'leads back' || (typeof verdict6 === 'object' && verdict6.kind === 'right');
  // A name that is yet to be set is worth it only where mail is known to get out.
  const coming6 = typeof verdict6 === 'object' && verdict6.kind === 'set' && (open6 || isOnly6);
  const settled = [verdict4, ...(coming6 ? [verdict6] : [])].filter((one) => typeof one === 'object');
  const manual = settled.flatMap((verdict) => (verdict.kind === 'manual' ? [verdict.step] : []));
  if (typeof verdict6 === 'object' && verdict6.kind === 'manual' && candidate && mayBePublic(candidate))
    manual.push(isOnly6 ? verdict6.step : withoutHaste(verdict6.step));
  return {
    ...(ipv4 === undefined ? {} : { ipv4 }),
    ...(candidate !== undefined && (good6 || coming6 || isOnly6) ? { ipv6: candidate } : {}),
    reverse: settled.flatMap((verdict) => (verdict.kind === 'set' ? [verdict.change] : [])),
    manual,
  };
}

/** Documentation addresses are those of a rehearsal. */
function mayBePublic(address: string): boolean {
  const kind = specialAddressKind(address);
  return kind === undefined || kind === 'documentation';
}

/** Where IPv4 serves, too. */
function withoutHaste(step: ManualStep): ManualStep {
  return {
    ...step,
    detail: [
      ...step.detail,
      'Until then mail goes and comes over IPv4 alone; to leave it at that: ipv6: off for the server.',
    ],
  };
}

/** Nothing could be sent to the host name. Throws E_NO_ADDRESS (exit 5). */
export function refuseNoAddress(
  hostname: string,
  { ipv4, ipv6 }: Pick<PublicAddresses, 'ipv4' | 'ipv6'>,
  { addresses }: Pick<AddressFacts, 'addresses'>,
  server: ServerConfig,
): void {
  if (ipv4 !== undefined || ipv6 !== undefined) return;
  const seen = [...new Set([addresses.ipv6, ...addresses.all])].filter((one) => one !== undefined);
  throw new SetupError({
    code: 'E_NO_ADDRESS',
    exit: Exit.unsuitable,
    what: `No address is known under which the world reaches ${hostname}.`,
    evidence: [
      seen.length === 0 ? 'The server itself has none.' : `The server itself has ${seen.join(', ')}.`,
      ...(server.ipv6 === 'off' ? ['ipv6: off leaves out those of IPv6.'] : []),
    ],
    fix: [
      'Give the public one: init --ipv4 ADDRESS, or ipv4: for the server in the configuration.',
      'Nothing was changed.',
    ],
  });
}

/** No answer says nothing: it is no reason to tell somebody to set what may be set. */
const unknownPtr = Symbol('unknown');

async function readPtr(resolver: Resolver, address: string): Promise<string[] | typeof unknownPtr> {
  const name = reverseNameOf(address);
  if (name === undefined) return [];
  const answer = await resolver.resolve(name, 'PTR');
  if (isUnknown(answer.status)) return unknownPtr;
  return answer.records.flatMap(({ data }) => (data.type === 'PTR' ? [data.target] : []));
}
