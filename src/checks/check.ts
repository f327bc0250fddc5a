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
}
