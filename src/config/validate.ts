import { isIP } from 'node:net';
import { SetupError } from '../errors.js';
import { parseTarget } from '../lib/ssh-target.js';

/** A value in canonical form, or one sentence about what is wrong with it and perhaps one about what to give. */
export type Parsed = { ok: true; value: string } | { ok: false; problem: string; hint?: string };

const ok = (value: string): Parsed => ({ ok: true, value });
const bad = (problem: string, hint?: string): Parsed => ({
  ok: false,
  problem,
  ...(hint === undefined ? {} : { hint }),
});

/** Wraps a parser of `lib/names.ts`, which throws, for questions, which say what is wrong and ask again. */
export function attempt(parse: (input: string) => string): (input: string) => Parsed {
  return (input) => {
    try {
      return ok(parse(input));
    } catch (error) {
      if (error instanceof SetupError) return bad(error.message, error.fix[0]);
      throw error;
    }
  };
}

/** `[USER@]HOST[:PORT]`, `[USER@][IPV6]:PORT` or an ssh_config alias; only its shape. */
export function parseSsh(input: string): Parsed {
  const text = input.trim();
  if (text === '') return bad('Nothing was given.');
  return attempt((target) => {
    parseTarget(target);
    return target;
  })(text);
}

/** `SHA256:` and 43 base64 characters, as `ssh-keygen -lf` prints it. */
export function parseFingerprint(input: string): Parsed {
  const text = input.trim().replace(/=+$/, '');
  if (/^SHA256:[A-Za-z0-9+/]{43}$/.test(text)) return ok(text);
  return bad(
    'That is no fingerprint.',
    'It reads SHA256: and 43 characters, as `ssh-keygen -lf KEY.pub` prints it.',
  );
}

/** An ACME directory: https, no credentials in it. */
export function parseAcmeUrl(input: string): Parsed {
  const text = input.trim();
  if (!URL.canParse(text)) return bad('That is no URL.');
  const url = new URL(text);
  if (url.protocol !== 'https:') return bad('It does not begin with https://.');
  if (url.username !== '' || url.password !== '') return bad('It carries a user name or password.');
  return ok(url.href);
}

/** An IP address, for IPv6 also in brackets. */
export function parseAddress(input: string): Parsed {
  const text = input.trim().replace(/^\[(.*)\]$/, '$1');
  return isIP(text) === 0 ? bad('That is no IP address.') : ok(text.toLowerCase());
}

/** An IPv4 address of the public Internet, or of a rehearsal; which of the two is seen when it is planned with. */
export function parseIpv4Address(input: string): Parsed {
  const text = input.trim();
  return isIP(text) === 4 ? ok(text) : bad('That is no IPv4 address.');
}

/** `IP[:PORT]`, `[IPV6]:PORT`; canonical form always carries the brackets when a port follows an IPv6 address. */
export function parseAddressPort(input: string): Parsed {
  const text = input.trim();
  if (isIP(text) !== 0) return ok(text.toLowerCase());
  const match = text.match(/^(?:\[([^\]]+)\]|([^:[\]]+))(?::([0-9]{1,5}))?$/);
  const address = match?.[1] ?? match?.[2] ?? '';
  if (match === null || isIP(address) === 0)
    return bad('That is no IP address with or without a port.', 'IPv6 with a port: [2001:db8::1]:53.');
  if (match[3] === undefined) return ok(address.toLowerCase());
  const port = Number(match[3]);
  if (port < 1 || port > 65535) return bad('Ports go from 1 to 65535.');
  return ok(isIP(address) === 6 ? `[${address.toLowerCase()}]:${port}` : `${address}:${port}`);
}

/** A path on this machine; whether it is there is found out by whoever reads it. */
export function parsePath(input: string): Parsed {
  if (input === '') return bad('Nothing was given.');
  return input.includes('\0') ? bad('It holds a NUL character.') : ok(input);
}

/** An identifier such as a DNS provider's: `cloudflare`. */
export function parseId(input: string): Parsed {
  const text = input.trim().toLowerCase();
  return /^[a-z][a-z0-9-]{0,40}$/.test(text)
    ? ok(text)
    : bad('That is no name of letters, digits and dashes.');
}

/** What `init` can make a server for. */
export function parseProfile(input: string): Parsed {
  const text = input.trim().toLowerCase();
  if (text === 'mailboxes' || text === 'send-only') return ok(text);
  return text === 'backup-mx'
    ? bad(
        'A backup needs the server that it stands in for.',
        'Write it into smtp-setup.yaml beside that one.',
      )
    : bad('That is no profile.', 'There are mailboxes and send-only.');
}

/** A user name as Postfix can carry it: it divides user and password at the first colon. */
export function parseRelayUser(input: string): Parsed {
  const text = input.trim();
  if (text === '') return bad('Nothing was given.');
  if (text.length > 250 || /[^\x21-\x7e]/.test(text))
    return bad('It holds a space or a character outside ASCII.');
  if (text.includes(':')) return bad('It holds a colon, which Postfix cannot carry in a user name.');
  return ok(text);
}
