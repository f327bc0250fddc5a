import { formatIpv6, inNetwork, parseIp } from '../../lib/ip.js';

/** The SMTP client's address; an IPv4-mapped IPv6 address counts as IPv4 (RFC 7208 section 5). */
export interface ClientIp {
  version: 4 | 6;
  bytes: readonly number[];
}

const mappedPrefix = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

export function parseClientIp(text: string): ClientIp | undefined {
  const bytes = parseIp(text);
  if (!bytes) return undefined;
  if (bytes.length === 4) return { version: 4, bytes };
  const mapped = mappedPrefix.every((byte, index) => bytes[index] === byte);
  return mapped ? { version: 4, bytes: bytes.slice(12) } : { version: 6, bytes };
}

export function formatClientIp(ip: ClientIp): string {
  return ip.version === 4 ? ip.bytes.join('.') : formatIpv6(ip.bytes);
}

/** Whether the client lies in the network that `address` and the prefix length for its family give. */
export function matchesAddress(ip: ClientIp, address: string, prefix: { v4: number; v6: number }): boolean {
  const network = parseIp(address);
  return network !== undefined && inNetwork(ip.bytes, network, ip.version === 4 ? prefix.v4 : prefix.v6);
}
