import { join } from 'node:path';
import { Exit, SetupError } from '../errors.js';

/** Everything of a running lab lives below this directory, one tmpfs a lab. */
export const LABS_DIR = '/run/smtp-setup-sandbox';

/** The hosts every lab has, and the last part of their addresses. */
export const HOSTS = {
  resolver: 1,
  client: 10,
  acme: 14,
  vps: 25,
  dns: 53,
  receiver: 80,
  api: 81,
  router: 254,
} as const;
export type HostName = keyof typeof HOSTS;

export interface HostAddress {
  ipv4: string;
  ipv6?: string;
}

export const IPV4_REVERSE_ZONE = '100.51.198.in-addr.arpa.';
export const IPV6_REVERSE_ZONE = '8.b.d.0.1.0.0.2.ip6.arpa.';

/** Addresses from the documentation ranges (RFC 5737 TEST-NET-2, RFC 3849): they exist inside the lab's namespaces only. */
export function addressOf(last: number, ipv6: boolean): HostAddress {
  return { ipv4: `198.51.100.${last}`, ...(ipv6 ? { ipv6: `2001:db8::${last}` } : {}) };
}

/** Owner name of the PTR record of an address, with the final dot (RFC 1035 section 3.5, RFC 3596 section 2.5). */
export function reverseName(ip: string): string {
  if (!ip.includes(':')) return `${ip.split('.').reverse().join('.')}.in-addr.arpa.`;
  const [head = '', tail = ''] = ip.toLowerCase().split('::');
  const words = (part: string) => (part === '' ? [] : part.split(':'));
  const missing = ip.includes('::') ? 8 - words(head).length - words(tail).length : 0;
  const all = [...words(head), ...Array<string>(missing).fill('0'), ...words(tail)];
  const nibbles = all.map((word) => word.padStart(4, '0')).join('');
  return `${[...nibbles].reverse().join('.')}.ip6.arpa.`;
}

/** Throws unless the name can be part of a namespace, a path and a machine name at once. */
export function requireLabName(name: string): void {
  if (/^[a-z0-9](?:[a-z0-9-]{0,18}[a-z0-9])?$/.test(name)) return;
  throw new SetupError({
    code: 'E_SANDBOX_NAME',
    exit: Exit.usage,
    what: 'A sandbox name has 1 to 20 characters: small letters, digits and inner hyphens.',
    evidence: [`got ${JSON.stringify(name.slice(0, 60))}`],
    fix: ['Choose a name such as "default" or "trial-2".'],
  });
}

export function labDir(name: string): string {
  return join(LABS_DIR, name);
}

export function namespaceOf(lab: string, host: string): string {
  return `smtplab-${lab}-${host}`;
}

export function namespacePath(lab: string, host: string): string {
  return `/run/netns/${namespaceOf(lab, host)}`;
}
