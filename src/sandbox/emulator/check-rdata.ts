import { isIPv4, isIPv6 } from 'node:net';

const label = '[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?';
const hostName = new RegExp(`^(@|\\.|(${label}\\.)*${label}\\.?)$`);
const number = (text: string | undefined, most: number): boolean =>
  text !== undefined && /^\d{1,10}$/.test(text) && Number(text) <= most;

/** Character-strings of a TXT value in zone-file form; undefined when it is not quoted strings only. */
export function readQuotedStrings(value: string): string[] | undefined {
  if (!/^"(?:[^"\\]|\\\d{3}|\\[^\d])*"(?:\s+"(?:[^"\\]|\\\d{3}|\\[^\d])*")*$/.test(value)) return undefined;
  return [...value.matchAll(/"((?:[^"\\]|\\\d{3}|\\[^\d])*)"/g)].map(([, inside]) => inside ?? '');
}

const lengthOf = (inside: string): number => Buffer.byteLength(inside.replace(/\\(\d{3}|.)/g, 'x'));

/** What is wrong with record data in zone-file form (RFC 1035 section 5.1), for the types that mail uses. */
export function checkRdata(type: string, value: string): string | undefined {
  const words = value.split(' ');
  const [first, second, third] = words;
  switch (type) {
    case 'A':
      return isIPv4(value) ? undefined : 'invalid IPv4 address';
    case 'AAAA':
      return isIPv6(value) ? undefined : 'invalid IPv6 address';
    case 'CNAME':
    case 'NS':
    case 'PTR':
      return hostName.test(value) ? undefined : 'invalid host name';
    case 'MX':
      return words.length === 2 && number(first, 65_535) && hostName.test(second ?? '')
        ? undefined
        : 'invalid MX record';
    case 'SRV':
      return words.length === 4 &&
        words.slice(0, 3).every((word) => number(word, 65_535)) &&
        hostName.test(words[3] ?? '')
        ? undefined
        : 'invalid SRV record';
    case 'TXT': {
      const strings = readQuotedStrings(value);
      if (!strings) return 'a TXT record must be fully quoted';
      return strings.some((inside) => lengthOf(inside) > 255)
        ? 'a TXT string exceeds 255 characters'
        : undefined;
    }
    case 'CAA':
      return number(first, 255) && /^[A-Za-z0-9]+ ".*"$/.test(words.slice(1).join(' '))
        ? undefined
        : 'invalid CAA record';
    case 'TLSA':
      return words.length === 4 &&
        number(first, 255) &&
        number(second, 255) &&
        number(third, 255) &&
        /^([0-9a-fA-F]{2})+$/.test(words[3] ?? '')
        ? undefined
        : 'invalid TLSA record';
    default:
      return undefined;
  }
}
