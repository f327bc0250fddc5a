import { formatIp, type IpAddress, parseIp, reverseName } from '../parse/ip.js';
import { toQueryName } from './macro.js';
import type { SpfLookup } from './types.js';

/**
 * The client's names that resolve back to its address (RFC 7208 5.5), at most `most` of them looked at.
 * A failing lookup means no names; a name whose lookup fails is skipped.
 */
export async function findValidatedNames(
  ip: IpAddress,
  lookup: SpfLookup,
  most: number,
): Promise<readonly string[]> {
  const pointers = await lookup(reverseName(ip), 'PTR');
  if (pointers.status !== 'ok') return [];
  const names = pointers.values.slice(0, most).flatMap((value) => toQueryName(value) ?? []);
  const own = formatIp(ip);
  const valid = await Promise.all(
    names.map(async (name) => {
      const answer = await lookup(name, ip.version === 4 ? 'A' : 'AAAA');
      return answer.values.some((value) => {
        const address = parseIp(value);
        return address !== undefined && formatIp(address) === own;
      });
    }),
  );
  return names.filter((_, index) => valid[index]);
}

/** Equal to `domain` or below it; both lower-case. */
export function isWithin(name: string, domain: string): boolean {
  return name === domain || name.endsWith(`.${domain}`);
}
