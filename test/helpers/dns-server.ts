import { createSocket, type Socket } from 'node:dgram';
import { createServer, type Server } from 'node:net';
import dnsPacket from 'dns-packet';

/** A zone as lines: `name type rdata`, TTL 300; `@zone` names get their SOA and NS from the lines like any other. */
export interface ServerOptions {
  /** Zone apex → records. `name type data`, absolute names; TXT data in double quotes, several strings allowed. */
  zones: Record<string, readonly string[]>;
  /** Answers from all zones at once with RA set, following CNAMEs, as a recursive resolver would. */
  recursive?: boolean;
  address?: string;
  port?: number;
  /** Called for each query; a returned number is sent as RCODE, `drop` sends nothing, `truncate` sets TC over UDP. */
  intercept?(query: {
    name: string;
    type: string;
    tcp: boolean;
    cd: boolean;
  }): number | 'drop' | 'truncate' | 'lame' | undefined;
  /** AD bit. */
  ad?: boolean | ((query: { name: string; type: string }) => boolean);
  /** Raw reply instead of a true one, for hostile-server tests. */
  mangle?(reply: Buffer, query: { name: string; type: string }): Buffer | readonly Buffer[];
}

export interface DnsServer {
  address: string;
  port: number;
  /** `name type` of every query, in order of arrival. */
  queries: string[];
  close(): Promise<void>;
}

interface Line {
  name: string;
  ttl: number;
  type: string;
  data: unknown;
}

/** Answers messages as the described server would, without a socket. `queries` collects what was asked. */
export function createResponder(
  options: ServerOptions,
  queries: string[] = [],
): (message: Buffer, tcp: boolean) => readonly Buffer[] {
  const zones = Object.entries(options.zones).map(([zone, lines]) => ({
    zone,
    records: lines.map(parseLine),
  }));
  return (message, tcp) => {
    const packet = dnsPacket.decode(message);
    const question = packet.questions?.[0];
    if (!question) return [];
    const name = question.name === '.' ? '' : question.name.toLowerCase();
    queries.push(`${name} ${question.type}`);
    const act = options.intercept?.({ name, type: question.type, tcp, cd: packet.flag_cd });
    if (act === 'drop') return [];
    const found =
      typeof act === 'number'
        ? { rcode: act, aa: act === 3, answers: [], authorities: [], additionals: [] }
        : answer(zones, name, question.type, options.recursive === true);
    const opt = packet.additionals?.find((record) => record.type === 'OPT');
    const flags =
      (found.aa && !options.recursive && act !== 'lame' ? dnsPacket.AUTHORITATIVE_ANSWER : 0) |
      (options.recursive ? dnsPacket.RECURSION_AVAILABLE : 0) |
      (isAuthentic(options.ad, name, question.type) ? dnsPacket.AUTHENTIC_DATA : 0) |
      (act === 'truncate' && !tcp ? dnsPacket.TRUNCATED_RESPONSE : 0) |
      found.rcode;
    const cut = act === 'truncate' && !tcp;
    const bytes = dnsPacket.encode({
      type: 'response',
      id: packet.id ?? 0,
      flags,
      questions: [question],
      answers: cut ? [] : (found.answers as dnsPacket.Answer[]),
      authorities: cut ? [] : (found.authorities as dnsPacket.Answer[]),
      additionals: [...(found.additionals as dnsPacket.Answer[]), ...(opt ? [opt] : [])],
    });
    const mangled = options.mangle?.(bytes, { name, type: question.type }) ?? bytes;
    return Buffer.isBuffer(mangled) ? [mangled] : (mangled as readonly Buffer[]);
  };
}

/** An authoritative (or make-believe recursive) server on loopback, UDP and TCP on the same port. */
export async function startDnsServer(options: ServerOptions): Promise<DnsServer> {
  const queries: string[] = [];
  const reply = createResponder(options, queries);
  const address = options.address ?? '127.0.0.1';
  const { udp, tcp, port } = await listen(address, options.port, reply);
  return {
    address,
    port,
    queries,
    close: async () => {
      await new Promise<void>((resolve) => udp.close(() => resolve()));
      await new Promise<void>((resolve) => tcp.close(() => resolve()));
    },
  };
}

function isAuthentic(ad: ServerOptions['ad'], name: string, type: string): boolean {
  return typeof ad === 'function' ? ad({ name, type }) : ad === true;
}

async function listen(
  address: string,
  wanted: number | undefined,
  reply: (message: Buffer, tcp: boolean) => readonly Buffer[],
): Promise<{ udp: Socket; tcp: Server; port: number }> {
  const tcp = createServer((socket) => {
    let received = Buffer.alloc(0);
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 2 || received.length < received.readUInt16BE(0) + 2) return;
      for (const bytes of reply(received.subarray(2, received.readUInt16BE(0) + 2), true)) {
        const length = Buffer.alloc(2);
        length.writeUInt16BE(bytes.length);
        socket.write(Buffer.concat([length, bytes]));
      }
      received = Buffer.alloc(0);
    });
  });
  await new Promise<void>((resolve, reject) => {
    tcp.once('error', reject);
    tcp.listen(wanted ?? 0, address, resolve);
  });
  const bound = tcp.address();
  const port = typeof bound === 'object' && bound ? bound.port : 0;
  const udp = createSocket('udp4');
  udp.on('message', (message, from) => {
    for (const bytes of reply(message, false)) udp.send(bytes, from.port, from.address);
  });
  await new Promise<void>((resolve, reject) => {
    udp.once('error', reject);
    udp.bind(port, address, resolve);
  });
  return { udp, tcp, port };
}

