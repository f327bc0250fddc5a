import { messageOf, type SetupError } from '../errors.js';
import { refuseLogin } from './failures.js';
import { readableLines } from './printable.js';

export function notSsh(place: string, said: string): SetupError {
  return refuseLogin({
    code: 'E_SSH_NOT_SSH',
    what: `What answers at ${place} does not speak SSH 2.`,
    evidence: readableLines(said, 2),
    fix: ['Check the port: HOST:PORT.'],
  });
}

/** Why no common ground was found before the login began. `remoteKex`: the key exchanges the server offered. */
export function handshakeFailure(place: string, error: Error, remoteKex: string): SetupError {
  const message = messageOf(error);
  if (/no matching key exchange/.test(message)) {
    return refuseLogin({
      code: 'E_SSH_ALGORITHMS',
      what: `${place} only offers key exchanges that this client lacks (post-quantum ones such as mlkem or sntrup).`,
      evidence: readableLines(`offered by the server: ${remoteKex || 'unknown'}`),
      fix: ['Allow curve25519-sha256 besides them: KexAlgorithms +curve25519-sha256 in sshd_config.'],
    });
  }
  if (/protocol version|identification/i.test(message)) return notSsh(place, message);
  if (/no matching/.test(message)) {
    return refuseLogin({
      code: 'E_SSH_ALGORITHMS',
      what: `${place} and this client have no common SSH algorithm.`,
      evidence: readableLines(message),
      fix: ['Allow the defaults of OpenSSH 8 or newer in sshd_config (HostKeyAlgorithms, Ciphers, MACs).'],
    });
  }
  return refuseLogin({
    code: 'E_SSH_HANDSHAKE_CUT',
    what: `${place} broke off the SSH handshake.`,
    evidence: readableLines(message),
    fix: [
      'The server may limit connections (MaxStartups, fail2ban, hosts.deny): wait a few minutes, then try again.',
    ],
    cause: error,
  });
}

/** The server hung up between the handshake and the end of the login. */
export function cutDuringLogin(
  place: string,
  tried: readonly string[],
  error: Error,
  banner: readonly string[],
): SetupError {
  const message = messageOf(error);
  if (/too many authentication failures/i.test(message)) {
    return refuseLogin({
      code: 'E_SSH_TOO_MANY_TRIES',
      what: `${place} broke off after too many login attempts.`,
      evidence: [...tried.map((one) => `tried: ${one}`), ...readableLines(message)],
      fix: ['Name the right key: --identity FILE (or IdentityFile and IdentitiesOnly in ~/.ssh/config).'],
    });
  }
  return refuseLogin({
    code: 'E_SSH_HANDSHAKE_CUT',
    what: `${place} broke off the login.`,
    // A server that is starting or going down says so here before it turns people away (pam_nologin).
    evidence: [...readableLines(message), ...banner.map((line) => `the server said: ${line}`)],
    fix: ['Look at the server’s log (journalctl -u ssh), or try again in a few minutes.'],
    cause: error,
  });
}
