import { isWithin } from '../canonical.js';
import type { DnsRecord } from '../record.js';
import { isUnknown, type Resolver } from '../resolver/types.js';
import type { SpfAnswer, SpfLookup, SpfQueryType } from './types.js';

/** SPF lookups over a resolver. */
export function lookupFrom(resolver: Resolver): SpfLookup {
  return async (name, type) => {
    const answer = await resolver.resolve(name, type);
    if (isUnknown(answer.status)) return { status: 'error', values: [] };
    if (answer.status !== 'ok')
      return { status: answer.status === 'nxdomain' ? 'nxdomain' : 'nodata', values: [] };
    return { status: 'ok', values: valuesOf(answer.records.map(({ data }) => data)) };
  };
}

/**
 * SPF lookups as they will be answered once `records` stand in `zone`: names inside it from the records (wildcards
 * and aliases included), all others from `outside`.
 */
export function lookupInZone(zone: string, records: readonly DnsRecord[], outside: SpfLookup): SpfLookup {
  const find = (name: string, type: SpfQueryType, hops: number): SpfAnswer | Promise<SpfAnswer> => {
    if (!isWithin(name, zone)) return outside(name, type);
    const delegated = records.some(
      (record) => record.data.type === 'NS' && record.name !== zone && isWithin(name, record.name),
    );
    if (delegated) return outside(name, type);
    const owner = ownerOf(name, zone, records);
    if (owner === undefined) return { status: 'nxdomain', values: [] };
    const here = records.filter((record) => record.name === owner).map((record) => record.data);
    const alias = here.find((data) => data.type === 'CNAME');
    if (alias?.type === 'CNAME')
      return hops < 8 ? find(alias.target, type, hops + 1) : { status: 'error', values: [] };
    const values = valuesOf(here.filter((data) => data.type === type));
    return { status: values.length > 0 ? 'ok' : 'nodata', values };
  };
  return (name, type) => find(name.toLowerCase(), type, 0);
}

/** The name itself, an empty string for a name that only has others below it, or the wildcard that covers it (RFC 4592). */
function ownerOf(name: string, zone: string, records: readonly DnsRecord[]): string | undefined {
  const exists = (candidate: string) => records.some((record) => isWithin(record.name, candidate));
  if (exists(name)) return name;
  for (let rest = name; rest !== zone; ) {
    rest = rest.includes('.') ? rest.slice(rest.indexOf('.') + 1) : '';
    if (records.some((record) => record.name === `*.${rest}`)) return `*.${rest}`;
    if (exists(rest)) return undefined;
  }
  return undefined;
}

type AnyData = { type: string } & Record<string, unknown>;

function valuesOf(data: readonly AnyData[]): string[] {
  const sorted = [...data].sort((a, b) => Number(a.preference ?? 0) - Number(b.preference ?? 0));
  return sorted.flatMap((one) => {
    const value = one.text ?? one.address ?? one.exchange ?? one.target;
    return typeof value === 'string' ? [value] : [];
  });
}
