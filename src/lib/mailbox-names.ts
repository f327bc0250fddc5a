import { checkLabel, type NameOptions, parseDomain, refuseName } from './host-names.js';

export interface Mailbox {
  local: string;
  domain: string;
  /** `local@domain`. */
  address: string;
  /** `postmaster`, `abuse` and the like (RFC 2142): an alias unless it is made a mailbox. */
  role: boolean;
}

const roleNames: ReadonlySet<string> = new Set(['postmaster', 'abuse', 'hostmaster', 'webmaster']);
const systemNames: ReadonlySet<string> = new Set(['root', 'mailer-daemon', 'double-bounce', 'nobody']);
const localFix =
  'Letters, digits, dot, hyphen and underscore, at most 64 characters, beginning with a letter or digit.';

function splitAddress(input: string, options: NameOptions): { local: string; domain: string } {
  if (/[\u0000-\u001f\u007f-\u009f]/.test(input)) {
    refuseName('E_MAILBOX_CHARACTERS', input, 'The address holds a control character.', localFix);
  }
  const trimmed = input.replace(/^ +| +$/g, '');
  const at = trimmed.lastIndexOf('@');
  if (at < 0)
    refuseName(
      'E_MAILBOX_NO_AT',
      input,
      'The address has no @.',
      'Give an address such as anna@example.org.',
    );
  const local = trimmed.slice(0, at).toLowerCase();
  if (local === '') refuseName('E_MAILBOX_EMPTY', input, 'Nothing stands before the @.', localFix);
  if (local.startsWith('"')) {
    refuseName('E_MAILBOX_QUOTED', input, 'Quoted local parts are not supported.', localFix);
  }
  if (/[^\u0000-\u007f]/.test(local)) {
    refuseName(
      'E_MAILBOX_UTF8',
      input,
      'Addresses with letters beyond ASCII need SMTPUTF8, which many receivers lack; mail to them would be lost.',
      localFix,
    );
  }
  if (local.length > 64) {
    refuseName('E_MAILBOX_LENGTH', input, 'The part before the @ is longer than 64 characters.', localFix);
  }
  if (!/^[a-z0-9][a-z0-9._+-]*$/.test(local)) {
    refuseName(
      'E_MAILBOX_CHARACTERS',
      input,
      'The part before the @ holds a character that is not allowed.',
      localFix,
    );
  }
  if (local.includes('..') || local.endsWith('.')) {
    refuseName(
      'E_MAILBOX_DOTS',
      input,
      'Dots may neither end the part before the @ nor follow each other.',
      localFix,
    );
  }
  return { local, domain: parseDomain(trimmed.slice(at + 1), options) };
}

/** An address that mail may go to (alias destination, report address); `user+tag` is fine. Throws E_MAILBOX_… or E_NAME_…. */
export function parseAddress(input: string, options: NameOptions = {}): string {
  const { local, domain } = splitAddress(input, options);
  return `${local}@${domain}`;
}

/** An address, or `@domain` for all of one. Throws E_MAILBOX_… or E_NAME_…. */
export function parseAddressOrAll(input: string): string {
  const text = input.trim();
  return text.startsWith('@') ? `@${parseDomain(text.slice(1))}` : parseAddress(text);
}

/** The domains of which all mail is taken: each `@domain` of a list. */
export function catchAllsOf(addresses: readonly string[]): string[] {
  return addresses.flatMap((address) => (address.startsWith('@') ? [address.slice(1)] : []));
}

/** A mailbox or alias to create. Case does not matter; `user+tag` and system names are refused with the reason. */
export function parseMailbox(input: string, options: NameOptions = {}): Mailbox {
  const { local, domain } = splitAddress(input, options);
  if (local.includes('+')) {
    const user = local.slice(0, local.indexOf('+'));
    refuseName(
      'E_MAILBOX_PLUS',
      input,
      `Mail to ${local}@… reaches ${user}@… by itself.`,
      `Create ${user}@${domain}.`,
    );
  }
  if (systemNames.has(local)) {
    refuseName(
      'E_MAILBOX_RESERVED',
      input,
      `"${local}" belongs to the mail system itself.`,
      'Choose another name.',
    );
  }
  return { local, domain, address: `${local}@${domain}`, role: roleNames.has(local) };
}

/** A DKIM selector of one label, as we make them (`s202611`). Throws E_NAME_…. */
export function parseSelector(input: string): string {
  const selector = input.toLowerCase();
  checkLabel(input, selector);
  return selector;
}
