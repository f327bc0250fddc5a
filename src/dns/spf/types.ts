export type SpfQualifier = '+' | '-' | '~' | '?';
export type SpfMechanismName = 'all' | 'include' | 'a' | 'mx' | 'ptr' | 'ip4' | 'ip6' | 'exists';

interface TermPlace {
  /** The term as written. */
  raw: string;
  /** Offsets into the record's text, so that an edit keeps every other byte. */
  start: number;
  end: number;
}

export interface SpfMechanism extends TermPlace {
  kind: 'mechanism';
  qualifier: SpfQualifier;
  name: SpfMechanismName;
  /** Unexpanded domain-spec of include, exists, a, mx, ptr. */
  domainSpec?: string;
  /** ip4 and ip6: the network's address as written. */
  network?: string;
  /** Prefix lengths in bits; a and mx default to 32 and 128, ip4 to 32, ip6 to 128. */
  prefix4: number;
  prefix6: number;
}

export interface SpfModifier extends TermPlace {
  kind: 'modifier';
  /** Lower-case. `redirect` and `exp` have a meaning, all others are ignored. */
  name: string;
  value: string;
}

export type SpfTerm = SpfMechanism | SpfModifier;

export interface SpfRecord {
  /** The whole text, character-strings joined. */
  text: string;
  /** In order of writing. */
  terms: readonly SpfTerm[];
  mechanisms: readonly SpfMechanism[];
  redirect?: SpfModifier;
  exp?: SpfModifier;
}

export interface SpfSyntaxError {
  /** The guilty term as written. */
  term: string;
  start: number;
  message: string;
}

export type SpfParseResult =
  | { ok: true; record: SpfRecord }
  | { ok: false; errors: readonly SpfSyntaxError[] };

export type SpfResultCode = 'none' | 'neutral' | 'pass' | 'fail' | 'softfail' | 'temperror' | 'permerror';

export type SpfQueryType = 'TXT' | 'A' | 'AAAA' | 'MX' | 'PTR';

export interface SpfAnswer {
  /** `error`: timeout, SERVFAIL and every other code but NOERROR and NXDOMAIN. */
  status: 'ok' | 'nodata' | 'nxdomain' | 'error';
  /** TXT: each record's strings joined without spaces; MX: exchanges, best preference first; else addresses or names. */
  values: readonly string[];
}

/** Names come in lower-case, without final dot, valid by RFC 1035 sizes. */
export type SpfLookup = (name: string, type: SpfQueryType) => SpfAnswer | Promise<SpfAnswer>;

export interface SpfInput {
  /** Client address. An IPv4-mapped IPv6 address counts as IPv4. */
  ip: string;
  /** HELO/EHLO argument. */
  helo: string;
  /** MAIL FROM; empty for bounces, which makes it `postmaster@helo` (RFC 7208 2.4). */
  sender: string;
  /** `<domain>` of check_host(); default: the sender's domain. */
  domain?: string;
  lookup: SpfLookup;
  /** `%{r}`: name of the host that performs the check. */
  receiver?: string;
  /** `%{t}`: seconds since the epoch. */
  timestamp?: number;
}

export interface SpfTraceEntry {
  /** Nesting of include and redirect; 0 is the first record. */
  depth: number;
  domain: string;
  term: string;
  outcome: string;
}

export interface SpfResult {
  result: SpfResultCode;
  /** From `exp=`, on fail only. Untrusted text. */
  explanation?: string;
  /** Why temperror, permerror or none. */
  problem?: string;
  /** The mechanism that decided, and whose record it stands in. */
  matched?: { domain: string; term: string };
  /** Terms that cost a lookup on the path taken, of at most 10. */
  lookups: number;
  /** Terms whose lookup found nothing, of at most 2. */
  voids: readonly string[];
  trace: readonly SpfTraceEntry[];
}
