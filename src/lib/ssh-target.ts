import { isIPv6 } from 'node:net';
import { Exit, SetupError } from '../errors.js';

/** What the user wrote; ssh_config fills in the rest. */
export interface TargetParts {
  user?: string;
  /** Name, Host alias or IP literal, without brackets. */
  host: string;
  port?: number;
}

// No leading "-" (it would be an option to a system ssh) and nothing that a shell or terminal could act on.
const USER = /^[A-Za-z0-9_][A-Za-z0-9_.+-]{0,63}\$?$/;
const HOST = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}$/;
const ZONE = /^[A-Za-z0-9_.-]{1,32}$/;

/**
 * Reads `[USER@]HOST[:PORT]`, `root@[2001:db8::1]:22`, a bare IPv6 address, a Host alias, or the ssh:// form of these.
 * Throws SetupError E_SSH_TARGET (exit 2).
 */
export function parseTarget(text: string): TargetParts {
  const rest = text.startsWith('ssh://') ? text.slice(6).replace(/\/$/, '') : text;
  const at = rest.lastIndexOf('@');
  const user = at >= 0 ? rest.slice(0, at) : undefined;
  if (user !== undefined && !USER.test(user))
    throw refuse(text, 'the user name has characters that are not allowed');
  const { host, port } = splitPort(text, rest.slice(at + 1));
  checkHost(text, host);
  return { ...(user === undefined ? {} : { user }), host, ...(port === undefined ? {} : { port }) };
}

function splitPort(text: string, place: string): { host: string; port?: number } {
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/s.exec(place);
  if (bracketed) {
    if (!isIPv6(bracketed[1] ?? '')) throw refuse(text, 'only an IPv6 address may stand in brackets');
    return { host: bracketed[1] ?? '', ...readPort(text, bracketed[2]) };
  }
  if (isIPv6(place)) return { host: place };
  const colon = place.indexOf(':');
  if (colon < 0) return { host: place };
  if (colon !== place.lastIndexOf(':'))
    throw refuse(text, 'an IPv6 address goes in brackets: [2001:db8::1]:22');
  return { host: place.slice(0, colon), ...readPort(text, place.slice(colon + 1)) };
}

function readPort(text: string, digits: string | undefined): { port?: number } {
  if (digits === undefined) return {};
  const port = /^[0-9]{1,5}$/.test(digits) ? Number(digits) : 0;
  if (port < 1 || port > 65535) throw refuse(text, 'the port must be a number from 1 to 65535');
  return { port };
}

function checkHost(text: string, host: string): void {
  if (isIPv6(host)) {
    const zone = host.split('%')[1];
    if (zone !== undefined && !ZONE.test(zone))
      throw refuse(text, 'the IPv6 zone has characters that are not allowed');
    return;
  }
  if (host === '') throw refuse(text, 'the host is missing');
  if (host.startsWith('-')) throw refuse(text, 'a host cannot begin with "-"');
  if (/[^\x20-\x7e]/.test(host)) {
    throw refuse(
      text,
      'the host has characters outside ASCII (write the xn-- form of an international name)',
    );
  }
  if (!HOST.test(host)) throw refuse(text, 'the host has characters that are not allowed');
}

function refuse(text: string, reason: string): SetupError {
  return new SetupError({
    code: 'E_SSH_TARGET',
    exit: Exit.usage,
    what: `The SSH target ${JSON.stringify(text.slice(0, 120)).replace(/[^\x20-\x7e]/g, '?')} is not usable: ${reason}.`,
    fix: [
      'Write [USER@]HOST[:PORT], such as root@203.0.113.7 or root@[2001:db8::1]:22, or a Host alias of ~/.ssh/config.',
    ],
  });
}
