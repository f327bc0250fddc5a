import { hasMacros, toQueryName } from './macro.js';
import { isSpfRecord, parseSpf } from './parse.js';
import type { SpfAnswer, SpfLookup, SpfQueryType, SpfRecord, SpfSyntaxError } from './types.js';

/** A term in the tree of includes: where it stands and how one gets there. */
export interface SpfTermPlace {
  /** Domain whose record holds the term. */
  domain: string;
  term: string;
  /** Domains from the first record to this one. */
  path: readonly string[];
}

export interface SpfBudget {
  /** Terms that cost a lookup if every one of them is evaluated: the worst case, of at most 10 (RFC 7208 4.6.4). */
  lookups: readonly SpfTermPlace[];
  /** The first term beyond the limit. */
  guilty?: SpfTermPlace;
  /** Terms whose lookups find nothing, A and AAAA counted as one, of at most 2. */
  voids: readonly SpfTermPlace[];
  /** include or redirect back to a domain on the way. */
  loops: readonly SpfTermPlace[];
  /** include or redirect to a domain without a usable record: permerror. */
  broken: readonly (SpfTermPlace & { reason: string; errors?: readonly SpfSyntaxError[] })[];
  /** `mx` of a domain with more than ten MX hosts: permerror. */
  crowded: readonly (SpfTermPlace & { hosts: number })[];
  /** Terms with macros: what they ask depends on the mail, so they count, but nothing below them is known. */
  dynamic: readonly SpfTermPlace[];
  /** Terms whose lookup failed: the count is a lower bound. */
  unknown: readonly SpfTermPlace[];
  /** The walk was cut off; the record is far over the limit anyway. */
  truncated: boolean;
}

const limit = 10;
const mostVisits = 60;
const deepest = 12;

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer U)[] ? U[] : T[K] };
type Part = Mutable<SpfBudget>;

interface Walk {
  lookup: SpfLookup;
  visits: number;
}

/**
 * Counts the lookups of a record in the worst case: every mechanism before `all`, through all includes, and the
 * redirect. `check_host` itself counts only the path that one mail takes, so it may pass where another mail fails.
 */
export async function countSpfLookups(
  domain: string,
  record: SpfRecord,
  lookup: SpfLookup,
): Promise<SpfBudget> {
  const walk: Walk = { lookup, visits: 0 };
  const budget = await countRecord(walk, record, [domain.toLowerCase()]);
  const guilty = budget.lookups[limit];
  return { ...budget, ...(guilty && { guilty }) };
}

function emptyPart(): Part {
  return {
    lookups: [],
    voids: [],
    loops: [],
    broken: [],
    crowded: [],
    dynamic: [],
    unknown: [],
    truncated: false,
  };
}

async function countRecord(walk: Walk, record: SpfRecord, path: readonly string[]): Promise<Part> {
  const all = record.mechanisms.findIndex((term) => term.name === 'all');
  const terms = all < 0 ? record.mechanisms : record.mechanisms.slice(0, all);
  const domain = path.at(-1) ?? '';
  const parts = await Promise.all(
    terms.map((term) => {
      const place = { domain, term: term.raw, path };
      switch (term.name) {
        case 'include':
          return countTarget(walk, term.domainSpec ?? '', place);
        case 'a':
        case 'mx':
        case 'exists':
          return countHosts(walk, term.name, term.domainSpec ?? domain, place);
        case 'ptr':
          // What it asks depends on the client.
          return { ...emptyPart(), lookups: [place] };
        default:
          return emptyPart();
      }
    }),
  );
  // redirect counts only where no `all` stands before it in meaning (6.1).
  if (record.redirect && all < 0)
    parts.push(await countTarget(walk, record.redirect.value, { domain, term: record.redirect.raw, path }));
  return joinParts(parts);
}

async function countTarget(walk: Walk, spec: string, place: SpfTermPlace): Promise<Part> {
  const part = { ...emptyPart(), lookups: [place] };
  if (hasMacros(spec)) return { ...part, dynamic: [place] };
  const target = toQueryName(spec);
  if (target === undefined) return { ...part, broken: [{ ...place, reason: 'is not a valid domain name' }] };
  if (place.path.includes(target)) return { ...part, loops: [place] };
  const answer = await visit(walk, target, 'TXT', place);
  if (answer === undefined) return { ...part, truncated: true };
  if (answer.status === 'error') return { ...part, unknown: [place] };
  const [text, second] = answer.values.filter(isSpfRecord);
  if (text === undefined) return { ...part, broken: [{ ...place, reason: `${target} has no SPF record` }] };
  if (second !== undefined)
    return { ...part, broken: [{ ...place, reason: `${target} has more than one SPF record` }] };
  const parsed = parseSpf(text);
  if (!parsed.ok) {
    const reason = `the record of ${target} has a syntax error`;
    return { ...part, broken: [{ ...place, reason, errors: parsed.errors }] };
  }
  return joinParts([part, await countRecord(walk, parsed.record, [...place.path, target])]);
}

async function countHosts(
  walk: Walk,
  kind: 'a' | 'mx' | 'exists',
  spec: string,
  place: SpfTermPlace,
): Promise<Part> {
  const part = { ...emptyPart(), lookups: [place] };
  if (hasMacros(spec)) return { ...part, dynamic: [place] };
  const name = toQueryName(spec);
  if (name === undefined) return part;
  const types: readonly SpfQueryType[] = kind === 'mx' ? ['MX'] : kind === 'exists' ? ['A'] : ['A', 'AAAA'];
  const answers = await Promise.all(types.map((type) => visit(walk, name, type, place)));
  if (answers.some((answer) => answer === undefined)) return { ...part, truncated: true };
  if (answers.some((answer) => answer?.status === 'error')) return { ...part, unknown: [place] };
  const found = answers.flatMap((answer) => answer?.values ?? []);
  if (found.length === 0) return { ...part, voids: [place] };
  if (kind === 'mx' && found.length > limit) return { ...part, crowded: [{ ...place, hosts: found.length }] };
  return part;
}

/** Undefined when the walk has gone far enough: a hostile tree of includes grows without end. */
async function visit(
  walk: Walk,
  name: string,
  type: SpfQueryType,
  place: SpfTermPlace,
): Promise<SpfAnswer | undefined> {
  if (walk.visits >= mostVisits || place.path.length > deepest) return undefined;
  walk.visits += 1;
  return walk.lookup(name, type);
}

function joinParts(parts: readonly Part[]): Part {
  return {
    lookups: parts.flatMap((part) => part.lookups),
    voids: parts.flatMap((part) => part.voids),
    loops: parts.flatMap((part) => part.loops),
    broken: parts.flatMap((part) => part.broken),
    crowded: parts.flatMap((part) => part.crowded),
    dynamic: parts.flatMap((part) => part.dynamic),
    unknown: parts.flatMap((part) => part.unknown),
    truncated: parts.some((part) => part.truncated),
  };
}
