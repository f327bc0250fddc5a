import { parseIpv4, parseIpv6 } from '../../lib/ip.js';
import { describe, domainSpecProblem, parseMacroString } from './macro.js';
import type {
  SpfMechanism,
  SpfMechanismName,
  SpfModifier,
  SpfParseResult,
  SpfQualifier,
  SpfSyntaxError,
  SpfTerm,
} from './types.js';

/** Whether a TXT value is an SPF record at all: `v=spf1`, then a space or the end (RFC 7208 4.5). */
export function isSpfRecord(text: string): boolean {
  return /^v=spf1(?: |$)/i.test(text);
}

/**
 * Parses a whole record, `v=spf1` included, by the grammar of RFC 7208 section 12. All errors are reported;
 * one is enough to make the record a permerror (4.6).
 */
export function parseSpf(text: string): SpfParseResult {
  if (!isSpfRecord(text))
    return {
      ok: false,
      errors: [{ term: text.slice(0, 20), start: 0, message: 'does not start with v=spf1' }],
    };
  const errors: SpfSyntaxError[] = [];
  const terms: SpfTerm[] = [];
  for (const { raw, start } of splitTerms(text)) {
    const term = parseTerm(raw, start);
    if (typeof term === 'string') errors.push({ term: raw, start, message: term });
    else terms.push(term);
  }
  const modifiers = terms.filter((term) => term.kind === 'modifier');
  const single = (name: string): SpfModifier | undefined => {
    const [first, second] = modifiers.filter((term) => term.name === name);
    if (second)
      errors.push({ term: second.raw, start: second.start, message: `${name}= may appear only once` });
    return first;
  };
  const redirect = single('redirect');
  const exp = single('exp');
  if (errors.length > 0) return { ok: false, errors };
  const mechanisms = terms.filter((term) => term.kind === 'mechanism');
  return {
    ok: true,
    record: { text, terms, mechanisms, ...(redirect && { redirect }), ...(exp && { exp }) },
  };
}

function splitTerms(text: string): { raw: string; start: number }[] {
  const terms: { raw: string; start: number }[] = [];
  for (const match of text.slice(6).matchAll(/[^ ]+/g)) terms.push({ raw: match[0], start: match.index + 6 });
  return terms;
}

function parseTerm(raw: string, start: number): SpfTerm | string {
  const place = { raw, start, end: start + raw.length };
  const odd = /[^!-~]/u.exec(raw);
  if (odd) return `character ${describe(odd[0])} is not allowed; SPF is printable ASCII`;
  const modifier = /^([a-z][a-z0-9\-_.]*)=(.*)$/i.exec(raw);
  if (modifier) {
    const name = (modifier[1] ?? '').toLowerCase();
    const value = modifier[2] ?? '';
    if (name === 'redirect' || name === 'exp') {
      const problem = domainSpecProblem(value);
      if (problem) return problem;
    } else {
      const parsed = parseMacroString(value);
      if (!parsed.ok) return parsed.message;
    }
    return { kind: 'modifier', ...place, name, value };
  }
  const directive = /^([+\-?~]?)([a-z][a-z0-9\-_.]*)(.*)$/i.exec(raw);
  if (!directive) return 'is neither a mechanism nor a modifier';
  const qualifier = (directive[1] || '+') as SpfQualifier;
  const word = (directive[2] ?? '').toLowerCase();
  const read = readers[word];
  if (!read) return `unknown mechanism "${word}"`;
  const rest = directive[3] ?? '';
  const fields = read(rest);
  if (typeof fields === 'string') return fields;
  const name = word as SpfMechanismName;
  return { kind: 'mechanism', ...place, qualifier, name, prefix4: 32, prefix6: 128, ...fields };
}

type Fields = Partial<Pick<SpfMechanism, 'domainSpec' | 'network' | 'prefix4' | 'prefix6'>>;
type Reader = (rest: string) => Fields | string;

const readers: Readonly<Record<string, Reader | undefined>> = Object.assign(Object.create(null), {
  all: (rest: string) => (rest === '' ? {} : `"all" takes no argument, found "${rest}"`),
  include: (rest: string) => readDomain(rest, true),
  exists: (rest: string) => readDomain(rest, true),
  ptr: (rest: string) => readDomain(rest, false),
  a: readHosts,
  mx: readHosts,
  ip4: readIp4,
  ip6: readIp6,
});

function readDomain(rest: string, required: boolean): Fields | string {
  if (rest === '') return required ? 'the domain is missing' : {};
  if (!rest.startsWith(':')) return `":" expected, found "${rest}"`;
  const domainSpec = rest.slice(1);
  return domainSpecProblem(domainSpec) ?? { domainSpec };
}

/** `[":" domain-spec] [dual-cidr-length]`. A "/" may also belong to the domain-spec, so lengths are read from the end. */
function readHosts(rest: string): Fields | string {
  const lengths = /(?:\/(0|[1-9]\d{0,9}))?(?:\/\/(0|[1-9]\d{0,9}))?$/.exec(rest);
  const domain = rest.slice(0, rest.length - (lengths?.[0].length ?? 0));
  if (domain.startsWith('/')) return `"${rest}" is not a valid prefix length (IPv4 /24, IPv6 //64)`;
  const fields: Fields = {};
  if (lengths?.[1] !== undefined) fields.prefix4 = Number(lengths[1]);
  if (lengths?.[2] !== undefined) fields.prefix6 = Number(lengths[2]);
  if ((fields.prefix4 ?? 0) > 32) return `IPv4 prefix length /${fields.prefix4} is more than 32`;
  if ((fields.prefix6 ?? 0) > 128) return `IPv6 prefix length //${fields.prefix6} is more than 128`;
  const read = readDomain(domain, false);
  return typeof read === 'string' ? read : { ...fields, ...read };
}

function readIp4(rest: string): Fields | string {
  const parts = /^:([^/]*)(?:\/(.*))?$/.exec(rest);
  if (!parts) return 'the network is missing';
  const network = parts[1] ?? '';
  if (!parseIpv4(network)) return `"${network}" is not an IPv4 address`;
  const prefix4 = readPrefix(parts[2], 32);
  return typeof prefix4 === 'string' ? prefix4 : { network, prefix4 };
}

function readIp6(rest: string): Fields | string {
  const parts = /^:([^/]*)(?:\/(.*))?$/.exec(rest);
  if (!parts) return 'the network is missing';
  const network = parts[1] ?? '';
  if (!parseIpv6(network)) return `"${network}" is not an IPv6 address`;
  const prefix6 = readPrefix(parts[2], 128);
  return typeof prefix6 === 'string' ? prefix6 : { network, prefix6 };
}

function readPrefix(text: string | undefined, most: number): number | string {
  if (text === undefined) return most;
  if (!/^(?:0|[1-9]\d{0,2})$/.test(text)) return `"/${text}" is not a valid prefix length`;
  return Number(text) > most ? `prefix length /${text} is more than ${most}` : Number(text);
}
