import { parseIp } from '../lib/ip.js';

/** The 32 hexadecimal digits of an IPv6 address, high first. */
export function nibblesOf(bytes: readonly number[]): string[] {
  return bytes.flatMap((byte) => [(byte >> 4).toString(16), (byte & 15).toString(16)]);
}

/** Name under in-addr.arpa (RFC 1035 3.5) or ip6.arpa (RFC 3596 2.5) that holds the PTR. */
export function reverseName(bytes: readonly number[]): string {
  return bytes.length === 4
    ? `${[...bytes].reverse().join('.')}.in-addr.arpa`
    : `${nibblesOf(bytes).reverse().join('.')}.ip6.arpa`;
}

/** The same from text; undefined when it is no address. */
export function reverseNameOf(address: string): string | undefined {
  const bytes = parseIp(address);
  return bytes && reverseName(bytes);
}
