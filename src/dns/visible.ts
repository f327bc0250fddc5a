import type { DnsRecord } from './record.js';
import { type AuthoritativeResolver, isRecordData, isUnknown, type ServerAnswer } from './resolver/types.js';
import { sameMeaning } from './same-meaning.js';

export interface Clock {
  /** Milliseconds; only differences matter. */
  now(): number;
  /** Rejects when the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export interface VisibleDeps {
  /** Must not remember answers. */
  authoritative: AuthoritativeResolver;
  clock: Clock;
  /** Between rounds, milliseconds. Default 3000. */
  intervalMs?: number;
}

export interface WaitOptions {
  signal?: AbortSignal;
  /** On the clock's scale; undefined waits until the signal aborts. */
  deadline?: number;
  onTick?(tick: WaitTick): void;
}

export interface PendingRecord<T extends DnsRecord> {
  record: T;
  /** What each server that does not serve the record yet says. */
  servers: readonly { server: string; state: string }[];
}

export interface WaitTick {
  round: number;
  elapsedMs: number;
  visible: number;
  total: number;
  pending: readonly PendingRecord<DnsRecord>[];
  /** As in the result: how long caches elsewhere may lag behind; the honest figure for an ETA. */
  cacheSeconds: number;
}

export interface WaitResult<T extends DnsRecord> {
  visible: boolean;
  elapsedMs: number;
  pending: readonly PendingRecord<T>[];
  /**
   * Seconds for which resolvers elsewhere may still hold what they asked before: the old record's TTL, or the
   * zone's negative TTL (RFC 2308 5) where nothing stood. 0 when everything was visible in the first round.
   */
  cacheSeconds: number;
}

/**
 * Waits until every authoritative server of each record's zone serves it. Asks no resolver about these names, so
 * no cache learns that they do not exist. Ends early at `deadline`; rejects only when the signal aborts.
 */
export async function waitUntilVisible<T extends DnsRecord>(
  records: readonly T[],
  deps: VisibleDeps,
  options: WaitOptions = {},
): Promise<WaitResult<T>> {
  const { clock, intervalMs = 3000 } = deps;
  const { signal, deadline, onTick } = options;
  const started = clock.now();
  let cacheSeconds = 0;
  let pending: PendingRecord<T>[] = records.map((record) => ({ record, servers: [] }));
  for (let round = 1; ; round++) {
    signal?.throwIfAborted();
    const looked = await Promise.all(
      pending.map(async ({ record }) => look(record, deps.authoritative, signal)),
    );
    pending = looked.flatMap((one) => (one.servers.length > 0 ? [one] : []));
    for (const one of looked)
      if (one.servers.length > 0) cacheSeconds = Math.max(cacheSeconds, one.cacheSeconds);
    const elapsedMs = clock.now() - started;
    onTick?.({
      round,
      elapsedMs,
      visible: records.length - pending.length,
      total: records.length,
      pending,
      cacheSeconds,
    });
    if (pending.length === 0) return { visible: true, elapsedMs, pending, cacheSeconds };
    const left = deadline === undefined ? Number.POSITIVE_INFINITY : deadline - clock.now();
    if (left <= 0) return { visible: false, elapsedMs, pending, cacheSeconds };
    await clock.sleep(Math.min(intervalMs, left), signal);
  }
}

interface Look<T extends DnsRecord> extends PendingRecord<T> {
  cacheSeconds: number;
}

async function look<T extends DnsRecord>(
  record: T,
  authoritative: AuthoritativeResolver,
  signal: AbortSignal | undefined,
): Promise<Look<T>> {
  if (record.data.type === 'OTHER') return { record, servers: [], cacheSeconds: 0 };
  const answers = await Promise.all(
    (await authoritative.resolveEach(record.name, record.data.type, signal)).map((answer) =>
      followOut(answer, authoritative, signal),
    ),
  );
  if (answers.length === 0) {
    const state = 'no authoritative server could be found or asked';
    return { record, servers: [{ server: 'the zone', state }], cacheSeconds: 0 };
  }
  const behind = answers.filter((answer) => !serves(answer, record));
  return {
    record,
    servers: behind.map((answer) => ({ server: answer.via, state: describeState(answer) })),
    cacheSeconds: Math.max(0, ...behind.map(cachedFor)),
  };
}

/** An alias that leaves the zone: what stands behind it is for its own servers to say. */
async function followOut(
  answer: ServerAnswer,
  authoritative: AuthoritativeResolver,
  signal: AbortSignal | undefined,
): Promise<ServerAnswer> {
  const target = answer.chain.at(-1)?.data;
  if (target?.type !== 'CNAME' || answer.status !== 'nodata' || answer.soa !== undefined) return answer;
  const rest = await authoritative.resolve(
    target.target,
    answer.type,
    signal === undefined ? {} : { signal },
  );
  return { ...answer, status: rest.status, records: rest.records, ...(rest.soa ? { soa: rest.soa } : {}) };
}

function serves(answer: ServerAnswer, record: DnsRecord): boolean {
  return answer.records.some(({ data }) => isRecordData(data) && sameMeaning(record.data, data));
}

function describeState(answer: ServerAnswer): string {
  if (isUnknown(answer.status)) return answer.detail ?? answer.status;
  if (answer.status === 'ok') return 'serves another value';
  return answer.status === 'nxdomain' ? 'says the name does not exist' : 'has no such record';
}

function cachedFor(answer: ServerAnswer): number {
  if (answer.status === 'ok') return Math.max(...answer.records.map((record) => record.ttl));
  return answer.soa?.negativeTtl ?? 0;
}
