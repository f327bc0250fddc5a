import { canonicalName } from './canonical.js';
import { isSpfRecord, parseSpf } from './spf/parse.js';
import type { SpfRecord, SpfTerm } from './spf/types.js';
import { findStop, insertTerms, isAll, removeTerms, type SpfPlace, staticVerdict } from './spf-edit.js';
import { textToBytes } from './txt.js';
import type { SpfEvaluation } from './zone-plan.js';

export interface SpfMergeInput extends SpfPlace {
  /** All TXT values there that are SPF records. */
  existing: readonly string[];
  /** The mail host's, canonical; its address records are published first. */
  addresses: readonly string[];
  /** The text for a name without SPF. */
  fresh: string;
  /** Of the one existing record; missing means unknown. */
  evaluation?: SpfEvaluation;
  /** Domains whose SPF must be included, for hosted relays. */
  includes?: readonly string[];
  /** Lookups that an include costs in all, itself counted; unknown ones count as one. */
  includeCosts?: Readonly<Record<string, number>>;
  /** Includes of ours that are to go. */
  withdrawn?: readonly string[];
}

export type SpfMerge =
  | { action: 'create'; text: string }
  | { action: 'keep'; reason: string }
  | { action: 'edit'; text: string; added: readonly string[]; removed?: readonly string[] }
  | { action: 'conflict'; code: string; what: string; evidence: string[]; fix: string[]; merged?: string };

/** From here on, terms that cost no lookup are added (R6): a vendor's include may grow by one or two at any time. */
const lookupsNearLimit = 8;

const lookupTerms: ReadonlySet<string> = new Set(['include', 'a', 'mx', 'ptr', 'exists', 'redirect']);

function countLookups(record: SpfRecord): number {
  return record.terms.filter((term) => lookupTerms.has(term.name)).length;
}

/** Lookups in the worst case; undefined when they hide behind an include that nobody has evaluated. */
function knownLookups(record: SpfRecord, evaluation: SpfEvaluation | undefined): number | undefined {
  if (evaluation !== undefined) return evaluation.lookups;
  const nested = record.terms.some((term) => term.name === 'include' || term.name === 'redirect');
  return nested ? undefined : countLookups(record);
}

function ownTerms(input: SpfMergeInput, lookups: number | undefined, uncovered: readonly string[]): string[] {
  const cheap = uncovered.map((address) => `${address.includes(':') ? 'ip6' : 'ip4'}:${address}`);
  if ((lookups === undefined || lookups >= lookupsNearLimit) && cheap.length > 0) return cheap;
  return [input.host === input.name ? 'a' : `a:${input.host}`];
}

/** One record out of several: all terms once, in order, ours before the softest of their endings. */
function mergeSeveral(texts: readonly string[], input: SpfMergeInput): string | undefined {
  const records = texts.map(parseSpf);
  if (records.some((result) => !result.ok)) return undefined;
  const terms = records.flatMap((result) => (result.ok ? result.record.terms : []));
  const redirects = [...new Set(terms.filter((term) => term.name === 'redirect').map((term) => term.raw))];
  const endings = terms.filter(isAll);
  const keepRedirect = redirects.length === 1 && endings.length === 0;
  const middle = terms
    .filter((term) => !isAll(term) && !(keepRedirect && term.name === 'redirect'))
    .map((term) =>
      term.name === 'redirect' && term.kind === 'modifier' ? `include:${term.value}` : term.raw,
    );
  const softest = ['~', '?', '-', '+'].find((sign) =>
    endings.some((term) => term.kind === 'mechanism' && term.qualifier === sign),
  );
  const ending = keepRedirect
    ? (redirects[0] ?? '')
    : `${softest === '?' ? '?' : softest === '-' ? '-' : '~'}all`;
  const text = ['v=spf1', ...new Set(middle), ending].join(' ');
  const parsed = parseSpf(text);
  if (!parsed.ok) return undefined;
  const uncovered = input.addresses.filter(
    (address) => staticVerdict(parsed.record, input, address) !== 'pass',
  );
  const stop = findStop(parsed.record, input, uncovered);
  return uncovered.length === 0
    ? text
    : insertTerms(parsed.record, ownTerms(input, undefined, uncovered), stop);
}

function mergeAddresses(text: string, input: SpfMergeInput): SpfMerge {
  const parsed = parseSpf(text);
  const { evaluation } = input;
  const broken = (what: string, evidence: string[], fix: string): SpfMerge => ({
    action: 'conflict',
    code: 'E_SPF_PERMERROR',
    what,
    evidence: [text, ...evidence],
    fix: [fix, `A record for this server alone would be: ${input.fresh}`],
  });
  if (!parsed.ok) {
    return broken(
      `The SPF record of ${input.name} is invalid: every receiver answers permerror, for all senders.`,
      parsed.errors.map((error) => `${error.term}: ${error.message}`),
      'Repair the record at the DNS provider, then run this again.',
    );
  }
  if (evaluation !== undefined && (evaluation.lookups > 10 || evaluation.voids > 2)) {
    return broken(
      `The SPF record of ${input.name} asks for too much (RFC 7208 section 4.6.4): receivers answer permerror.`,
      [`${evaluation.lookups} lookups of at most 10, ${evaluation.voids} void lookups of at most 2`],
      'Remove the senders that you no longer use from the record.',
    );
  }
  const resultOf = (address: string): string | undefined => evaluation?.results[address];
  if (input.addresses.some((address) => resultOf(address) === 'permerror')) {
    return broken(
      `The SPF record of ${input.name} gives permerror.`,
      [evaluation?.problem ?? 'The evaluation gave no detail.'],
      'Repair the record at the DNS provider, then run this again.',
    );
  }
  const uncovered = input.addresses.filter(
    (address) => resultOf(address) !== 'pass' && staticVerdict(parsed.record, input, address) !== 'pass',
  );
  if (input.addresses.length > 0 && uncovered.length === 0) {
    return { action: 'keep', reason: 'It already lets this server send (SPF gives pass).' };
  }
  const added = ownTerms(input, knownLookups(parsed.record, evaluation), uncovered);
  if (input.addresses.length === 0 && parsed.record.terms.some((term) => added.includes(term.raw))) {
    return { action: 'keep', reason: 'It already names this server.' };
  }
  const stop = findStop(parsed.record, input, uncovered);
  return { action: 'edit', text: insertTerms(parsed.record, added, stop), added };
}

