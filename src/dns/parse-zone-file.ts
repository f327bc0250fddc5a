import { Exit, SetupError } from '../errors.js';
import { sanitizeLine } from '../lib/sanitize.js';
import { canonicalName, canonicalRecord } from './canonical.js';
import type { DnsRecord, RecordData } from './record.js';
import { bytesToText, unescapeBytes } from './txt.js';

/** A word or a quoted string; `text` is still escaped. */
interface Token {
  text: string;
  quoted: boolean;
  /** No blank before it: `alpn="h2"` is one parameter. */
  glued: boolean;
}

interface Entry {
  line: number;
  /** The line began with white space: the owner is the one before. */
  indented: boolean;
  tokens: Token[];
}

function fail(line: number, why: string, seen: string): never {
  throw new SetupError({
    code: 'E_ZONE_FILE',
    exit: Exit.usage,
    what: `The zone file cannot be read: ${why}.`,
    evidence: [`line ${line}: ${sanitizeLine(seen, 120)}`],
    fix: ['Export the zone again, in BIND format.'],
  });
}

const tokenPattern =
  /"((?:[^"\\\n]|\\[\s\S])*)"|;[^\n]*|[()]|\n|[^\S\n]+|((?:[^\s"();\\]|\\[\s\S])+)|([\s\S])/g;

/** Entries with parentheses joined and comments dropped (RFC 1035 section 5.1). */
function readEntries(text: string): Entry[] {
  const entries: Entry[] = [];
  let line = 1;
  let depth = 0;
  let entry: Entry = { line, indented: false, tokens: [] };
  let lineStart = true;
  let end = -1;
  const finish = (): void => {
    if (entry.tokens.length > 0) entries.push(entry);
    entry = { line, indented: false, tokens: [] };
  };
  for (const match of text.replace(/\r\n/g, '\n').matchAll(tokenPattern)) {
    const [raw, quoted, word, stray] = match;
    if (raw === '\n') {
      line += 1;
      if (depth === 0) {
        finish();
        lineStart = true;
        continue;
      }
    } else if (raw === '(') depth += 1;
    else if (raw === ')')
      depth = depth > 0 ? depth - 1 : fail(line, 'a parenthesis closes that was never opened', raw);
    else if (quoted !== undefined || word !== undefined) {
      entry.tokens.push({
        text: quoted ?? word ?? '',
        quoted: quoted !== undefined,
        glued: match.index === end,
      });
      end = match.index + raw.length;
    } else if (stray !== undefined) fail(line, 'a quote is not closed', stray);
    else if (lineStart && !raw.startsWith(';')) entry.indented = true;
    lineStart = false;
  }
  if (depth > 0) fail(line, 'a parenthesis is not closed', '(');
  finish();
  return entries;
}

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/** Seconds, or BIND's `1h30m`; undefined when the word is no TTL. */
function parseTtl(word: string): number | undefined {
  if (/^\d{1,10}$/.test(word)) return Number(word);
  if (!/^(?:\d{1,9}[smhdw])+$/i.test(word)) return undefined;
  return [...word.toLowerCase().matchAll(/(\d+)([smhdw])/g)].reduce(
    (sum, [, count, unit]) => sum + Number(count) * (unitSeconds[unit ?? ''] ?? 0),
    0,
  );
}

function textOf(tokens: readonly Token[]): string {
  return bytesToText(Uint8Array.from(tokens.flatMap(({ text }) => unescapeBytes(text))));
}

function parseData(
  type: string,
  tokens: readonly Token[],
  line: number,
  absolute: (name: string) => string,
): RecordData {
  const words = tokens.map(({ text }) => text);
  const word = (index: number): string =>
    words[index] ?? fail(line, `a ${type} record is too short`, words.join(' '));
  const number = (index: number): number =>
    /^\d{1,10}$/.test(word(index))
      ? Number(word(index))
      : fail(line, `a ${type} record needs a number`, word(index));
  switch (type) {
    case 'A':
    case 'AAAA':
      return { type, address: word(0) };
    case 'CNAME':
    case 'NS':
    case 'PTR':
      return { type, target: absolute(word(0)) };
    case 'MX':
      return { type, preference: number(0), exchange: absolute(word(1)) };
    case 'TXT':
      return { type, text: textOf(tokens) };
    case 'SRV':
      return { type, priority: number(0), weight: number(1), port: number(2), target: absolute(word(3)) };
    case 'CAA':
      return { type, flags: number(0), tag: word(1), value: textOf(tokens.slice(2)) };
    case 'TLSA':
      return {
        type,
        usage: number(0),
        selector: number(1),
        matchingType: number(2),
        data: words.slice(3).join(''),
      };
    default:
      return {
        type: 'OTHER',
        rrtype: type,
        text: tokens
          .map(({ text, quoted, glued }) => (glued ? '' : ' ') + (quoted ? `"${text}"` : text))
          .join('')
          .trimStart(),
      };
  }
}

/**
 * The records of a zone file: `$ORIGIN`, `$TTL`, relative names, `@`, parentheses, comments and escapes (RFC 1035
 * section 5). `$INCLUDE` and `$GENERATE` are refused. Throws SetupError E_ZONE_FILE with the line.
 */
export function parseZoneFile(text: string, zone: string): DnsRecord[] {
  let origin = canonicalName(zone);
  let owner = origin;
  let defaultTtl = 3600;
  const records: DnsRecord[] = [];
  const absolute = (name: string): string => {
    if (name === '@') return origin;
    if (name.endsWith('.') && !name.endsWith('\\.')) return canonicalName(name);
    return canonicalName(origin === '' ? name : `${name}.${origin}`);
  };
  for (const { line, indented, tokens } of readEntries(text)) {
    const words = tokens.map(({ text: word }) => word);
    const first = words[0] ?? '';
    if (first.startsWith('$')) {
      if (first.toUpperCase() === '$ORIGIN' && words[1] !== undefined) origin = absolute(words[1]);
      else if (first.toUpperCase() === '$TTL')
        defaultTtl = parseTtl(words[1] ?? '') ?? fail(line, 'a bad $TTL', first);
      else fail(line, 'a directive that is not supported', first);
      continue;
    }
    let index = 0;
    if (!indented) {
      owner = absolute(first);
      index = 1;
    }
    let ttl = defaultTtl;
    // TTL and class come in either order, and both may be missing.
    for (; index < words.length; index++) {
      const seconds = parseTtl(words[index] ?? '');
      if (seconds !== undefined) ttl = seconds;
      else if ((words[index] ?? '').toUpperCase() !== 'IN') break;
    }
    const type = (words[index] ?? '').toUpperCase();
    if (!/^[A-Z][A-Z0-9-]*$/.test(type)) fail(line, 'no record type', words.join(' '));
    records.push(
      canonicalRecord({ name: owner, ttl, data: parseData(type, tokens.slice(index + 1), line, absolute) }),
    );
  }
  return records;
}
