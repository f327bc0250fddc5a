/**
 * One function per syntax that we write. Names and addresses were validated long before; these are the second lock:
 * what a syntax cannot carry at all is an error here, never a silently different meaning.
 */

function refuse(syntax: string, value: string): never {
  throw new Error(`this value cannot be written for ${syntax}: ${JSON.stringify(value.slice(0, 80))}`);
}

const control = /[\u0000-\u001f\u007f]/;

/** A word in a Postfix list or table: no space, comma, `#` at its start, or quote. */
export function postfixWord(value: string): string {
  if (!/^[A-Za-z0-9._:+@/=-]+$/.test(value)) refuse('a Postfix list', value);
  return value;
}

/** A literal inside a POSIX regular expression between slashes (regexp_table(5)). */
export function regexpLiteral(value: string): string {
  if (control.test(value)) refuse('a regular expression', value);
  return value.replace(/[\\^$.[\]|()*+?{}/]/g, '\\$&');
}

/** A quoted string of dovecot.conf; `%` and `$` start variables and have no escape that 2.3 and 2.4 share. */
export function dovecotString(value: string): string {
  if (control.test(value) || /[%$]/.test(value)) refuse('dovecot.conf', value);
  return `"${value.replace(/[\\"]/g, '\\$&')}"`;
}

/** A quoted UCL string (rspamd): JSON's escapes, but `$` and `{` would start variables. */
export function uclString(value: string): string {
  if (control.test(value) || /[${}]/.test(value)) refuse('rspamd', value);
  return JSON.stringify(value);
}

/** A quoted Lua string. */
export function luaString(value: string): string {
  if (control.test(value)) refuse('Lua', value);
  return `"${value.replace(/[\\"]/g, '\\$&')}"`;
}

/** A bare word of nginx.conf. */
export function nginxWord(value: string): string {
  if (!/^[A-Za-z0-9._:/=-]+$/.test(value)) refuse('nginx', value);
  return value;
}

/** Address and port behind `listen`. */
export function nginxAddress(value: string): string {
  if (!/^(?:[\d.]+|\[[0-9A-Fa-f:.]+\]):\d+$/.test(value)) refuse('nginx', value);
  return value;
}

/** A quoted unbound.conf string, which knows no escapes. */
export function unboundString(value: string): string {
  if (control.test(value) || /["\\]/.test(value)) refuse('unbound', value);
  return `"${value}"`;
}

/** Text between XML tags. */
export function xmlText(value: string): string {
  if (control.test(value)) refuse('XML', value);
  return value.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}
