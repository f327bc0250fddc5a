import { sameData } from '../../dns/canonical.js';
import type { DesiredRecord, RecordData } from '../../dns/record.js';
import {
  type Answer,
  isRecordData,
  isUnknown,
  type QueryType,
  type ResolvedRecord,
  type Resolver,
  type ServerAnswer,
  type ZoneInspector,
} from '../../dns/resolver/types.js';
import type { Check } from '../check.js';
import type { PinnedFetch } from '../pinned-fetch.js';
import type { SmtpProbe } from './smtp-probe.js';

/** One domain to check. Plain data. */
export interface DnsTarget {
  domain: string;
  /** Our mail host; left out when only the domain is known. */
  host?: string;
  /** Addresses that the host sends from. */
  addresses: readonly string[];
  /** `full`: mail comes to our host. `unknown`: the domain alone was given. */
  mail: 'full' | 'send-only' | 'unknown';
  /** The desired state; empty when only the domain is known. */
  expected: readonly DesiredRecord[];
  /** DKIM selectors beside those in `expected`; empty means that the usual ones are guessed. */
  selectors: readonly string[];
  /** Name servers that the DNS provider says the zone has. */
  providerNameServers?: readonly string[];
  /** Milliseconds since the epoch: when DMARC was first published, for the patience with `p=none`. */
  dmarcSince?: number;
  /** Milliseconds since the epoch: when the MTA-STS policy was first announced in its present mode. */
  stsSince?: number;
  /** The CA that shall issue certificates for the host. */
  issuer?: string;
}

export interface DnsCheckDeps {
  /** Remembers answers: `createAuthoritativeResolver({ …, remember: true })`. */
  authoritative: ZoneInspector;
  /** Validating, if DNSSEC is to be judged. */
  recursive: Resolver;
  /** Milliseconds since the epoch. */
  now(): number;
  /** For the MTA-STS policy; left out, nothing is fetched. */
  fetch?: PinnedFetch;
  /** For STARTTLS, certificates and DANE; left out, nothing is connected to. */
  probe?: SmtpProbe;
  /** A private network or a rehearsal (amendment A6): its addresses are information, not faults. */
  privateNetwork: boolean;
  /**
   * Whether private addresses may be connected to (amendment A7); as `privateNetwork` when absent. The configuration alone
   * cannot allow it: CI runs that of strangers.
   */
  connectPrivate?: boolean;
}

export type DnsNeed = 'expected' | 'host' | 'fetch' | 'smtp';

export type DnsCheck = Check<DnsContext, DnsNeed>;

export interface DnsContext {
  readonly target: DnsTarget;
  readonly deps: DnsCheckDeps;
  /** The zone's own servers; the resolver only when none can be reached. */
  ask(name: string, type: QueryType): Promise<Answer>;
  /** Every server of the zone. */
  askEach(name: string, type: QueryType): Promise<readonly ServerAnswer[]>;
  /** The recursive resolver: for foreign names, and for what only a validator can say. */
  askResolver(name: string, type: QueryType, checkingDisabled?: boolean): Promise<Answer>;
  /**
   * As `ask`, with the addresses of our host as they should be: a wrong A record is one fault with its own check,
   * and must not make every record that points to it look broken.
   */
  assume: Resolver;
  /** Desired records of a role. */
  expected(role: string): readonly DesiredRecord[];
  /** Computes a fact that several checks share once. */
  once<T>(key: string, make: () => Promise<T>): Promise<T>;
}

export function createDnsContext(target: DnsTarget, deps: DnsCheckDeps, recursive: Resolver): DnsContext {
  const facts = new Map<string, Promise<unknown>>();
  const ask = (name: string, type: QueryType) => deps.authoritative.resolve(name, type);
  return {
    target,
    deps,
    ask,
    askEach: (name, type) => deps.authoritative.resolveEach(name, type),
    askResolver: (name, type, checkingDisabled) =>
      recursive.resolve(name, type, checkingDisabled === undefined ? {} : { checkingDisabled }),
    assume: {
      async resolve(name, type) {
        const answer = await ask(name, type);
        return name === target.host && (type === 'A' || type === 'AAAA')
          ? withExpected(answer, target.expected)
          : answer;
      },
    },
    expected: (role) =>
      target.expected.filter((record) => record.role === role && record.pending === undefined),
    once<T>(key: string, make: () => Promise<T>): Promise<T> {
      let fact = facts.get(key) as Promise<T> | undefined;
      if (!fact) {
        fact = make();
        facts.set(key, fact);
      }
      return fact;
    },
  };
}

function withExpected(answer: Answer, expected: readonly DesiredRecord[]): Answer {
  const wanted: ResolvedRecord[] = expected.flatMap(({ name, ttl, data }) =>
    name === answer.name && data.type === answer.type ? [{ name, ttl, data }] : [],
  );
  // What a failed lookup would have said is not assumed either.
  return wanted.length === 0 || isUnknown(answer.status)
    ? answer
    : { ...answer, status: 'ok', records: wanted };
}

/** Whether a live record means what a desired one says. */
export function holds(records: readonly ResolvedRecord[], data: RecordData): boolean {
  return records.some((record) => isRecordData(record.data) && sameData(record.data, data));
}

export function textsOf(answer: Answer): string[] {
  return answer.records.flatMap(({ data }) => (data.type === 'TXT' ? [data.text] : []));
}

export function addressesOf(...answers: readonly Answer[]): string[] {
  return answers.flatMap((answer) =>
    answer.records.flatMap(({ data }) => (data.type === 'A' || data.type === 'AAAA' ? [data.address] : [])),
  );
}
