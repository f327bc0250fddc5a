/** An IP address as bytes; IPv4-mapped IPv6 addresses are read as IPv4 (RFC 4291 2.5.5.2). */
export interface IpAddress {
  version: 4 | 6;
  bytes: Uint8Array;
}

const octet = /^(?:0|[1-9]\d?|1\d\d|2[0-4]\d|25[0-5])$/;

/** Dotted quad without leading zeros (the `qnum` of RFC 7208 5.6), or undefined. */
export function parseIpv4(text: string): Uint8Array | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => octet.test(part))) return undefined;
  return Uint8Array.from(parts, Number);
}

/** RFC 4291 2.2 text form, without zone index; 16 bytes, or undefined. */
export function parseIpv6(text: string): Uint8Array | undefined {
  if (text.length < 2 || text.length > 45) return undefined;
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = readGroups(halves[0] ?? '', halves.length === 1);
  const tail = halves.length === 2 ? readGroups(halves[1] ?? '', true) : [];
  if (!head || !tail) return undefined;
  const missing = 16 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 2) return undefined;
  return Uint8Array.from([...head, ...new Array<number>(missing).fill(0), ...tail]);
}

function readGroups(text: string, mayEndInV4: boolean): number[] | undefined {
  if (text === '') return [];
  const bytes: number[] = [];
  const groups = text.split(':');
  for (const [index, group] of groups.entries()) {
    if (mayEndInV4 && index === groups.length - 1 && group.includes('.')) {
      const v4 = parseIpv4(group);
      if (!v4) return undefined;
      bytes.push(...v4);
    } else {
      if (!/^[0-9a-f]{1,4}$/i.test(group)) return undefined;
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    }
  }
  return bytes;
}

/** Either family; `::ffff:192.0.2.1` comes back as IPv4. */
export function parseIp(text: string): IpAddress | undefined {
  const v4 = parseIpv4(text);
  if (v4) return { version: 4, bytes: v4 };
  const v6 = parseIpv6(text);
  if (!v6) return undefined;
  const mapped = v6.subarray(0, 10).every((byte) => byte === 0) && v6[10] === 0xff && v6[11] === 0xff;
  return mapped ? { version: 4, bytes: v6.slice(12) } : { version: 6, bytes: v6 };
}

/** Whether the first `prefix` bits agree; false across families. */
export function inNetwork(ip: IpAddress, network: IpAddress, prefix: number): boolean {
  if (ip.version !== network.version) return false;
  return samePrefix(ip.bytes, network.bytes, prefix);
}

export function samePrefix(a: Uint8Array, b: Uint8Array, prefix: number): boolean {
  for (let bit = 0; bit < prefix; bit += 8) {
    const mask = prefix - bit >= 8 ? 0xff : (0xff << (8 - (prefix - bit))) & 0xff;
    if (((a[bit / 8] ?? 0) & mask) !== ((b[bit / 8] ?? 0) & mask)) return false;
  }
  return true;
}

/** Canonical text: dotted quad, or the form of RFC 5952. */
export function formatIp(ip: IpAddress): string {
  if (ip.version === 4) return Array.from(ip.bytes).join('.');
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push(((ip.bytes[i] ?? 0) << 8) | (ip.bytes[i + 1] ?? 0));
  let best = { start: -1, length: 1 };
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  const hex = groups.map((group) => group.toString(16));
  if (best.start < 0) return hex.join(':');
  return `${hex.slice(0, best.start).join(':')}::${hex.slice(best.start + best.length).join(':')}`;
}

/** Canonical text of `text`, or undefined when it is no address. Mapped addresses become IPv4. */
export function canonicalIp(text: string): string | undefined {
  const ip = parseIp(text);
  return ip && formatIp(ip);
}

/** The 32 hexadecimal nibbles of an IPv6 address, high first. */
export function nibblesOf(bytes: Uint8Array): string[] {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0'))
    .join('')
    .split('');
}

/** Name under in-addr.arpa or ip6.arpa that holds the PTR (RFC 1035 3.5, RFC 3596 2.5). */
export function reverseName(ip: IpAddress): string {
  return ip.version === 4
    ? `${Array.from(ip.bytes).reverse().join('.')}.in-addr.arpa`
    : `${nibblesOf(ip.bytes).reverse().join('.')}.ip6.arpa`;
}

export type AddressClass =
  | 'public'
  | 'private'
  | 'cgnat'
  | 'documentation'
  | 'link-local'
  | 'loopback'
  | 'reserved';

/** Special-purpose blocks of RFC 6890 and its successors that no mail host on the Internet can have. */
const blocks: readonly (readonly [string, number, AddressClass])[] = [
  ['127.0.0.0', 8, 'loopback'],
  ['10.0.0.0', 8, 'private'],
  ['172.16.0.0', 12, 'private'],
  ['192.168.0.0', 16, 'private'],
  ['100.64.0.0', 10, 'cgnat'],
  ['169.254.0.0', 16, 'link-local'],
  ['192.0.2.0', 24, 'documentation'],
  ['198.51.100.0', 24, 'documentation'],
  ['203.0.113.0', 24, 'documentation'],
  ['198.18.0.0', 15, 'reserved'],
  ['192.0.0.0', 24, 'reserved'],
  ['0.0.0.0', 8, 'reserved'],
  ['224.0.0.0', 3, 'reserved'],
  ['::1', 128, 'loopback'],
  ['::', 128, 'reserved'],
  ['fc00::', 7, 'private'],
  ['fe80::', 10, 'link-local'],
  ['2001:db8::', 32, 'documentation'],
  ['3fff::', 20, 'documentation'],
  ['64:ff9b:1::', 48, 'private'],
  ['100::', 64, 'reserved'],
  ['ff00::', 8, 'reserved'],
];
const parsedBlocks = blocks.flatMap(([network, prefix, kind]) => {
  const ip = parseIp(network);
  return ip ? [{ ip, prefix, kind }] : [];
});

/** NAT64 and 6to4 addresses carry an IPv4 address that decides their class. */
export function classifyAddress(ip: IpAddress): AddressClass {
  const inner = embeddedIpv4(ip);
  if (inner) return classifyAddress(inner);
  for (const block of parsedBlocks) if (inNetwork(ip, block.ip, block.prefix)) return block.kind;
  return 'public';
}

function embeddedIpv4(ip: IpAddress): IpAddress | undefined {
  if (ip.version !== 6) return undefined;
  const [a, b, c, d] = ip.bytes;
  if (a === 0x20 && b === 0x02) return { version: 4, bytes: ip.bytes.slice(2, 6) };
  const zeros = ip.bytes.subarray(4, 12).every((byte) => byte === 0);
  if (a === 0 && b === 0x64 && c === 0xff && d === 0x9b && zeros)
    return { version: 4, bytes: ip.bytes.slice(12) };
  return undefined;
}
