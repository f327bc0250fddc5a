import { formatIpv6, parseIpv4, parseIpv6 } from '../../../lib/ip.js';
import type { RecordData } from '../../record.js';
import { bytesToText, splitTxt, textToBytes } from '../../txt.js';
import { type WireReader, write } from './wire.js';

/** https://www.iana.org/assignments/dns-parameters/ */
export const typeCodes: Readonly<Record<string, number>> = {
  ...{ A: 1, NS: 2, CNAME: 5, SOA: 6, PTR: 12, HINFO: 13, MX: 15, TXT: 16, AAAA: 28, LOC: 29, SRV: 33 },
  ...{ NAPTR: 35, DNAME: 39, DS: 43, SSHFP: 44, RRSIG: 46, NSEC: 47, DNSKEY: 48, NSEC3: 50, NSEC3PARAM: 51 },
  ...{ TLSA: 52, SMIMEA: 53, CDS: 59, CDNSKEY: 60, OPENPGPKEY: 61, SVCB: 64, HTTPS: 65, SPF: 99 },
  ...{ TSIG: 250, AXFR: 252, ANY: 255, URI: 256, CAA: 257 },
};

const typeNames = new Map(Object.entries(typeCodes).map(([name, code]) => [code, name]));

/** The type as a zone file writes it; unknown ones as in RFC 3597 section 5. */
export function typeName(code: number): string {
  return typeNames.get(code) ?? `TYPE${code}`;
}

function addressBytes(text: string, parse: (text: string) => number[] | undefined): Buffer {
  const bytes = parse(text);
  if (bytes === undefined) throw new RangeError(`not an address: ${text}`);
  return Buffer.from(bytes);
}

/** RDATA on the wire, names uncompressed (RFC 3597 section 4). Throws RangeError for data that has no wire form. */
export function encodeData(data: RecordData): Buffer {
  const { u16, name } = write;
  switch (data.type) {
    case 'A':
      return addressBytes(data.address, parseIpv4);
    case 'AAAA':
      return addressBytes(data.address, parseIpv6);
    case 'CNAME':
    case 'NS':
    case 'PTR':
      return name(data.target);
    case 'MX':
      return Buffer.concat([u16(data.preference), name(data.exchange)]);
    case 'TXT':
      return Buffer.concat(splitTxt(data.text).flatMap((piece) => [Buffer.from([piece.length]), piece]));
    case 'SRV':
      return Buffer.concat([u16(data.priority), u16(data.weight), u16(data.port), name(data.target)]);
    case 'CAA': {
      const tag = Buffer.from(data.tag, 'ascii');
      return Buffer.concat([Buffer.from([data.flags, tag.length]), tag, textToBytes(data.value)]);
    }
    case 'TLSA':
      return Buffer.concat([
        Buffer.from([data.usage, data.selector, data.matchingType]),
        Buffer.from(data.data, 'hex'),
      ]);
    case 'OTHER':
      throw new RangeError(`records of type ${data.rrtype} are not written`);
  }
}

/** RDATA of an answer: its meaning, and its bytes with the names uncompressed, as prerequisites and deletions need them. */
export function decodeData(
  code: number,
  reader: WireReader,
  length: number,
): { data: RecordData; raw: Buffer } {
  const end = reader.at + length;
  const type = typeName(code);
  const start = reader.at;
  const plain = (): Buffer => reader.bytes.subarray(start, end);
  const generic = (raw: Buffer): { data: RecordData; raw: Buffer } => ({
    data: {
      type: 'OTHER',
      rrtype: type,
      text: `\\# ${raw.length}${raw.length > 0 ? ' ' : ''}${raw.toString('hex')}`,
    },
    raw,
  });
  switch (type) {
    case 'A':
      return { data: { type, address: [...reader.take(4)].join('.') }, raw: plain() };
    case 'AAAA':
      return { data: { type, address: formatIpv6([...reader.take(16)]) }, raw: plain() };
    case 'CNAME':
    case 'NS':
    case 'PTR': {
      const { name: target, raw } = reader.name();
      return { data: { type, target }, raw };
    }
    case 'MX': {
      const preference = reader.u16();
      const { name: exchange, raw } = reader.name();
      return { data: { type, preference, exchange }, raw: Buffer.concat([write.u16(preference), raw]) };
    }
    case 'SRV': {
      const head = reader.take(6);
      const { name: target, raw } = reader.name();
      const [priority, weight, port] = [head.readUInt16BE(0), head.readUInt16BE(2), head.readUInt16BE(4)];
      return { data: { type, priority, weight, port, target }, raw: Buffer.concat([head, raw]) };
    }
    case 'SOA': {
      const names = [reader.name().raw, reader.name().raw];
      return generic(Buffer.concat([...names, reader.take(20)]));
    }
    case 'TXT': {
      const pieces: Buffer[] = [];
      while (reader.at < end) pieces.push(reader.take(reader.u8()));
      return { data: { type, text: bytesToText(Buffer.concat(pieces)) }, raw: plain() };
    }
    case 'CAA': {
      const flags = reader.u8();
      const tag = reader.take(reader.u8()).toString('latin1');
      const value = bytesToText(reader.take(Math.max(0, end - reader.at)));
      return { data: { type, flags, tag, value }, raw: plain() };
    }
    case 'TLSA': {
      const [usage, selector, matchingType] = [reader.u8(), reader.u8(), reader.u8()];
      const data = reader.take(Math.max(0, end - reader.at)).toString('hex');
      return { data: { type, usage, selector, matchingType, data }, raw: plain() };
    }
    default:
      return generic(reader.take(length));
  }
}
