import type { ZoneBackend, ZoneRecord } from '../cloudflare/zone-backend.js';

const keyOf = ({ name, ttl, type, rdata }: ZoneRecord): string => `${name} ${ttl} ${type} ${rdata}`;

/** Brings what the name server answers from one state of a zone to another, in one transaction. */
export async function publish(
  backend: ZoneBackend,
  zone: string,
  before: readonly ZoneRecord[],
  after: readonly ZoneRecord[],
): Promise<void> {
  const had = new Set(before.map(keyOf));
  const has = new Set(after.map(keyOf));
  const remove = before.filter((record) => !has.has(keyOf(record)));
  const add = after.filter((record) => !had.has(keyOf(record)));
  if (remove.length + add.length > 0) await backend.update(zone, { add, remove });
}