const includeOf = (term: SpfTerm): string | undefined =>
  term.kind === 'mechanism' && term.name === 'include' && term.qualifier === '+'
    ? canonicalName(term.domainSpec ?? '')
    : undefined;

/** Relays beside the server itself: their includes join the record, those of former ones leave it. */
function mergeIncludes(text: string, input: SpfMergeInput): SpfMerge | undefined {
  const { includes = [], withdrawn = [], includeCosts = {} } = input;
  const parsed = parseSpf(text);
  if (!parsed.ok) return undefined;
  const gone = parsed.record.terms.filter((term) => {
    const name = includeOf(term);
    return name !== undefined && withdrawn.includes(name) && !includes.includes(name);
  });
  const shorter = removeTerms(parsed.record, gone);
  const rest = parseSpf(shorter);
  if (!rest.ok) return undefined;
  const missing = includes.filter((name) => !rest.record.terms.some((term) => includeOf(term) === name));
  if (gone.length === 0 && missing.length === 0) return undefined;
  const added = missing.map((name) => `include:${name}`);
  const cost = missing.reduce((sum, name) => sum + (includeCosts[name] ?? 1), 0);
  const now =
    knownLookups(rest.record, gone.length > 0 ? undefined : input.evaluation) ?? countLookups(rest.record);
  if (missing.length > 0 && now + cost > 10) return overLimit(text, input.name, added, now, cost);
  return {
    action: 'edit',
    text: added.length === 0 ? shorter : insertTerms(rest.record, added, findStop(rest.record, input, [])),
    added,
    ...(gone.length === 0 ? {} : { removed: gone.map(({ raw }) => raw) }),
  };
}

function overLimit(
  text: string,
  name: string,
  added: readonly string[],
  now: number,
  cost: number,
): SpfMerge {
  return {
    action: 'conflict',
    code: 'E_SPF_LOOKUPS',
    what: `With ${added.join(' ')} the SPF record of ${name} would ask for more than ten lookups: receivers answer permerror.`,
    evidence: [text, `${now} lookups now, ${cost} more; ten are allowed (RFC 7208 section 4.6.4)`],
    fix: [
      'Remove senders that you no longer use from the record, then run this again.',
      'Or give the relay a domain of its own to send from: smtp-setup relay set PROVIDER --domain news.example.org',
    ],
  };
}

function mergeOne(text: string, input: SpfMergeInput): SpfMerge {
  const own = mergeAddresses(text, input);
  if (own.action === 'conflict') return own;
  const merged = mergeIncludes(own.action === 'edit' ? own.text : text, input);
  if (merged === undefined) return own;
  if (merged.action !== 'edit' || own.action !== 'edit') return merged;
  return { ...merged, added: [...own.added, ...merged.added] };
}

/**
 * What to do with the SPF of a name (R5, R6): create, keep, a minimal edit, or stop. Never a second record, never over
 * ten lookups, never `mx`, and the qualifier of `all` stays as it is.
 */
export function mergeSpf(input: SpfMergeInput): SpfMerge {
  const existing = input.existing.filter(isSpfRecord);
  if (existing.length === 0) {
    // A pinned text may name an address that the server no longer has.
    const merged = mergeOne(input.fresh, input);
    return { action: 'create', text: merged.action === 'edit' ? merged.text : input.fresh };
  }
  if (existing.length === 1) return mergeOne(existing[0] ?? '', input);
  const merged = mergeSeveral(existing, input);
  return {
    action: 'conflict',
    code: 'E_SPF_SEVERAL',
    what: `${input.name} has ${existing.length} SPF records; with more than one, receivers use none (RFC 7208 section 4.5).`,
    evidence: [...existing],
    fix:
      merged === undefined
        ? ['Delete all but one of them at the DNS provider.']
        : [`One record for all of them: ${merged}`, 'Have it done with --allow-update --allow-delete.'],
    ...(merged === undefined ? {} : { merged }),
  };
}

/** SPF above 450 bytes no longer fits a plain UDP answer together with its neighbours (RFC 7208 section 3.4). */
export function spfSizeWarning(text: string): string | undefined {
  const size = textToBytes(text).length;
  return size > 450
    ? `The SPF record has ${size} bytes; above 450 some receivers cannot read it.`
    : undefined;
}
