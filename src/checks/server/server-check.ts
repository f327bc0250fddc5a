import { ConversationError, type Endpoint } from '../../mail/line-client.js';
import type { Finding, Status } from '../check.js';

/** What the checks of a server know: plain data, found out before by DNS, the lock file or the user. */
export interface ServerTarget {
  hostname: string;
  /** IP literals to ask; every check asks each. */
  addresses: readonly string[];
  /** Domains whose mail the server takes. */
  domains: readonly string[];
  /** PEM of further trusted roots. */
  ca?: string;
  /** The user named another authority than Let's Encrypt: its root need not be known here (amendment A6). */
  privateCa: boolean;
  /** Name for EHLO: this machine's, never the server's. */
  ehloName: string;
  /** Milliseconds for a connection and for each reply. */
  timeout: number;
  /** Now, in milliseconds since the epoch. */
  now: number;
  /** A mailbox to log in with, for the checks that need one. */
  login?: { user: string; password: string };
}

/** One check of the running server, asked from outside. */
export interface ServerCheck {
  id: string;
  title: string;
  /** `login`: runs only when the target has one. */
  needs: 'nothing' | 'login';
  ref: string;
  run(target: ServerTarget, address: string): Promise<Outcome[]>;
}

export interface Outcome {
  status: Status;
  subject: string;
  message: string;
  expected?: string;
  observed?: string;
  fix?: string;
}

/** A check that cannot reach its port is a fail when the port refuses, and unknown when the network is silent. */
export function judgeConversation(error: unknown, subject: string): Outcome {
  if (!(error instanceof ConversationError)) throw error;
  const silent = error.reason === 'timeout' || error.reason === 'unreachable';
  return {
    status: silent ? 'unknown' : 'fail',
    subject,
    message: silent
      ? 'The port could not be reached from here.'
      : 'The conversation with the server broke off.',
    observed: error.message,
    fix: silent
      ? "Look at the provider's firewall and at this network: many block port 25. Ask again from another network."
      : 'Look at the service: smtp-setup status, or journalctl on the server.',
  };
}

export function endpoint(target: ServerTarget, address: string, port: number): Endpoint {
  return {
    address,
    port,
    servername: target.hostname,
    timeout: target.timeout,
    ...(target.ca === undefined ? {} : { ca: target.ca }),
  };
}

export function toFinding(check: ServerCheck, outcome: Outcome): Finding {
  const { fix, ...rest } = outcome;
  return {
    id: check.id,
    title: check.title,
    ref: check.ref,
    ...rest,
    ...(fix ? { fix: { text: fix } } : {}),
  };
}
