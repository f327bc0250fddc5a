import type { RawRequest } from '../cloudflare/emulator.js';
import { hetznerErrors } from './api-error.js';
import type { SetMember } from './zone-store.js';

export type Json = Readonly<Record<string, unknown>>;

export function only(method: string, wanted: string, serve: () => Json): Json {
  if (method !== wanted) throw hetznerErrors.method();
  return serve();
}

export function requireKnown(query: URLSearchParams, known: readonly string[]): void {
  for (const key of query.keys())
    if (!known.includes(key)) throw hetznerErrors.input(key, 'unknown parameter');
}

/** https://docs.hetzner.cloud/reference/cloud#pagination */
export function cutPage<T>(all: readonly T[], query: URLSearchParams): { items: readonly T[]; meta: Json } {
  const read = (key: string, usual: number, most: number): number => {
    const text = query.get(key) ?? String(usual);
    if (!/^[1-9]\d{0,6}$/.test(text) || Number(text) > most) throw hetznerErrors.input(key, 'out of range');
    return Number(text);
  };
  const [page, perPage] = [read('page', 1, 1_000_000), read('per_page', 25, 50)];
  const last = Math.max(1, Math.ceil(all.length / perPage));
  const pagination = {
    page,
    per_page: perPage,
    previous_page: page > 1 ? page - 1 : null,
    next_page: page < last ? page + 1 : null,
    last_page: last,
    total_entries: all.length,
  };
  return { items: all.slice((page - 1) * perPage, page * perPage), meta: { pagination } };
}

export function readBody({ headers, body }: RawRequest, fields: readonly string[]): Json {
  if (!/^application\/json\b/i.test(headers['content-type'] ?? '')) throw hetznerErrors.json();
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) throw hetznerErrors.json();
    throw error;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw hetznerErrors.json();
  const unknown = Object.keys(value).find((key) => !fields.includes(key));
  if (unknown !== undefined) throw hetznerErrors.input(unknown, 'unknown field');
  return value as Json;
}

export function readTtl({ ttl }: Json): { ttl?: number } {
  if (ttl === undefined || ttl === null) return {};
  if (typeof ttl !== 'number') throw hetznerErrors.input('ttl', 'must be a number');
  return { ttl };
}

export function readMembers({ records }: Json, needed: boolean): SetMember[] {
  if (!Array.isArray(records)) throw hetznerErrors.input('records', 'missing');
  if (needed && records.length === 0) throw hetznerErrors.input('records', 'must not be empty');
  return records.map((entry: unknown, index): SetMember => {
    const at = `records[${index}]`;
    if (typeof entry !== 'object' || entry === null) throw hetznerErrors.input(at, 'must be an object');
    const { value, comment, ...rest } = entry as Json;
    if (typeof value !== 'string' || value === '') throw hetznerErrors.input(`${at}.value`, 'missing');
    if (comment !== undefined && typeof comment !== 'string')
      throw hetznerErrors.input(`${at}.comment`, 'no text');
    if (Object.keys(rest).length > 0) throw hetznerErrors.input(at, 'unknown field');
    return { value, ...(comment === undefined ? {} : { comment }) };
  });
}
