import type { WebLabel } from '../dns/records/web-labels.js';

/**
 * `smtp-setup.lock.json`, beside the yaml, written by apply and committed too: discovered public values, so that
 * `check dns` needs neither SSH nor tokens.
 */
export interface Lock {
  version: 1;
  /** Keyed by host name. */
  servers: Record<string, { ipv4?: string; ipv6?: string }>;
  /** By host name, the digests of the TLSA records (`3 1 1`) that announce its keys. */
  tlsa?: Record<string, string[]>;
  /** By host name, desired records that the merge rules leave out: `ROLE NAME`. `check dns` does not ask for them. */
  leftOut?: Record<string, string[]>;
  /** Keyed by domain. */
  domains: Record<
    string,
    {
      /** Public keys as they stand in DNS (`p=` value, base64 SPKI), the signing one first. */
      dkim: { selector: string; publicKey: string }[];
      /** The zone that holds the domain's records. */
      zone?: string;
      /** The name servers that the DNS provider gave the zone: the delegation has to name them. */
      nameServers?: string[];
      /** SPF as planned after the merge with what the zone already held. */
      spf?: string;
      /** Includes that we added to it for hosted relays: they go when the relay does. */
      spfIncludes?: string[];
      /** DMARC record text as planned or found. */
      dmarc?: string;
      /** Day on which an apply first saw a DMARC record (ISO 8601): `p=none` is right for some weeks only. */
      dmarcSince?: string;
      /** Web names of the domain at which something else stood at the last apply: `autoconfig`, … */
      elsewhere?: WebLabel[];
      /** The MTA-STS mode that is announced, the day on which an apply first saw it (ISO 8601), and the id of its record. */
      mtaSts?: { mode: 'testing' | 'enforce' | 'none'; since: string; id?: string };
      /** A change of keys that is under way: `to` signs once every server shows it; `from` stays 7 days after that. */
      rotation?: DkimRotation;
    }
  >;
  /** Domains that were removed, with the DKIM keys that stay published for mail under way. */
  removed?: Record<string, { at: string; zone: string; dkim: string[]; keys?: string[] }>;
}

/** Days for which a key stays published after its last signature: mail may wait that long in queues (RFC 5321 4.5.4.1). */
export const keyWaitDays = 7;

export interface DkimRotation {
  /** Selector that signed before. */
  from: string;
  /** Selector that signs after. */
  to: string;
  /** When `to` began to sign, ISO 8601; until then it is only published. */
  switched?: string;
}
