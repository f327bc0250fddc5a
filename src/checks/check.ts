import type { DnsRecord } from '../dns/record.js';

export type Status = 'pass' | 'warn' | 'fail' | 'info' | 'unknown';

export interface Finding {
  /** Stable id of the check, e.g. `MX-OURS`. */
  id: string;
  status: Status;
  title: string;
  /** What was asked: a name and type, an address and port. */
  subject: string;
  expected?: string;
  observed?: string;
  message: string;
  fix?: { text: string; record?: DnsRecord };
  /** `RFC 7208 section 4.6.4`, … */
  ref?: string;
  /** Which part of the report it belongs to: `SPF`, `DKIM`, … */
  group?: string;
  /** The worst that this check can say. */
  severity?: Severity;
  /** The queried name and type, where it was a DNS question. */
  name?: string;
  type?: string;
  /** Who said so: the zone's own servers, or a resolver that may be out of date. */
  level?: 'authoritative' | 'recursive';
  /** The user knows and accepts it: stays in the report, counts for nothing. */
  suppressed?: { reason: string; until?: string };
}

export type Severity = 'fail' | 'warn' | 'info';

/** What a check says about one thing; the runner adds what is the same for all its verdicts. */
export type Verdict = Pick<
  Finding,
  'status' | 'subject' | 'expected' | 'observed' | 'message' | 'fix' | 'name' | 'type' | 'level'
>;

/** One check: one object, one registry line. `Context` is what it may look at, `Need` what must be there for it to run. */
export interface Check<Context, Need extends string = never> {
  /** Stable, part of the JSON contract. */
  id: string;
  group: string;
  severity: Severity;
  /** What is true when it passes. */
  title: string;
  /** `RFC 7208 section 3.2`, … */
  ref: string;
  needs: readonly Need[];
  /** Empty: the question does not arise, or another check already names the cause. */
  run(context: Context): Promise<readonly Verdict[]>;
}
