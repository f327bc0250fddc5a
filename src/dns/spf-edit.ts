import { inNetwork, parseIp } from '../lib/ip.js';
import { canonicalName } from './canonical.js';
import type { SpfMechanism, SpfRecord, SpfTerm } from './spf/types.js';

/** Changes to an SPF record that leave every other byte as it is, and what can be told of it without asking DNS. */

/** Where a record stands, and whose it is. */
export interface SpfPlace {
  /** Owner name of the record. */
  name: string;
  /** The mail host, whose name stands for its addresses. */
  host: string;
}

type Verdict = 'pass' | 'other' | 'unknown';

/** What one mechanism says to one address without asking DNS; the mail host's own name stands for its addresses. */
function judge(
  term: SpfMechanism,
  place: SpfPlace,
  address: readonly number[],
): 'match' | 'no-match' | 'unknown' {
  switch (term.name) {
    case 'all':
      return 'match';
    case 'ip4':
    case 'ip6': {
      const network = parseIp(term.network ?? '') ?? [];
      return inNetwork(address, network, term.name === 'ip4' ? term.prefix4 : term.prefix6)
        ? 'match'
        : 'no-match';
    }
    case 'a':
      return canonicalName(term.domainSpec ?? place.name) === place.host ? 'match' : 'unknown';
    default:
      return 'unknown';
  }
}

/** Whether the record lets an address through, as far as can be told without DNS. */
export function staticVerdict(record: SpfRecord, place: SpfPlace, address: string): Verdict {
  const bytes = parseIp(address) ?? [];
  let doubtful = false;
  for (const term of record.mechanisms) {
    const result = judge(term, place, bytes);
    if (result === 'match') return term.qualifier === '+' ? 'pass' : doubtful ? 'unknown' : 'other';
    // An undecided `+` term can only help; an undecided `-`, `~` or `?` one could decide against us first.
    if (result === 'unknown') {
      if (term.qualifier !== '+') return 'unknown';
      doubtful = true;
    }
  }
  return doubtful || record.redirect !== undefined ? 'unknown' : 'other';
}

export const isAll = (term: SpfTerm): boolean => term.name === 'all';

/** `all`, `redirect`, and what turns one of the addresses away, or may: terms after it would come too late. */
export function findStop(
  record: SpfRecord,
  place: SpfPlace,
  addresses: readonly string[],
): SpfTerm | undefined {
  const turnsAway = (term: SpfTerm): boolean =>
    term.kind === 'mechanism' &&
    term.qualifier !== '+' &&
    addresses.some((address) => judge(term, place, parseIp(address) ?? []) !== 'no-match');
  return record.terms.find((term) => isAll(term) || term.name === 'redirect' || turnsAway(term));
}

/** Puts terms before the first that would decide without them, else at the end; every other byte stays (R5). */
export function insertTerms(record: SpfRecord, terms: readonly string[], stop: SpfTerm | undefined): string {
  const text = record.text;
  if (stop !== undefined) return `${text.slice(0, stop.start)}${terms.join(' ')} ${text.slice(stop.start)}`;
  return `${text}${text.endsWith(' ') ? '' : ' '}${terms.join(' ')}`;
}

/** A term and the blank before it; every other byte stays. */
export function removeTerms(record: SpfRecord, terms: readonly SpfTerm[]): string {
  return [...terms]
    .sort((a, b) => b.start - a.start)
    .reduce((text, term) => {
      const from = text[term.start - 1] === ' ' ? term.start - 1 : term.start;
      return text.slice(0, from) + text.slice(term.start + term.raw.length);
    }, record.text);
}
