import type { Resolver } from '../../dns/resolver/types.js';
import { ConversationError, type Endpoint } from '../../mail/line-client.js';
import { SmtpClient } from '../../mail/smtp-client.js';
import type { Finding, Severity, Status } from '../check.js';
import type { PinnedFetch } from '../pinned-fetch.js';
import type { OutboundFacts } from '../preflight/network.js';

/** How a port talks: in the clear, TLS after STARTTLS, or TLS from the first byte. */
export type PortMode = 'plain' | 'starttls' | 'tls';

export interface ServedPort {
  port: number;
  mode: PortMode;
}

/** What the server's own resolver says of a name: its IPv4 addresses, none, or that it could not find out. */
export type NameAnswer = { status: 'found'; addresses: readonly string[] } | { status: 'absent' | 'unknown' };

/** Asks through the server's own resolver, all names at once. */
export type ServerLookup = (names: readonly string[]) => Promise<ReadonlyMap<string, NameAnswer>>;

/** A login for this check alone, made on the server. */
export interface ProbeLogin {
  /** Its address, and the only one it may send as. */
  user: string;
  password: string;
}

/** What the checks of a server know: plain data, found out before by DNS, the lock file or the user. */
export interface ServerTarget {
  hostname: string;
  /** IP literals to ask; every check asks each. */
  addresses: readonly string[];
  /** Domains whose mail the server takes. */
  domains: readonly string[];
  /** Those of them whose owner wants mail to every name; known only from the server itself. */
  catchAll?: readonly string[];
  /** Ports that the server is meant to serve. */
  ports: readonly ServedPort[];
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
  /** For the checks that need one. */
  login?: ProbeLogin;
  /** For the checks that ask DNS about the server. */
  resolver?: Resolver;
  /** For the checks of what is served over HTTPS. */
  fetch?: PinnedFetch;
  /** For the checks that need an answer as the server gets it. */
  askFromServer?: ServerLookup;
  /** For the check that tries the way out, from the server. */
  readOutbound?: () => Promise<OutboundFacts>;
  /** All of its mail takes a hosted relay. */
  relayed?: boolean;
}

export type ServerNeed = 'login' | 'resolver' | 'fetch' | 'askFromServer' | 'readOutbound';

/** One check of the running server, asked from outside. */
export interface ServerCheck {
  id: string;
  title: string;
  /** Runs only when the target has these. */
  needs: readonly ServerNeed[];
  ref: string;
  /** The worst it can say; `fail` when left out. */
  severity?: Severity;
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
  const observed = error.message;
  switch (error.reason) {
    case 'timeout':
    case 'unreachable':
      return {
        status: 'unknown',
        subject,
        message: 'The port could not be reached from here.',
        observed,
        fix: "Look at the provider's firewall and at this network: many block port 25. Ask again from another network.",
      };
    case 'silent':
      return {
        status: 'unknown',
        subject,
        message: 'The port takes the connection and then says nothing.',
        observed,
        fix: 'Look at the service: smtp-setup status, or journalctl on the server. Then ask again.',
      };
    case 'later':
      return {
        status: 'unknown',
        subject,
        message: 'The server asked to come back later.',
        observed,
        fix: 'Ask again in some minutes. If it stays so: smtp-setup status, or journalctl on the server.',
      };
    default:
      return {
        status: 'fail',
        subject,
        message: 'The conversation with the server broke off.',
        observed,
        fix: 'Look at the service: smtp-setup status, or journalctl on the server.',
      };
  }
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

export function subjectOf(address: string, port: number): string {
  return `${address} port ${port}`;
}

export function serves(target: ServerTarget, port: number): boolean {
  return target.ports.some((served) => served.port === port);
}

/** Connects and reads the greeting. Throws ConversationError, `later` for a 4xx greeting. */
export async function connectSmtp(
  target: ServerTarget,
  address: string,
  port: number,
  change: Pick<Endpoint, 'tls'> = {},
): Promise<SmtpClient> {
  const client = await SmtpClient.connect(
    { ...endpoint(target, address, port), ...change },
    { tls: port === 465 },
  );
  const { code, lines } = client.greeting;
  if (code === 220) return client;
  client.close();
  const later = code >= 400 && code < 500;
  throw new ConversationError(later ? 'later' : 'protocol', `greeted with ${code} ${lines[0] ?? ''}`.trim());
}

/** A conversation on a submission port that is encrypted and past EHLO. Throws ConversationError. */
export async function openSubmission(
  target: ServerTarget,
  address: string,
  port: number,
): Promise<SmtpClient> {
  const client = await connectSmtp(target, address, port);
  await client.ehlo(target.ehloName);
  if (port !== 465) {
    const reply = await client.startTls();
    if (reply.code !== 220) {
      client.close();
      throw new ConversationError('protocol', `STARTTLS answered ${reply.code}`);
    }
    await client.ehlo(target.ehloName);
  }
  return client;
}

/** Ports where logins send mail, as far as the server serves them. */
export function submissionPorts(target: ServerTarget): number[] {
  return [465, 587].filter((port) => serves(target, port));
}

export function toFinding(check: ServerCheck, outcome: Outcome): Finding {
  const { fix, ...rest } = outcome;
  return {
    id: check.id,
    group: 'Server',
    severity: check.severity ?? 'fail',
    title: check.title,
    ref: check.ref,
    ...rest,
    ...(fix ? { fix: { text: fix } } : {}),
  };
}
