import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';

/** A value in canonical form, or what is wrong with it in words that follow the value in a sentence. */
export type Parsed = { ok: true; value: string } | { ok: false; problem: string };

const ok = (value: string): Parsed => ({ ok: true, value });
const bad = (problem: string): Parsed => ({ ok: false, problem });

/** Longest host name that fits every place we write it: 253 octets by RFC 1035, less the room MTA-STS and DKIM names need. */
const maxDomain = 200;

/** A domain to canonical form: lower-case, punycode, no final dot; at least two labels (RFC 1123 section 2.1). */
export function parseDomain(input: string): Parsed {
  const text = input.trim().replace(/\.$/, '');
  if (text === '') return bad('is empty');
  if (text.includes('@')) return bad('is an address; give the part after the @');
  if (/^[a-z]+:\/\//i.test(text)) return bad('is a URL; give only the domain');
  if (isIP(text) !== 0) return bad('is an IP address; mail needs a domain');
  // Before domainToASCII, which would silently read percent signs, wide dots and numbers its own way.
  if (/[\p{Cc}\p{Cf}\s]/u.test(text)) return bad('contains a space or an invisible character');
  const odd = text.match(/[^\p{L}\p{M}\p{N}.-]/u);
  if (odd !== null)
    return bad(`contains "${odd[0]}"; only letters, digits, dashes and dots can stand in a domain`);
  const labels = text.split('.');
  if (labels.some((label) => label === '')) return bad('has an empty part between two dots');
  if (labels.length < 2) return bad('has no dot; give the whole domain, such as example.org');
  const ascii = domainToASCII(text);
  if (ascii === '') return bad('is not a valid internationalised domain name');
  if (ascii.length > maxDomain) return bad(`has ${ascii.length} characters; ${maxDomain} is the most`);
  for (const label of ascii.split('.')) {
    if (label.length > 63) return bad(`has a part of ${label.length} characters; 63 is the most`);
    if (!/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(label))
      return bad('has a part that begins or ends with a dash');
  }
  if (/\.[0-9]+$/.test(ascii)) return bad('ends in a number, which is not a top-level domain');
  return ok(ascii);
}

/** A host name: a domain of at least three labels, since the mail host should not be the domain itself. */
export function parseHostname(input: string): Parsed {
  const domain = parseDomain(input);
  if (!domain.ok) return domain;
  if (domain.value.split('.').length < 3) {
    return bad(`is a bare domain; name a host in it, such as mail.${domain.value}`);
  }
  return domain;
}

/** A mailbox address to canonical form. Only what every mail system takes without quoting (RFC 5321 dot-string, lower-case). */
export function parseMailbox(input: string): Parsed {
  const text = input.trim();
  const at = text.lastIndexOf('@');
  if (at < 1) return bad('is not an address; give the whole address, such as ada@example.org');
  const local = text.slice(0, at).toLowerCase();
  if (local.length > 64) return bad(`has ${local.length} characters before the @; 64 is the most`);
  if (!/^[a-z0-9]+([._-][a-z0-9]+)*$/.test(local)) {
    return bad(
      'has a part before the @ that is not letters and digits joined by single dots, dashes or underscores',
    );
  }
  const domain = parseDomain(text.slice(at + 1));
  return domain.ok ? ok(`${local}@${domain.value}`) : bad(`has a domain that ${domain.problem}`);
}

/** `[USER@]HOST[:PORT]`, `[USER@][IPV6]:PORT` or an ssh_config alias; only its shape. */
export function parseSsh(input: string): Parsed {
  const text = input.trim();
  if (text === '') return bad('is empty');
  if (/[^\x21-\x7e]/.test(text)) return bad('contains a space or a character outside ASCII');
  if (text.startsWith('-')) return bad('begins with a dash');
  const host = text.slice(text.lastIndexOf('@') + 1);
  if (!/^(\[[0-9a-f:.%]+\]|[A-Za-z0-9_.-]+)(:[0-9]{1,5})?$/i.test(host) && isIP(host) !== 6) {
    return bad('is not [USER@]HOST[:PORT]; an IPv6 address with a port is written [2001:db8::1]:22');
  }
  return ok(text);
}

/** `SHA256:` and 43 base64 characters, as `ssh-keygen -lf` prints it. */
export function parseFingerprint(input: string): Parsed {
  const text = input.trim().replace(/=+$/, '');
  if (/^SHA256:[A-Za-z0-9+/]{43}$/.test(text)) return ok(text);
  return bad('is not a fingerprint like SHA256:… (43 characters), as `ssh-keygen -lf KEY.pub` prints it');
}

/** An ACME directory: https, no credentials in it. */
export function parseAcmeUrl(input: string): Parsed {
  const text = input.trim();
  if (!URL.canParse(text)) return bad('is not a URL');
  const url = new URL(text);
  if (url.protocol !== 'https:') return bad('does not begin with https://');
  if (url.username !== '' || url.password !== '') return bad('carries a user name or password');
  return ok(url.href);
}

/** An IP address, for IPv6 also in brackets. */
export function parseAddress(input: string): Parsed {
  const text = input.trim().replace(/^\[(.*)\]$/, '$1');
  return isIP(text) === 0 ? bad('is not an IP address') : ok(text.toLowerCase());
}

/** `IP[:PORT]`, `[IPV6]:PORT`; canonical form always carries the brackets when a port follows an IPv6 address. */
export function parseAddressPort(input: string): Parsed {
  const text = input.trim();
  if (isIP(text) !== 0) return ok(text.toLowerCase());
  const match = text.match(/^(?:\[([^\]]+)\]|([^:[\]]+))(?::([0-9]{1,5}))?$/);
  const address = match?.[1] ?? match?.[2] ?? '';
  if (match === null || isIP(address) === 0) return bad('is not IP or IP:PORT (IPv6: [2001:db8::1]:53)');
  if (match[3] === undefined) return ok(address.toLowerCase());
  const port = Number(match[3]);
  if (port < 1 || port > 65535) return bad(`has the port ${port}; ports go from 1 to 65535`);
  return ok(isIP(address) === 6 ? `[${address.toLowerCase()}]:${port}` : `${address}:${port}`);
}

/** A path on this machine; whether it is there is found out by whoever reads it. */
export function parsePath(input: string): Parsed {
  if (input === '') return bad('is empty');
  return input.includes('\0') ? bad('contains a NUL character') : ok(input);
}

/** An identifier such as a DNS provider's: `cloudflare`. */
export function parseId(input: string): Parsed {
  const text = input.trim().toLowerCase();
  return /^[a-z][a-z0-9-]{0,40}$/.test(text)
    ? ok(text)
    : bad('is not a name of lower-case letters, digits and dashes');
}
