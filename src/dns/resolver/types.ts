import type { RecordData } from '../record.js';

/** Record types that the wire client decodes into fields. */
export type QueryType =
  | 'A'
  | 'AAAA'
  | 'CNAME'
  | 'NS'
  | 'PTR'
  | 'MX'
  | 'TXT'
  | 'SRV'
  | 'CAA'
  | 'TLSA'
  | 'SOA'
  | 'DS'
  | 'DNSKEY'
  | 'SPF';

/** Data of records that only lookups meet; hexadecimal digests and base64 keys. */
export type ZoneData =
  | { type: 'SOA'; mname: string; rname: string; serial: number; minimum: number }
  | { type: 'DS'; keyTag: number; algorithm: number; digestType: number; digest: string }
  | { type: 'DNSKEY'; flags: number; algorithm: number; key: string; keyTag: number }
  /** Type 99, dead since RFC 7208. */
  | { type: 'SPF'; text: string };

export interface ResolvedRecord {
  /** Owner, lower-case, no final dot. */
  name: string;
  /** Seconds. */
  ttl: number;
  data: RecordData | ZoneData;
  /** TXT only: the character-strings as they came, for checks of their sizes. */
  strings?: readonly string[];
}

export interface Soa {
  /** Apex of the zone. */
  zone: string;
  mname: string;
  serial: number;
  /** Seconds that "no such record" may be cached: min(SOA TTL, SOA minimum), RFC 2308 5. */
  negativeTtl: number;
}

/** `servfail` also covers every other error code; see `detail`. Only nodata and nxdomain mean "absent". */
export type AnswerStatus = 'ok' | 'nodata' | 'nxdomain' | 'servfail' | 'refused' | 'timeout';

export interface Answer {
  name: string;
  type: QueryType;
  status: AnswerStatus;
  /** Records of the asked type, at the end of the CNAME chain. Empty unless `status` is ok. */
  records: readonly ResolvedRecord[];
  /** CNAMEs that were followed, in order. */
  chain: readonly ResolvedRecord[];
  /** The resolver says it validated the answer (AD). Worth as much as the resolver and the path to it. */
  ad: boolean;
  /** From the authority section of a negative answer. */
  soa?: Soa;
  /** Who answered, for people: `198.51.100.2 (ns1.example.org)` or `resolver 198.51.100.53`. */
  via: string;
  /** `authoritative`: a name server of the zone said so itself. */
  level: 'authoritative' | 'recursive';
  /** Why there is no usable answer. */
  detail?: string;
}

export interface ResolveOptions {
  signal?: AbortSignal;
  /** CD bit: ask a validating resolver not to validate, to tell bogus from dead. */
  checkingDisabled?: boolean;
}

export interface Resolver {
  /** Never rejects for what DNS says; rejects only when `signal` aborts. */
  resolve(name: string, type: QueryType, options?: ResolveOptions): Promise<Answer>;
}

/** An address and port, e.g. of a name server. */
export interface ServerAddress {
  address: string;
  port: number;
}

/** A name server of a zone, at one of its addresses. */
export interface NameServer extends ServerAddress {
  host: string;
}

/** One name server's own answer; `lame` when it answers without authority for the zone. */
export interface ServerAnswer extends Answer {
  server: NameServer;
  lame: boolean;
}

export interface ZoneServers {
  /** Apex of the zone. */
  zone: string;
  servers: readonly NameServer[];
  /** Name servers for which no usable address was found, with the reason. */
  unusable: readonly { host: string; reason: string }[];
}

/** Asks the zone's own servers. */
export interface AuthoritativeResolver extends Resolver {
  /** The zone that holds `name` and its servers, or why it cannot be found. */
  findZone(name: string, signal?: AbortSignal): Promise<ZoneServers | { error: string }>;
  /** Every server's own answer; empty when none could be asked. */
  resolveEach(name: string, type: QueryType, signal?: AbortSignal): Promise<readonly ServerAnswer[]>;
}

/** What only a checker asks: the delegation from above, and one server by itself. */
export interface ZoneInspector extends AuthoritativeResolver {
  /** The NS set that the parent zone's servers delegate to. */
  readDelegation(
    zone: string,
  ): Promise<{ parent: string; hosts: readonly string[]; via: string } | { error: string }>;
  /** The zone's SOA from one server at one address, over one transport. */
  probe(server: NameServer, zone: string, transport: 'udp' | 'tcp'): Promise<ServerAnswer>;
}

/** What can stand in a plan: not what only lookups meet. */
export function isRecordData(data: ResolvedRecord['data']): data is RecordData {
  return data.type !== 'SOA' && data.type !== 'DS' && data.type !== 'DNSKEY' && data.type !== 'SPF';
}

export function isAbsent(status: AnswerStatus): boolean {
  return status === 'nodata' || status === 'nxdomain';
}

/** No statement about the records can be made. */
export function isUnknown(status: AnswerStatus): boolean {
  return status === 'servfail' || status === 'refused' || status === 'timeout';
}
