import { domainToASCII, domainToUnicode } from 'node:url';
import { Exit, SetupError } from '../errors.js';
import { parseIp } from './ip.js';
import { sanitizeLine } from './sanitize.js';

/**
 * The grammar of what people type as domain, host and mailbox. What leaves here is safe in a path, a shell word, a map
 * file and a DNS name: lower-case letters, digits, hyphen and dot (local parts also `_` and `+`).
 */

export interface NameOptions {
  /** Rehearsals and private networks: `.local`, `.internal`, `.invalid`, … are allowed. */
  allowReserved?: boolean;
}

const reservedSuffixes = [
  'localhost',
  'local',
  'invalid',
  'internal',
  'onion',
  'alt',
  'arpa',
  'lan',
  'localdomain',
];

// The public suffix list is no authority for zones (R1) and three megabytes; these are the slips people really make.
const publicSuffixes: ReadonlySet<string> = new Set(
  (
    'co.uk org.uk me.uk ltd.uk plc.uk net.uk ac.uk gov.uk com.au net.au org.au id.au co.nz net.nz org.nz co.za org.za ' +
    'co.jp ne.jp or.jp ac.jp com.br net.br org.br com.mx org.mx com.ar com.co com.pe com.tr org.tr com.cn net.cn ' +
    'org.cn com.tw com.hk com.sg com.my co.id co.in net.in org.in co.kr or.kr co.il org.il com.pl net.pl org.pl ' +
    'co.at or.at com.ua com.ru com.gr com.pt com.es com.cy com.mt com.vn co.th github.io gitlab.io pages.dev ' +
    'workers.dev herokuapp.com netlify.app vercel.app'
  ).split(' '),
);

/** Throws the SetupError of a grammar violation (exit 2), with what was given made safe. */
export function refuseName(code: string, input: string, why: string, fix: string): never {
  throw new SetupError({
    code,
    exit: Exit.usage,
    what: why,
    evidence: [`given: ${sanitizeLine(input, 80) || '(nothing)'}`],
    fix: [fix],
  });
}

const domainFix = 'Give a name such as example.org.';

function toAscii(input: string): string {
  if (/[\u0000-\u001f\u007f-\u009f]/.test(input)) {
    refuseName('E_NAME_CHARACTERS', input, 'The name holds a control character.', domainFix);
  }
  const name = input.replace(/^ +| +$/g, '');
  if (name === '') refuseName('E_NAME_EMPTY', input, 'The name is empty.', domainFix);
  if (name.length > 1000)
    refuseName('E_NAME_LENGTH', input, 'The name is longer than 253 characters.', domainFix);
  const unbracketed = name.replace(/^\[(.*)\]$/, '$1');
  if (parseIp(unbracketed) !== undefined) {
    refuseName(
      'E_NAME_IP',
      input,
      'That is an IP address, not a name.',
      'Mail needs a name that points to the address.',
    );
  }
  const ascii = name.replace(/[^a-zA-Z0-9.\-\u0080-\u{10ffff}]/gu, '');
  if (ascii !== name) {
    refuseName(
      'E_NAME_CHARACTERS',
      input,
      'The name holds a character that no host name can hold.',
      'Only letters, digits, hyphens and dots; no spaces, slashes, underscores or @.',
    );
  }
  if (/^[\u0000-\u007f]*$/.test(name)) return name.toLowerCase();
  const converted = domainToASCII(name);
  if (converted === '') {
    refuseName('E_NAME_IDN', input, 'The name is no valid internationalized name (IDNA).', domainFix);
  }
  return converted.toLowerCase();
}

// IDNA 2008 (RFC 5892) takes letters, marks and digits; UTS 46, which Node follows, also lets symbols and emoji through.
const uLabel = /^[\p{L}\p{M}\p{Nd}\u00b7\u0375\u05f3\u05f4\u30fb\u3007-]+$/u;