interface Found {
  rcode: number;
  aa: boolean;
  answers: unknown[];
  authorities: unknown[];
  additionals: unknown[];
}

type ZoneLines = { zone: string; records: Line[] };

function answer(
  zones: readonly ZoneLines[],
  name: string,
  type: string,
  recursive: boolean,
  hops = 0,
): Found {
  const zone = zones
    .filter((one) => within(name, one.zone))
    // The DS set of a zone belongs to its parent.
    .filter((one) => type !== 'DS' || one.zone !== name || zones.length === 1)
    .sort((a, b) => b.zone.length - a.zone.length)[0];
  if (!zone) return { rcode: recursive ? 3 : 5, aa: false, answers: [], authorities: [], additionals: [] };
  const soa = zone.records.filter((line) => line.type === 'SOA' && line.name === zone.zone);
  if (!recursive) {
    const cut = zone.records.find(
      (line) => line.type === 'NS' && line.name !== zone.zone && within(name, line.name),
    );
    if (cut) {
      const authorities = zone.records.filter((line) => line.type === 'NS' && line.name === cut.name);
      const targets = new Set(authorities.map((line) => line.data));
      const additionals = zone.records.filter(
        (line) => targets.has(line.name) && (line.type === 'A' || line.type === 'AAAA'),
      );
      return { rcode: 0, aa: false, answers: [], authorities, additionals };
    }
  }
  const exists = zone.records.some((line) => within(line.name, name));
  const wildcard = exists ? undefined : findWildcard(zone, name);
  const at = wildcard
    ? zone.records.filter((line) => line.name === wildcard).map((line) => ({ ...line, name }))
    : zone.records.filter((line) => line.name === name);
  if (!exists && !wildcard) return { rcode: 3, aa: true, answers: [], authorities: soa, additionals: [] };
  const exact = at.filter((line) => line.type === type);
  if (exact.length > 0) return { rcode: 0, aa: true, answers: exact, authorities: [], additionals: [] };
  const alias = at.find((line) => line.type === 'CNAME');
  if (alias) {
    const target = String(alias.data);
    const follows = hops < 8 && (recursive || within(target, zone.zone));
    const rest = follows ? answer(zones, target, type, recursive, hops + 1) : undefined;
    return {
      rcode: rest?.rcode ?? 0,
      aa: true,
      answers: [alias, ...(rest?.answers ?? [])],
      authorities: rest?.authorities ?? [],
      additionals: [],
    };
  }
  return { rcode: 0, aa: true, answers: [], authorities: soa, additionals: [] };
}

function findWildcard(zone: ZoneLines, name: string): string | undefined {
  for (let rest = name; within(rest, zone.zone) && rest !== zone.zone; ) {
    rest = rest.includes('.') ? rest.slice(rest.indexOf('.') + 1) : '';
    if (zone.records.some((line) => line.name === `*.${rest}`)) return `*.${rest}`;
    if (zone.records.some((line) => line.name === rest)) return undefined;
  }
  return undefined;
}

function within(name: string, zone: string): boolean {
  return zone === '' || name === zone || name.endsWith(`.${zone}`);
}

function parseLine(line: string): Line {
  const parts = /^(\S+)\s+(?:(\d+)\s+)?([A-Z0-9]+)\s+([\s\S]*)$/.exec(line.trim());
  if (!parts) throw new Error(`not a record: ${line}`);
  const [, owner = '', ttl, type = '', rest = ''] = parts;
  const name = owner === '.' ? '' : owner.toLowerCase().replace(/\.$/, '');
  return { name, ttl: Number(ttl ?? 300), type, data: parseData(type, rest) };
}

function parseData(type: string, rest: string): unknown {
  const words = rest.split(/\s+/);
  const number = (index: number) => Number(words[index]);
  const host = (index: number) => (words[index] ?? '').replace(/(?<=.)\.$/, '');
  switch (type) {
    case 'MX':
      return { preference: number(0), exchange: host(1) };
    case 'TXT':
      return [...rest.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map((part) =>
        Buffer.from((part[1] ?? '').replace(/\\(.)/g, '$1'), 'latin1'),
      );
    case 'SPF': {
      // A type that the library sends and takes as bytes.
      const text = Buffer.from(rest.replace(/^"|"$/g, ''), 'latin1');
      return Buffer.concat([Buffer.from([text.length]), text]);
    }
    case 'SOA':
      return {
        mname: host(0),
        rname: host(1),
        serial: number(2),
        refresh: 3600,
        retry: 600,
        expire: 86400,
        minimum: number(3),
      };
    case 'SRV':
      return { priority: number(0), weight: number(1), port: number(2), target: host(3) };
    case 'CAA':
      return { flags: number(0), tag: words[1], value: words.slice(2).join(' ').replace(/^"|"$/g, '') };
    case 'TLSA':
      return {
        usage: number(0),
        selector: number(1),
        matchingType: number(2),
        certificate: Buffer.from(words[3] ?? '', 'hex'),
      };
    case 'DS':
      return {
        keyTag: number(0),
        algorithm: number(1),
        digestType: number(2),
        digest: Buffer.from(words[3] ?? '', 'hex'),
      };
    case 'DNSKEY':
      return { flags: number(0), algorithm: number(1), key: Buffer.from(words[2] ?? '', 'base64') };
    default:
      return host(0);
  }
}
