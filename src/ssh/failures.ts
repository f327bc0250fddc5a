import { type ErrorDetails, Exit, messageOf, SetupError } from '../errors.js';

/** A failure to open the line: nothing has been touched yet, so it counts as wrong input (exit 2). */
export function refuseLogin(details: Omit<ErrorDetails, 'exit'>): SetupError {
  return new SetupError({ ...details, exit: Exit.usage });
}

export function cancelled(signal?: AbortSignal): SetupError {
  if (signal?.reason instanceof SetupError) return signal.reason;
  return new SetupError({ code: 'E_CANCELLED', exit: Exit.cancelled, what: 'Cancelled.' });
}

/** The line went away while commands were running or were about to. */
export function lostConnection(host: string, cause: unknown): SetupError {
  const reason = cause === undefined ? 'the server closed it' : messageOf(cause);
  return new SetupError({
    code: 'E_SSH_LOST',
    exit: Exit.failed,
    what: `The SSH connection to ${host} was lost.`,
    evidence: [reason === 'Keepalive timeout' ? 'no answer to three keepalives, 10 seconds apart' : reason],
    fix: [
      'Run the same command again: what was finished is recognised, what still runs on the server is found.',
    ],
    cause,
  });
}

/** Turns what happened at the TCP level into a sentence. `place` is host and port as the user knows them. */
export function describeSocketFailure(place: string, error: unknown): SetupError {
  const seen = flatten(error);
  const codes = seen.map((one) => one.code);
  const evidence = seen.map((one) => one.message);
  if (codes.some((code) => code === 'ENOTFOUND' || code === 'EAI_AGAIN' || code === 'ENODATA')) {
    return refuseLogin({
      code: 'E_SSH_DNS',
      what: `The host name of ${place} could not be resolved.`,
      evidence,
      fix: ['Check the spelling, or give the IP address.'],
      cause: error,
    });
  }
  if (codes.includes('ECONNREFUSED')) {
    return refuseLogin({
      code: 'E_SSH_REFUSED',
      what: `Nothing listens for SSH at ${place}.`,
      evidence,
      fix: ['Check the port (HOST:PORT), and that sshd is running (use the provider’s console).'],
      cause: error,
    });
  }
  if (codes.includes('ETIMEDOUT')) return timedOut(place, evidence, error);
  return refuseLogin({
    code: 'E_SSH_UNREACHABLE',
    what: `${place} cannot be reached.`,
    evidence,
    fix: ['Check the address and your own network; an IPv6-only server needs IPv6 on this side too.'],
    cause: error,
  });
}

export function timedOut(place: string, evidence: readonly string[], cause?: unknown): SetupError {
  return refuseLogin({
    code: 'E_SSH_TIMEOUT',
    what: `${place} did not answer in time.`,
    evidence,
    fix: ['Check the address and port, and that no firewall (the provider’s too) drops SSH from here.'],
    cause,
  });
}

export function expiredPassword(user: string, host: string, evidence: readonly string[] = []): SetupError {
  return refuseLogin({
    code: 'E_SSH_PASSWORD_EXPIRED',
    what: `The password of ${user} on ${host} has expired.`,
    evidence,
    fix: [`Log in once by hand to set a new one: ssh ${user}@${host}`],
  });
}

interface Failure {
  code: string;
  message: string;
}

function flatten(error: unknown): Failure[] {
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.flatMap(flatten);
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return [{ code, message: messageOf(error) }];
}

/** Codes after which a fresh attempt makes sense: the network or the server was away, nobody was refused. */
export const TRANSIENT_CODES: ReadonlySet<string> = new Set([
  'E_SSH_DNS',
  'E_SSH_REFUSED',
  'E_SSH_TIMEOUT',
  'E_SSH_UNREACHABLE',
  'E_SSH_LOST',
  'E_SSH_HANDSHAKE_CUT',
]);
