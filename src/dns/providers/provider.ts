import type { DnsRecord, LiveRecord, RecordType } from '../record.js';
import type { AuthoritativeResolver } from '../resolver/types.js';

export interface Zone {
  /** The provider's own identifier. */
  id: string;
  /** Zone apex, canonical form. */
  name: string;
  /** The name servers the provider says the zone has; compared with the parent's delegation. */
  nameServers: readonly string[];
  /** Names of the user's own for these servers; the delegation may use them instead. */
  customNameServers?: readonly string[];
  state: 'active' | 'pending' | 'unknown';
  /** Why writes would not be visible (pending, partial, paused), if so. */
  note?: string;
}

/** Whatever the delegation may name. */
export function allNameServers({ nameServers, customNameServers = [] }: Zone): readonly string[] {
  return [...nameServers, ...customNameServers];
}

/** `proxied` and `autoTtl` are only ever set by an undo, to give back the state that was found; otherwise the proxy is off. */
export type WantedRecord = DnsRecord & Pick<LiveRecord, 'proxied' | 'autoTtl'>;

export type Change =
  | { op: 'create'; after: WantedRecord; mark?: string }
  | { op: 'update'; before: LiveRecord; after: WantedRecord; mark?: string }
  | { op: 'delete'; before: LiveRecord };

/** One result per change, in order. `record` is what the provider says stands there now. */
export type Applied = { ok: true; record?: LiveRecord } | { ok: false; error: string; code?: string };

export interface Capabilities {
  types: ReadonlySet<RecordType>;
  unit: 'record' | 'rrset';
  /** A whole `apply` call lands or fails as one. */
  atomic: boolean;
  marks: 'comment' | 'label' | 'none';
  minTtl: number;
  maxTtl: number;
  /** Most changes in one `apply` call; the core splits above it. */
  batchMax: number;
  /** Longest TXT value in bytes, if limited. */
  maxTxt?: number;
  /** Longest sum of the TXT values of one name in bytes, if limited. */
  maxTxtSet?: number;
  nullMx: boolean;
  /** Nothing is written: the user is told what to enter where, and the answers of the name servers are watched. */
  manual?: boolean;
  /** A CNAME at the zone apex is answered as addresses, so other records may stand beside it (Cloudflare). */
  flattensApexCname?: boolean;
}

export interface CredentialField {
  /** Key in the credentials object. */
  key: string;
  label: string;
  secret: boolean;
  optional?: boolean;
  /** Environment variables, first match wins; each also as `<NAME>_FILE`. */
  env: readonly string[];
  help?: string;
}

/** What a provider may use of the outside world. */
export interface ProviderContext {
  credentials: Readonly<Record<string, string>>;
  fetch: typeof fetch;
  signal: AbortSignal;
  /** Non-default endpoint; only ever from flag or environment, never from the yaml. */
  baseUrl?: string;
  /** One line of progress or retry notice; already free of secrets. */
  log(line: string): void;
  /** What the zone's own servers answer; for providers that cannot list a zone. Must not remember answers. */
  authoritative?: AuthoritativeResolver;
  /** Names that matter beside the usual ones (hosts, domains, DKIM selectors); for providers that cannot list a zone. */
  names?(): readonly string[];
  /** Waits before a retry, in milliseconds; a real timer when absent. */
  wait?(milliseconds: number): Promise<void>;
}

/** A DNS provider only translates. Planning, merge rules, read-back and backup live in the core. */
export interface DnsProvider {
  /** Cheap, read-only. Throws SetupError (exit 2) when the credentials do not work. */
  verify(): Promise<{ detail: string }>;
  /** The zone that holds `name`: the longest suffix among the provider's zones; null when there is none. */
  findZone(name: string): Promise<Zone | null>;
  /** Every record of the zone, or an exception; never a part. */
  list(zone: Zone): Promise<LiveRecord[]>;
  /** Reasons the provider would reject this record; asked at plan time. */
  audit(record: DnsRecord): string[];
  apply(zone: Zone, changes: readonly Change[]): Promise<Applied[]>;
  /**
   * Of a provider without an API: the changes that some server of the zone does not show yet. Its `apply` writes nothing
   * and answers E_DNS_PENDING for these.
   */
  findMissing?(changes: readonly Change[]): Promise<MissingChange[]>;
}

export interface MissingChange {
  change: Change;
  /** Which server was asked, and what it said. */
  state: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** A registry line: everything known about a provider without talking to it. */
export interface ProviderDefinition {
  id: string;
  title: string;
  /** Name-server host name patterns by which the provider is recognised. */
  nameServers: readonly RegExp[];
  credentials: readonly CredentialField[];
  /** Where the token is made. */
  tokenUrl: string;
  /** The least rights the token needs. */
  rights: string;
  capabilities: Capabilities;
  /** Environment variable that overrides the endpoint, if any. */
  baseUrlEnv?: string;
  /** Credentials by field key from a file of the vendor's own tools, when the environment names a profile in it. */
  profile?: {
    /** How it is named, for the message about what is missing. */
    ways: readonly string[];
    read(env: Environment): Promise<Readonly<Record<string, string>> | undefined>;
  };
  /** Heavy SDKs load inside. */
  open(context: ProviderContext): Promise<DnsProvider>;
}
