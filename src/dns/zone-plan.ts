import type { Capabilities, WantedRecord, Zone } from './providers/provider.js';
import type { DesiredRecord, DnsRecord, LiveRecord, RecordData, Stage } from './record.js';
import type { RecordsInput } from './records/input.js';

/** The data around `planZone`: what goes in, what comes out. Plain, so that a plan can be shown, saved and compared. */

export interface Consents {
  /** Change records that stand there. */
  update: boolean;
  /** Remove records that stand there. */
  delete: boolean;
  /** Replace a foreign MX; only with the list of who gets mail here, or an explicit catch-all (A1). */
  takeOverMx?: { recipients: readonly string[] } | { catchAll: true };
  /** Switch Cloudflare's proxy off at the mail host's name (a web site there would lose it). */
  unproxy?: boolean;
}

export type ConsentName = keyof Consents;

/** What `check_host` says about an SPF record that stands in the zone (RFC 7208), gathered before planning. */
export interface SpfEvaluation {
  /** Worst case, not the path taken (section 4.6.4). */
  lookups: number;
  voids: number;
  /** Result by address of ours. */
  results: Readonly<
    Record<string, 'pass' | 'fail' | 'softfail' | 'neutral' | 'none' | 'permerror' | 'temperror'>
  >;
  /** Of a permerror: what is wrong. */
  problem?: string;
}

export interface StsPolicyEvidence {
  mode: 'enforce' | 'testing' | 'none';
  mx: readonly string[];
}

/** Answers from outside the zone's record list. All optional: what is missing is unknown, never "absent". */
export interface ZoneEvidence {
  /** By the name that holds the SPF record. */
  spf?: Readonly<Record<string, SpfEvaluation>>;
  /** Lookups that an include for a relay costs in all, by its domain. */
  spfIncludeCosts?: Readonly<Record<string, number>>;
  /** What answers behind a CNAME of the zone, by the CNAME's name. */
  behindCname?: Readonly<Record<string, readonly RecordData[]>>;
  /** Domains without MX whose own address answers on port 25, and that address (RFC 5321 section 5.1). */
  implicitMx?: Readonly<Record<string, string>>;
  /** The MTA-STS policy that is served now, by domain; `unknown` when it could not be read. */
  stsPolicy?: Readonly<Record<string, StsPolicyEvidence | 'unknown'>>;
  /** Name servers in the parent's delegation. */
  delegation?: readonly string[];
  /** The CAA set that governs the zone from above its apex, if one was found there. */
  caaAbove?: readonly DnsRecord[];
  /** Seconds for which caches may still hold a foreign MX whose TTL an earlier, unfinished apply lowered, by domain. */
  mxCachedFor?: Readonly<Record<string, number>>;
}

export interface PlanZoneInput {
  zone: Zone;
  /** Every record of the zone, as the provider listed it. */
  live: readonly LiveRecord[];
  /** `desiredRecords(input)`; records outside the zone are ignored. */
  desired: readonly DesiredRecord[];
  /** Hosts and domains behind the desired records. */
  input: RecordsInput;
  caps: Capabilities;
  /** The provider's reasons to reject a record. */
  audit?: (record: DnsRecord) => string[];
  consents: Consents;
  evidence?: ZoneEvidence;
  /** Goes into the marks; letters, digits and hyphens. */
  installId: string;
  /** Rehearsal or private network: special-purpose addresses are fine (A6). */
  privateNetwork?: boolean;
}

export interface PlannedChange {
  /** Stable: role, name and type; a counter for the second of a kind. */
  id: string;
  stage: Stage;
  op: 'create' | 'update' | 'delete';
  role: string;
  before?: LiveRecord;
  after?: WantedRecord;
  /** Our comment on the record, where the provider has such a thing and no foreign one stands there. */
  mark?: string;
  reason: string;
  /** What the value waits for; the data in `after` must not be written. Show "(known after apply)". */
  pending?: string;
  /** The set of the same name and type as it must stand before this change's stage is written (R17). */
  rrsetBefore: readonly LiveRecord[];
}

export interface KeptRecord {
  role: string;
  name: string;
  live: readonly LiveRecord[];
  reason: string;
}

/** A reason to stop before anything is written. */
export interface Conflict {
  code: string;
  role: string;
  what: string;
  evidence: readonly string[];
  fix: readonly string[];
  /** The consent that would resolve it; a wizard asks for it and plans again. */
  consent?: ConsentName;
}

export interface PlanNote {
  level: 'info' | 'warn';
  text: string;
}

/** Time to let pass before a stage, for caches that hold the old answer. */
export interface StageWait {
  before: Stage;
  seconds: number;
  reason: string;
}

export interface ZonePlan {
  zone: Zone;
  /** In the order of the stages; within a stage deletes first. */
  changes: readonly PlannedChange[];
  kept: readonly KeptRecord[];
  /** Any conflict means: write nothing. */
  conflicts: readonly Conflict[];
  notes: readonly PlanNote[];
  waits: readonly StageWait[];
  /** The provider has no API: the changes are for the user to make. */
  manual?: boolean;
}
