import { Exit, SetupError } from '../errors.js';
import { parseCsv } from '../lib/csv.js';
import { parseMailbox } from '../lib/names.js';
import { sanitizeLine } from '../lib/sanitize.js';
import { findPasswordFault } from './password.js';
import { Secret } from './secret.js';

export interface ListedUser {
  address: string;
  /** Empty: one is to be made up. */
  credential: { kind: 'password' | 'hash'; value: Secret } | undefined;
}

/** Schemes that Dovecot checks and that a thief cannot simply reverse, with the form of their hashes. */
const hashForms: readonly [scheme: string, form: RegExp][] = [
  ['{ARGON2ID}', /^\$argon2id\$v=\d+\$m=\d+,t=\d+,p=\d+\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+$/],
  ['{ARGON2I}', /^\$argon2i\$v=\d+\$m=\d+,t=\d+,p=\d+\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+$/],
  ['{BLF-CRYPT}', /^\$2[aby]\$\d\d\$[A-Za-z0-9./]{53}$/],
  ['{SHA512-CRYPT}', /^\$6\$(?:rounds=\d+\$)?[A-Za-z0-9./]{1,16}\$[A-Za-z0-9./]{86}$/],
  ['{SHA256-CRYPT}', /^\$5\$(?:rounds=\d+\$)?[A-Za-z0-9./]{1,16}\$[A-Za-z0-9./]{43}$/],
];

/** A password hash with its scheme in front, as Dovecot's passwd-file takes it; undefined when the text is none. */
export function readHash(text: string): string | undefined {
  for (const [scheme, form] of hashForms) {
    const bare = text.startsWith(scheme) ? text.slice(scheme.length) : text;
    if (form.test(bare)) return scheme + bare;
  }
  return undefined;
}

const shownFaults = 20;
const maxUsers = 10_000;

/**
 * Mailboxes as CSV (RFC 4180): `address,password`, `address,hash`, or the address alone for a password that is made up.
 * A first line `address,…` is a heading. Throws E_USER_LIST (exit 2) about every line that is wrong, passwords left out.
 */
export function parseUserList(text: string): ListedUser[] {
  const faults: string[] = [];
  const users: ListedUser[] = [];
  const seen = new Set<string>();
  for (const { line, fields } of parseCsv(text)) {
    const [name = '', secret = '', ...more] = fields;
    if (fields.length === 1 && name.trim() === '') continue;
    if (users.length === 0 && faults.length === 0 && /^(address|mailbox|user)$/i.test(name.trim())) continue;
    const user = readUser(name, secret, more);
    if (typeof user === 'string') faults.push(`line ${line}: ${user}`);
    else if (seen.has(user.address)) faults.push(`line ${line}: ${user.address} stands there twice.`);
    else users.push(user);
    if (typeof user !== 'string') seen.add(user.address);
  }
  if (users.length === 0 && faults.length === 0) faults.push('It names no mailbox.');
  if (users.length > maxUsers) faults.push(`It names more than ${maxUsers} mailboxes.`);
  if (faults.length === 0) return users;
  throw new SetupError({
    code: 'E_USER_LIST',
    exit: Exit.usage,
    what: 'The list of mailboxes cannot be used.',
    evidence: [
      ...faults.slice(0, shownFaults),
      ...(faults.length > shownFaults ? [`… and ${faults.length - shownFaults} more`] : []),
    ],
    fix: ['One mailbox a line: address,password or address,hash. Nothing was changed.'],
  });
}

function readUser(name: string, secret: string, more: readonly string[]): ListedUser | string {
  if (more.length > 0) return 'More than two fields; a password with a comma stands in double quotes.';
  let address: string;
  try {
    address = parseMailbox(name).address;
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    return `${sanitizeLine(name, 80)}: ${error.message}`;
  }
  if (secret === '') return { address, credential: undefined };
  const hash = readHash(secret);
  if (hash !== undefined) return { address, credential: { kind: 'hash', value: new Secret(hash) } };
  if (/^\{[A-Za-z0-9.-]+\}|^\$[0-9a-z]{1,8}\$/.test(secret)) {
    return `${address}: it looks like a hash, but not like one of ${hashForms.map(([scheme]) => scheme).join(' ')}.`;
  }
  const fault = findPasswordFault(secret, address);
  return fault === undefined
    ? { address, credential: { kind: 'password', value: new Secret(secret) } }
    : `${address}: ${fault}`;
}
