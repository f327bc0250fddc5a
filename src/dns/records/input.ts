/** What the desired records are made of: plain data from config, lock file, facts and the server. */

export interface HostInput {
  /** Canonical name, e.g. `mail.example.org`. */
  name: string;
  /** Address that the server sends from and is reached at. */
  ipv4?: string;
  /** Only when IPv6 works both ways. */
  ipv6?: string;
  /** Seconds. */
  ttl: number;
  /** Roles that the user does not want from us: `{ 'host-spf': false }`. */
  records?: Readonly<Record<string, boolean>>;
  features?: HostFeatures;
}

/** Off unless given: nothing is published that the server does not serve yet. */
export interface HostFeatures {
  /** DANE (R15): published only when both conditions hold. */
  tlsa?: {
    zoneSigned: boolean;
    renewalsReuseKey: boolean;
    /** SHA-256 over the SPKI (`3 1 1`), hex: the served key first, then the next one; undefined until there is a key. */
    digests: readonly (string | undefined)[];
  };
  /** Our CA; joins an existing CAA set, never makes one (R14). */
  caa?: { issuer: string };
}

export interface DkimInput {
  selector: string;
  /** base64 SPKI, as in `p=`; unknown until the server has made the key. */
  publicKey?: string;
}

export interface DomainFeatures {
  /** RFC 8461: only once the policy is served over a valid certificate (R16). */
  mtaSts?: { policyText: string; served: boolean };
  /** RFC 8460: `mailto:` or `https:` URIs; `firm` when the config names them. */
  tlsRpt?: { rua: readonly string[]; firm?: boolean };
  /** RFC 6186 and 8314 section 5.1. `offered`: submissions 465, submission 587, imaps 993; all others are denied. */
  srv?: { submissions: boolean; submission: boolean; imaps: boolean };
  /** autoconfig and autodiscover point to the host, once it serves them. */
  autoconfig?: boolean;
  /** Our CA, as for the host: names of the domain have certificates, too. */
  caa?: { issuer: string };
}

export interface DomainInput {
  name: string;
  /** The host that handles the domain's mail. */
  host: string;
  /** Host that takes the mail while `host` is away. */
  backup?: string;
  /** `send-only`: a foreign MX stays (A3). */
  mail: 'full' | 'send-only';
  ttl: number;
  /** Selectors whose keys exist or are to be made, the signing one first. */
  dkim: readonly DkimInput[];
  dmarc: { policy?: 'none' | 'quarantine' | 'reject'; rua?: readonly string[] };
  /** Roles that the user does not want from us: `{ caa: false }`. */
  records?: Readonly<Record<string, boolean>>;
  features?: DomainFeatures;
  /** The zone shows other senders (foreign MX, SPF terms): softer SPF and DMARC defaults (R8, A4). See `findOtherSenders`. */
  otherSenders: boolean;
  /** Domains whose SPF must be included, for hosted relays. */
  spfIncludes?: readonly string[];
  /** Includes that an earlier apply added for a relay that is used no more. */
  withdrawnIncludes?: readonly string[];
  /** What an earlier apply settled on (lock file), texts and the MTA-STS id: what stands there again after someone deleted it. */
  pinned?: { spf?: string; dmarc?: string; mtaSts?: string };
}

export interface RecordsInput {
  hosts: readonly HostInput[];
  domains: readonly DomainInput[];
  /** Names that send and receive no mail, opted in by the user: `v=spf1 -all`, `p=reject`, null MX (RFC 7505). */
  parked?: readonly { name: string; ttl: number }[];
}
