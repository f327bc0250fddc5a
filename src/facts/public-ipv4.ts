import { isIP } from 'node:net';
import { specialAddressKind } from '../lib/ip.js';
import type { Addresses } from './addresses.js';

/** Kinds that lead nowhere but to this machine or its own link: a forwarded port, never an address of the server. */
const local: ReadonlySet<string | undefined> = new Set(['loopback', 'unspecified', 'link-local']);

/**
 * The address under which the world sees the server. Behind address translation that is the one it was reached at
 * (`reachedAt`), and not its own; but nobody is reached from everywhere at an address of a private network.
 */
export function publicIpv4(addresses: Addresses, reachedAt: string): string | undefined {
  const { ipv4, ipv6, all } = addresses;
  const isGlobal = (address: string): boolean =>
    isIP(address) === 4 && specialAddressKind(address) === undefined;
  const own = [...(ipv4 === undefined ? [] : [ipv4]), ...all].find(isGlobal) ?? ipv4;
  if (isIP(reachedAt) !== 4 || [...all, ipv4, ipv6].includes(reachedAt)) return own;
  if (isGlobal(reachedAt)) return reachedAt;
  const better = own === undefined || !isGlobal(own);
  return better && !local.has(specialAddressKind(reachedAt)) ? reachedAt : own;
}