/** One LDH label (RFC 1123 section 2.1); A-labels must be valid IDNA 2008. Throws E_NAME_…. */
export function checkLabel(input: string, label: string): void {
  if (label === '')
    refuseName('E_NAME_EMPTY_LABEL', input, 'The name has an empty part (two dots).', domainFix);
  if (label.length > 63) {
    refuseName('E_NAME_LABEL_LENGTH', input, 'A part of the name is longer than 63 characters.', domainFix);
  }
  if (!/^[a-z0-9-]+$/.test(label)) {
    refuseName(
      'E_NAME_CHARACTERS',
      input,
      'The name holds a character that no host name can hold.',
      domainFix,
    );
  }
  if (label.startsWith('-') || label.endsWith('-')) {
    refuseName('E_NAME_HYPHEN', input, 'A part of the name begins or ends with a hyphen.', domainFix);
  }
  if (!label.startsWith('xn--')) return;
  const unicode = domainToUnicode(label);
  if (
    unicode === '' ||
    unicode.startsWith('xn--') ||
    !uLabel.test(unicode) ||
    domainToASCII(unicode) !== label
  ) {
    refuseName('E_NAME_IDN', input, 'The name is no valid internationalized name (IDNA 2008).', domainFix);
  }
}

/**
 * A host name in canonical form: lower-case A-labels, at least two, no final dot (RFC 1123 section 2.1, RFC 5890;
 * labels of 63 and names of 253 characters at most). Throws SetupError E_NAME_…, exit 2.
 */
export function parseHostname(input: string, options: NameOptions = {}): string {
  const ascii = toAscii(input);
  const name = ascii.endsWith('.') ? ascii.slice(0, -1) : ascii;
  const labels = name.split('.');
  for (const label of labels) checkLabel(input, label);
  if (name.length > 253)
    refuseName('E_NAME_LENGTH', input, 'The name is longer than 253 characters.', domainFix);
  const top = labels.at(-1) ?? '';
  if (options.allowReserved !== true) {
    const reserved = reservedSuffixes.find((suffix) => name === suffix || name.endsWith(`.${suffix}`));
    if (reserved !== undefined) {
      refuseName(
        'E_NAME_RESERVED',
        input,
        `Names under .${reserved} exist in no public DNS.`,
        'Give a registered domain.',
      );
    }
  }
  if (labels.length < 2) {
    refuseName(
      'E_NAME_SINGLE_LABEL',
      input,
      'The name has only one part.',
      'Give the full name, such as mail.example.org.',
    );
  }
  if (/^(?:\d+|0x[0-9a-f]*)$/.test(top)) {
    refuseName('E_NAME_IP', input, 'The last part is a number: that reads as an IP address.', domainFix);
  }
  if (!/^(?:[a-z]{2,63}|xn--[a-z0-9-]+)$/.test(top)) {
    refuseName('E_NAME_TLD', input, `No top-level domain is called .${top}.`, domainFix);
  }
  return name;
}

/** A mail domain: as `parseHostname`, and not a public suffix such as `co.uk`. */
export function parseDomain(input: string, options: NameOptions = {}): string {
  const name = parseHostname(input, options);
  if (publicSuffixes.has(name)) {
    refuseName(
      'E_NAME_PUBLIC_SUFFIX',
      input,
      `Under ${name} other people register their domains.`,
      'Give your own domain.',
    );
  }
  return name;
}

/** The name as people write it, for display beside the A-labels. */
export function displayName(name: string): string {
  return sanitizeLine(domainToUnicode(name) || name, 253);
}

const scripts = [
  'Latin',
  'Cyrillic',
  'Greek',
  'Armenian',
  'Hebrew',
  'Arabic',
  'Thai',
  'Georgian',
  'Devanagari',
] as const;

/** A sentence when a label mixes scripts (`раypal`), which is how look-alike names are made; else undefined. */
export function mixedScriptWarning(name: string): string | undefined {
  for (const label of (domainToUnicode(name) || name).split('.')) {
    const found = scripts.filter((script) => new RegExp(`\\p{Script=${script}}`, 'u').test(label));
    const cjk = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u.test(label);
    if (found.length > 1 || (cjk && found.some((script) => script !== 'Latin'))) {
      const all = cjk ? [...found, 'CJK'] : found;
      return `"${sanitizeLine(label, 63)}" mixes ${all.join(' and ')} letters; receivers may take it for a forgery.`;
    }
  }
  return undefined;
}
