import dnsPacket from 'dns-packet';
import { canonicalIp } from '../../lib/ip.js';
import { bytesToText } from '../txt.js';
import type { QueryType, ResolvedRecord } from './types.js';

export interface WireReply {
  ok: true;
  /** Header code with the EDNS extension: 0 NOERROR, 2 SERVFAIL, 3 NXDOMAIN, 5 REFUSED, … */
  rcode: number;
  authoritative: boolean;
  truncated: boolean;
  recursionAvailable: boolean;
  authenticData: boolean;
  edns: boolean;
  answers: readonly ResolvedRecord[];
  authority: readonly ResolvedRecord[];
  additional: readonly ResolvedRecord[];
  transport: 'udp' | 'tcp';
}

export interface Question {
  id: number;
  name: string;
  type: QueryType;
}

/**
 * Undefined when `bytes` is no reply to the question (other id, other name): spoofed or stray. Decoding touches
 * foreign bytes with a library that throws on nonsense, so its exceptions mean `malformed`.
 */
export function decodeReply(bytes: Buffer, question: Question): WireReply | 'malformed' | undefined {
  if (bytes.length < 12 || bytes.readUInt16BE(0) !== question.id) return undefined;
  const flags = bytes.readUInt16BE(2);
  const isReply = (flags & 0x8000) !== 0 && (flags & 0x7800) === 0;
  if (!isReply) return undefined;
  let packet: dnsPacket.DecodedPacket;
  try {
    packet = dnsPacket.decode(bytes);
  } catch (error) {
    // Some servers cut a truncated message in the middle of a record; the header is all that is needed then.
    const truncated = (flags & 0x0200) !== 0;
    if (truncated && error instanceof Error) return emptyReply(flags);
    return 'malformed';
  }
  const rcode = flags & 0xf;
  const echoes = packet.questions ?? [];
  const echo = echoes[0];
  // Error replies may come without the question (RFC 1035 4.1.1 leaves it open, some servers do it).
  const bare = echoes.length === 0 && rcode !== 0 && rcode !== 3;
  if (!bare && !(echoes.length === 1 && echo && sameQuestion(echo, question))) return undefined;
  const additionals = packet.additionals ?? [];
  const opt = additionals.find((record) => record.type === 'OPT');
  return {
    ...emptyReply(flags),
    rcode: rcode | ((opt?.type === 'OPT' ? opt.extendedRcode : 0) << 4),
    edns: opt !== undefined,
    answers: readRecords(packet.answers),
    authority: readRecords(packet.authorities),
    additional: readRecords(additionals),
  };
}

function emptyReply(flags: number): WireReply {
  return {
    ok: true,
    rcode: flags & 0xf,
    authoritative: (flags & 0x0400) !== 0,
    truncated: (flags & 0x0200) !== 0,
    recursionAvailable: (flags & 0x0080) !== 0,
    authenticData: (flags & 0x0020) !== 0,
    edns: false,
    answers: [],
    authority: [],
    additional: [],
    transport: 'udp',
  };
}

function sameQuestion(echo: dnsPacket.Question, question: Question): boolean {
  return (
    readName(echo.name) === question.name.toLowerCase() && echo.type === question.type && echo.class === 'IN'
  );
}

function readName(name: string): string {
  return name === '.' ? '' : name.toLowerCase();
}

function readRecords(answers: readonly dnsPacket.Answer[] | undefined): ResolvedRecord[] {
  const records: ResolvedRecord[] = [];
  for (const answer of answers ?? []) {
    if (answer.type === 'OPT' || answer.class !== 'IN') continue;
    const read = readData(answer);
    // RFC 2181 8: a TTL with the top bit set counts as zero.
    const ttl = answer.ttl !== undefined && answer.ttl < 0x80000000 ? answer.ttl : 0;
    if (read) records.push({ name: readName(answer.name), ttl, ...read });
  }
  return records;
}

type Data = Pick<ResolvedRecord, 'data' | 'strings'>;

function readData(answer: dnsPacket.Answer): Data | undefined {
  switch (answer.type) {
    case 'A':
    case 'AAAA':
      return { data: { type: answer.type, address: canonicalIp(answer.data) ?? answer.data } };
    case 'CNAME':
    case 'NS':
    case 'PTR':
      return { data: { type: answer.type, target: readName(answer.data) } };
    case 'MX':
      return {
        data: {
          type: 'MX',
          preference: answer.data.preference ?? 0,
          exchange: readName(answer.data.exchange),
        },
      };
    case 'TXT': {
      const strings = toBuffers(answer.data);
      return {
        data: { type: 'TXT', text: bytesToText(Buffer.concat(strings)) },
        strings: strings.map((part) => bytesToText(part)),
      };
    }
    case 'SRV':
      return {
        data: {
          type: 'SRV',
          priority: answer.data.priority ?? 0,
          weight: answer.data.weight ?? 0,
          port: answer.data.port,
          target: readName(answer.data.target),
        },
      };
    case 'CAA':
      return {
        data: {
          type: 'CAA',
          flags: answer.data.flags ?? 0,
          tag: answer.data.tag.toLowerCase(),
          value: answer.data.value,
        },
      };
    case 'TLSA': {
      const { usage, selector, matchingType, certificate } = answer.data;
      return {
        data: { type: 'TLSA', usage, selector, matchingType, data: certificate.toString('hex') },
      };
    }
    case 'SOA':
      return {
        data: {
          type: 'SOA',
          mname: readName(answer.data.mname),
          rname: readName(answer.data.rname),
          serial: answer.data.serial ?? 0,
          minimum: answer.data.minimum ?? 0,
        },
      };
    case 'DS': {
      const { keyTag, algorithm, digestType, digest } = answer.data;
      return { data: { type: 'DS', keyTag, algorithm, digestType, digest: digest.toString('hex') } };
    }
    case 'DNSKEY': {
      const { flags, algorithm, key } = answer.data;
      return {
        data: {
          type: 'DNSKEY',
          flags,
          algorithm,
          key: key.toString('base64'),
          keyTag: keyTagOf(flags, algorithm, key),
        },
      };
    }
    default:
      return readDeadSpf(answer);
  }
}

/** Type 99, of which the library knows no more than the name. */
function readDeadSpf(answer: { type: string; data?: unknown }): Data | undefined {
  if (answer.type !== 'SPF' || !Buffer.isBuffer(answer.data)) return undefined;
  const strings = splitStrings(answer.data);
  return strings && { data: { type: 'SPF', text: bytesToText(Buffer.concat(strings)) } };
}

/** Character-strings, each with its length in front; undefined when they do not add up. */
function splitStrings(bytes: Buffer): Buffer[] | undefined {
  const strings: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 1 + (bytes[at] ?? 0);
    if (end > bytes.length) return undefined;
    strings.push(bytes.subarray(at + 1, end));
    at = end;
  }
  return strings;
}

function toBuffers(data: dnsPacket.TxtData): Buffer[] {
  return (Array.isArray(data) ? data : [data]).map((part) =>
    typeof part === 'string' ? Buffer.from(part) : part,
  );
}

/** RFC 4034 appendix B; algorithm 1, which counts differently, has been dead for decades. */
function keyTagOf(flags: number, algorithm: number, key: Buffer): number {
  const rdata = Buffer.concat([Buffer.from([flags >> 8, flags & 0xff, 3, algorithm]), key]);
  let sum = 0;
  for (const [index, byte] of rdata.entries()) sum += index % 2 === 0 ? byte << 8 : byte;
  return (sum + (sum >>> 16)) & 0xffff;
}
