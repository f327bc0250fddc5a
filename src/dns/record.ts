/** Record data by type, in canonical form: names lower-case, punycode, without the final dot; TXT as one string. */
export type RecordData =
  | { type: 'A'; address: string }
  | { type: 'AAAA'; address: string }
  | { type: 'CNAME'; target: string }
  | { type: 'NS'; target: string }
  | { type: 'PTR'; target: string }
  | { type: 'MX'; preference: number; exchange: string }
  | { type: 'TXT'; text: string }
  | { type: 'SRV'; priority: number; weight: number; port: number; target: string }
  | { type: 'CAA'; flags: number; tag: string; value: string }
  | { type: 'TLSA'; usage: number; selector: number; matchingType: number; data: string }
  | { type: 'OTHER'; rrtype: string; text: string };

export type RecordType = Exclude<RecordData['type'], 'OTHER'>;

/** A resource record. The root name (null MX exchange, "not offered" SRV target) is the empty string. */
export interface DnsRecord {
  /** Fully qualified, lower-case, punycode, no final dot. */
  name: string;
  /** Seconds. */
  ttl: number;
  data: RecordData;
}

/** A record as a provider returned it. */
export interface LiveRecord extends DnsRecord {
  id?: string;
  /** Our comment or label on the record, where the provider has such a thing. */
  mark?: string;
  /** Managed by the provider itself (Cloudflare Email Routing): untouchable. */
  readOnly?: boolean;
  /** Cloudflare's HTTP proxy stands in front of the address. */
  proxied?: boolean;
  /** The provider chooses the TTL; `ttl` is what it means today. */
  autoTtl?: boolean;
}

/**
 * When a record may be published (docs/architecture.md, sync points). Stages go in this order; removal goes backwards.
 * host: addresses of the mail host · auth: SPF and DKIM · policy: DMARC, after a signed test mail verified ·
 * mx: after the server passed its checks · tail: MTA-STS, TLS-RPT, TLSA, SRV, autoconfig.
 */
export const stages = ['host', 'auth', 'policy', 'mx', 'tail'] as const;
export type Stage = (typeof stages)[number];

/** What should be in the zone, and why. */
export interface DesiredRecord extends DnsRecord {
  /** Short role used in marks, ids and reports: `a`, `mx`, `spf`, `host-spf`, `dkim`, `dmarc`, … */
  role: string;
  stage: Stage;
  rank: 'required' | 'recommended' | 'optional';
  /** One sentence for the plan: what this record is for. */
  reason: string;
  /**
   * What the value waits for ("the DKIM key that the server will make"). The plan shows "(known after apply)"; the
   * data is a placeholder that must never be written.
   */
  pending?: string;
  /** The config asks for exactly this value: an own record that differs is updated, not kept. */
  firm?: boolean;
  /** The text that an earlier apply left there (lock file): ours, too, where the provider keeps no marks. */
  former?: string;
}
