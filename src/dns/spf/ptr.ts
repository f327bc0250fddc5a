import { reverseName } from '../reverse-name.js';
import { type ClientIp, matchesAddress } from './client-ip.js';
import { toQueryName } from './macro.js';
import type { SpfLookup } from './types.js';

export interface ValidatedNames {
  names: readonly string[];
  /** The PTR question was answered, with nothing (RFC 7208 4.6.4). */
  isVoid: boolean;
}

/**
 * The client's names that resolve back to its address (RFC 7208 5.5), at most `most` of them looked at.
 * A failing lookup means no names; a name whose lookup fails is skipped.
 */
export async function findValidatedNames(
  ip: ClientIp,
  lookup: SpfLookup,
  most: number,
): Promise<ValidatedNames> {
  const pointers = await lookup(reverseName(ip.bytes), 'PTR');
  if (pointers.status !== 'ok') return { names: [], isVoid: pointers.status !== 'error' };
  const names = pointers.values.slice(0, most).flatMap((value) => toQueryName(value) ?? []);
  const valid = await Promise.all(
    names.map(async (name) => {
      const answer = await lookup(name, ip.version === 4 ? 'A' : 'AAAA');
      return answer.values.some((value) => matchesAddress(ip, value, { v4: 32, v6: 128 }));
    }),
  );
  return { names: names.filter((_, index) => valid[index]), isVoid: pointers.values.length === 0 };
}
