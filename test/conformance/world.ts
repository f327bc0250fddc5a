import type { Capabilities, DnsProvider } from '../../src/dns/providers/provider.js';
import type { DnsRecord } from '../../src/dns/record.js';

/** A provider's service with a zone in it, and the test's side of that service. One world a test. */
export interface World {
  /** Apex of an active zone that the credentials reach; it may hold the provider's own NS records. */
  zone: string;
  capabilities: Capabilities;
  /** With other credentials in the place of the right ones, where given. */
  open(credentials?: Readonly<Record<string, string>>): Promise<DnsProvider>;
  /** Names (below the zone) of the suite's records that the provider must refuse at plan time. */
  refuses?: readonly string[];
  /** Notices and waits so far (milliseconds); nothing really waits. */
  log: readonly string[];
  waits: readonly number[];
  /** What a name server answers: record data as a zone file writes it. Never asks the provider's API. */
  served(name: string, type: string): Promise<string[]>;
  /** A record made by someone else. */
  seed(record: DnsRecord, how?: { comment?: string }): Promise<void>;
  /** Many at once, outside of what the suite measures. */
  seedMany(records: readonly DnsRecord[]): Promise<void>;
  /** A record that the provider manages itself; absent where there is no such thing. */
  seedReadOnly?(record: DnsRecord): Promise<void>;
  /** Someone else removes it, between plan and apply. */
  removeBehind(record: DnsRecord): Promise<void>;
  /** Someone else edits it in place, between plan and apply. */
  changeBehind(record: DnsRecord, to: DnsRecord): Promise<void>;
  /** The comment or label that stands on a record now; absent where records have none. */
  commentOf?(record: DnsRecord): Promise<string | undefined>;
  /** Requests that were meant to change something since the last `resetWrites`. */
  writeCount(): Promise<number>;
  resetWrites(): Promise<void>;
  /** Write requests that so many new records at different names take; one when absent. */
  requestsFor?(records: number): number;
  faults?: WorldFaults;
  close(): Promise<void>;
}

/** Misbehaviour that an emulator can be told to show, and a real server cannot. */
export interface WorldFaults {
  /** The next write is refused with 429 and this Retry-After (seconds). */
  limitNextWrite(retryAfter: number): Promise<void>;
  /** The next write is carried out, and answered with a server error. */
  failAfterNextWrite(): Promise<void>;
  /** The next write is carried out, and the connection cut without an answer. */
  cutAfterNextWrite(): Promise<void>;
  /** Every request fails with a server error until `clear`. */
  failEverything(): Promise<void>;
  clear(): Promise<void>;
  /** The credentials stop working after so many more requests. */
  expireAfter(requests: number): Promise<void>;
  /** The next request is answered with a redirect to another host. */
  redirectNext(): Promise<void>;
}
