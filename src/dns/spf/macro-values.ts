import { isWithin } from '../canonical.js';
import { nibblesOf } from '../reverse-name.js';
import { type ClientIp, formatClientIp } from './client-ip.js';
import type { MacroValues } from './macro.js';

export interface MacroContext {
  ip: ClientIp;
  sender: { local: string; domain: string };
  /** `<domain>` of the check_host() that is running. */
  domain: string;
  helo: string;
  receiver: string | undefined;
  /** Seconds since the epoch. */
  timestamp: number | undefined;
  /** The text is an explanation: nibbles in upper case, as the public test suite has them; RFC 7208 7.4 has names in lower case. */
  explanation?: boolean;
  /** Validated names of the client; asked only when a macro needs them. */
  names(): Promise<readonly string[]>;
}

/** Raw macro values of RFC 7208 7.2. */
export function createMacroValues(context: MacroContext): MacroValues {
  const { ip, sender, domain } = context;
  return (letter) => {
    switch (letter) {
      case 's':
        return `${sender.local}@${sender.domain}`;
      case 'l':
        return sender.local;
      case 'o':
        return sender.domain;
      case 'd':
        return domain;
      case 'i':
        return ip.version === 4 ? formatClientIp(ip) : dotted(ip, context.explanation === true);
      case 'p':
        return context.names().then((names) => chooseName(names, domain.toLowerCase()));
      case 'v':
        return ip.version === 4 ? 'in-addr' : 'ip6';
      case 'h':
        return context.helo;
      case 'c':
        return formatClientIp(ip);
      case 'r':
        return context.receiver ?? 'unknown';
      case 't':
        return String(context.timestamp ?? 0);
    }
  };
}

function dotted({ bytes }: ClientIp, upper: boolean): string {
  const text = nibblesOf(bytes).join('.');
  return upper ? text.toUpperCase() : text;
}

/** The domain itself is preferred, then a name below it, then any. */
function chooseName(names: readonly string[], domain: string): string {
  return (
    names.find((name) => name === domain) ??
    names.find((name) => isWithin(name, domain)) ??
    names[0] ??
    'unknown'
  );
}
