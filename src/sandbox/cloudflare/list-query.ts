import { apiErrors } from './api-error.js';
import type { StoredRecord } from './stored-record.js';

export interface Page {
  page: number;
  perPage: number;
}

export interface ResultInfo {
  page: number;
  per_page: number;
  count: number;
  total_count: number;
  total_pages: number;
}

/** `page` and `per_page` of a request. */
export function readPage(query: URLSearchParams, limits: { min: number; max: number; usual: number }): Page {
  const read = (name: string, usual: number, min: number, max: number): number => {
    const text = query.get(name);
    if (text === null) return usual;
    const value = Number(text);
    if (!/^\d{1,9}$/.test(text) || value < min || value > max) {
      throw apiErrors.parameter(`Invalid ${name}: must be between ${min} and ${max}.`);
    }
    return value;
  };
  return {
    page: read('page', 1, 1, 1_000_000),
    perPage: read('per_page', limits.usual, limits.min, limits.max),
  };
}

/** One page of `items`; a page beyond the last is empty, not an error (the SDK's pager relies on it). */
export function cutPage<T>(items: readonly T[], { page, perPage }: Page): { items: T[]; info: ResultInfo } {
  const cut = items.slice((page - 1) * perPage, page * perPage);
  const info = {
    page,
    per_page: perPage,
    count: cut.length,
    total_count: items.length,
    total_pages: Math.ceil(items.length / perPage),
  };
  return { items: cut, info };
}

type Test = (record: StoredRecord) => boolean;

const comparisons: Record<string, (value: string, wanted: string) => boolean> = {
  exact: (value, wanted) => value === wanted,
  contains: (value, wanted) => value.includes(wanted),
  startswith: (value, wanted) => value.startsWith(wanted),
  endswith: (value, wanted) => value.endsWith(wanted),
};

const plain = new Set('page per_page order direction match tag_match type proxied search'.split(' '));

/**
 * The filters of https://developers.cloudflare.com/api/resources/dns/subresources/records/methods/list/
 * An unknown parameter is refused, which the real API does not do: a misspelt filter must not return a whole zone.
 */
export function filterRecords(records: readonly StoredRecord[], query: URLSearchParams): StoredRecord[] {
  const tests: Test[] = [];
  for (const [key, value] of query) {
    const test = readFilter(key, value);
    if (test) tests.push(test);
    else if (!plain.has(key)) throw apiErrors.parameter(`Unknown parameter ${key}.`);
  }
  const match = readChoice(query, 'match', ['all', 'any']);
  const kept = records.filter((record) =>
    match === 'any' && tests.length > 0
      ? tests.some((test) => test(record))
      : tests.every((test) => test(record)),
  );
  return sortRecords(kept, query);
}

function readFilter(key: string, value: string): Test | undefined {
  const wanted = value.toLowerCase();
  if (key === 'type') return (record) => record.type === value;
  if (key === 'proxied') {
    if (value !== 'true' && value !== 'false')
      throw apiErrors.parameter('Invalid proxied: must be a boolean.');
    return (record) => String(record.proxied) === value;
  }
  if (key === 'search') {
    return (record) =>
      `${record.name} ${record.content} ${record.comment ?? ''}`.toLowerCase().includes(wanted);
  }
  const [field, operator = 'exact'] = key.split('.', 2);
  if (field === 'comment' && operator === 'present') return (record) => record.comment !== null;
  if (field === 'comment' && operator === 'absent') return (record) => record.comment === null;
  const compare = comparisons[operator];
  if (!compare || (field !== 'name' && field !== 'content' && field !== 'comment')) return undefined;
  return (record) => compare((record[field] ?? '').toLowerCase(), wanted);
}

function readChoice(query: URLSearchParams, name: string, choices: readonly string[]): string | undefined {
  const value = query.get(name) ?? undefined;
  if (value !== undefined && !choices.includes(value)) {
    throw apiErrors.parameter(`Invalid ${name}: must be one of ${choices.join(', ')}.`);
  }
  return value;
}

function sortRecords(records: StoredRecord[], query: URLSearchParams): StoredRecord[] {
  const order = readChoice(query, 'order', ['type', 'name', 'content', 'ttl', 'proxied']) ?? 'type';
  const sign = readChoice(query, 'direction', ['asc', 'desc']) === 'desc' ? -1 : 1;
  const keyOf = (record: StoredRecord): string =>
    order === 'ttl'
      ? String(record.ttl).padStart(6, '0')
      : String(record[order as 'type' | 'name' | 'content' | 'proxied']);
  return records.sort((a, b) => sign * (keyOf(a) < keyOf(b) ? -1 : keyOf(a) > keyOf(b) ? 1 : 0));
}
