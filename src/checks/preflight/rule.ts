import type { Facts } from '../../facts/index.js';
import type { Finding, Status } from '../check.js';

/** The facts that the preflight looks at. */
export type PreflightFacts = Pick<
  Facts,
  | 'os'
  | 'init'
  | 'machine'
  | 'disk'
  | 'clock'
  | 'dpkg'
  | 'firstBoot'
  | 'packages'
  | 'candidates'
  | 'files'
  | 'otherMail'
  | 'listeners'
  | 'addresses'
  | 'hostName'
  | 'dmi'
  | 'resolvConf'
  | 'state'
  | 'outbound'
  | 'firewall'
>;

export interface PreflightContext {
  /** The host name that the server will have. */
  hostname: string;
  /** TCP ports the components will listen on towards the world. */
  ports: readonly number[];
  /** Packages that will be installed. */
  packages: readonly string[];
  /** This machine's clock when the facts came in, in seconds since 1970. */
  now: number;
  /** The server's address as this machine reaches it; undefined through a jump host. */
  remoteAddress?: string;
  /** All mail goes out through a hosted relay: nobody needs port 25. */
  relay?: boolean;
  /** No mail comes in, and none is stored: that takes half the memory. */
  sendsOnly?: boolean;
  /** Config: `off` never uses IPv6. */
  ipv6: 'auto' | 'off';
}

/** One finding, with the optional parts left out when they are undefined. */
export function finding(
  id: string,
  status: Status,
  title: string,
  subject: string,
  message: string,
  more: { expected?: string | undefined; observed?: string | undefined; fix?: string | undefined } = {},
): Finding {
  return {
    id,
    status,
    title,
    subject,
    message,
    ...(more.expected === undefined ? {} : { expected: more.expected }),
    ...(more.observed === undefined ? {} : { observed: more.observed }),
    ...(more.fix === undefined ? {} : { fix: { text: more.fix } }),
  };
}
