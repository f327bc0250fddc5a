/** Addresses as bytes: parsing, the one canonical spelling, and which ranges are not for the public Internet. */

/** Strict dotted decimal: four numbers without leading zeros (`010` is octal to some readers). */
export function parseIpv4(text: string): number[] | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  const bytes: number[] = [];
  for (const part of parts) {
    if (!/^(?:0|[1-9]\d{0,2})$/.test(part)) return undefined;
    const value = Number(part);
    if (value > 255) return undefined;
    bytes.push(value);
  }
  return bytes;
}

function parseGroups(text: string): number[] | undefined {
  if (text === '') return [];
  const bytes: number[] = [];
  const groups = text.split(':');
  for (const [index, group] of groups.entries()) {
    if (group.includes('.')) {
      const v4 = index === groups.length - 1 ? parseIpv4(group) : undefined;
      if (v4 === undefined) return undefined;
      bytes.push(...v4);
    } else {
      if (!/^[0-9a-f]{1,4}$/i.test(group)) return undefined;
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 255);
    }
  }
  return bytes;
}

/** RFC 4291 section 2.2, without zone index. */
export function parseIpv6(text: string): number[] | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0] ?? '');
  const tail = halves.length === 2 ? parseGroups(halves[1] ?? '') : [];
  if (head === undefined || tail === undefined) return undefined;
  // "::" stands for at least one group; a dotted quad is only legal at the very end.
  if (halves.length === 2) {
    if ((halves[0] ?? '').includes('.')) return undefined;
    const gap = 16 - head.length - tail.length;
    return gap >= 2 ? [...head, ...new Array<number>(gap).fill(0), ...tail] : undefined;
  }
  return head.length === 16 ? head : undefined;
}

/** RFC 5952: lower-case, longest run of two or more zero groups compressed, the first one on a tie. */
export function formatIpv6(bytes: readonly number[]): string {
  const groups = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0));
  let best = { start: -1, length: 1 };
  for (let i = 0; i < 8; i++) {
    let length = 0;
    while (i + length < 8 && groups[i + length] === 0) length++;
    if (length > best.length) best = { start: i, length };
    i += length > 0 ? length - 1 : 0;
  }
  const hex = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(':');
  if (best.start < 0) return hex(groups);
  return `${hex(groups.slice(0, best.start))}::${hex(groups.slice(best.start + best.length))}`;
}

/** Bytes of either family; undefined when the text is no address. */
export function parseIp(text: string): number[] | undefined {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text);
}

/** The one spelling of an address, or undefined when the text is none. */
export function canonicalIp(text: string): string | undefined {
  const bytes = parseIp(text);
  if (bytes === undefined) return undefined;
  return bytes.length === 4 ? bytes.join('.') : formatIpv6(bytes);
}

/** Whether `address` lies in `network/bits`; families never match each other. */
export function inNetwork(address: readonly number[], network: readonly number[], bits: number): boolean {
  if (address.length !== network.length || bits < 0 || bits > network.length * 8) return false;
  return network.every((byte, i) => {
    const left = Math.min(8, Math.max(0, bits - i * 8));
    const mask = (0xff << (8 - left)) & 0xff;
    return ((address[i] ?? 0) & mask) === (byte & mask);
  });
}

/** IANA special-purpose registries (RFC 6890 and successors), as far as a mail host could be there by mistake. */
const special: readonly (readonly [cidr: string, kind: string])[] = [
  ['0.0.0.0/8', 'unspecified'],
  ['10.0.0.0/8', 'private'],
  ['100.64.0.0/10', 'carrier-grade NAT'],
  ['127.0.0.0/8', 'loopback'],
  ['169.254.0.0/16', 'link-local'],
  ['172.16.0.0/12', 'private'],
  ['192.0.0.0/24', 'protocol assignment'],
  ['192.0.2.0/24', 'documentation'],
  ['192.88.99.0/24', 'reserved'],
  ['192.168.0.0/16', 'private'],
  ['198.18.0.0/15', 'benchmarking'],
  ['198.51.100.0/24', 'documentation'],
  ['203.0.113.0/24', 'documentation'],
  ['224.0.0.0/4', 'multicast'],
  ['240.0.0.0/4', 'reserved'],
  ['::/128', 'unspecified'],
  ['::1/128', 'loopback'],
  ['::ffff:0:0/96', 'IPv4-mapped'],
  ['64:ff9b:1::/48', 'local translation'],
  ['100::/64', 'discard'],
  ['2001::/32', 'Teredo'],
  ['2001:2::/48', 'benchmarking'],
  ['2001:db8::/32', 'documentation'],
  ['2002::/16', '6to4'],
  ['3fff::/20', 'documentation'],
  ['fc00::/7', 'private'],
  ['fe80::/10', 'link-local'],
  ['fec0::/10', 'site-local'],
  ['ff00::/8', 'multicast'],
];

const specialNetworks = special.map(([cidr, kind]) => {
  const [network = '', bits = ''] = cidr.split('/');
  return { network: parseIp(network) ?? [], bits: Number(bits), kind };
});

/** Why an address is not of the public Internet (`private`, `documentation`, …); undefined when it is public. */
export function specialAddressKind(address: string): string | undefined {
  const bytes = parseIp(address);
  if (bytes === undefined) return 'no address';
  return specialNetworks.find(({ network, bits }) => inNetwork(bytes, network, bits))?.kind;
}
