import { SetupError } from '../../../errors.js';
import { sameData, sameRecord } from '../../canonical.js';
import type { DnsRecord } from '../../record.js';
import type { Applied, Change, Zone } from '../provider.js';
import { cancelled, maxTries, waitToRetry } from '../retry.js';
import type { CloudflareApi } from './api.js';
import {
  type ApiFailure,
  asTransient,
  describeFailure,
  hasCode,
  isTokenFailure,
  readFailure,
} from './api-failure.js';
import { auditRecord, capabilities } from './audit-record.js';
import {
  type CloudflareRecord,
  markPrefix,
  maxComment,
  type PostBody,
  readRecord,
  renderBody,
} from './record-codec.js';

/** A write that is still needed, by the position of its change. */
type Write = { index: number } & (
  | { op: 'delete'; id: string }
  | { op: 'patch'; id: string; body: PostBody }
  | { op: 'post'; body: PostBody }
);
type Verdict = { done: Applied } | { write: Write };

/** A batch runs deletes, patches, posts; single writes keep to the same order. */
const ranks = { delete: 0, patch: 1, post: 2 } as const;

/**
 * Writes the changes: in one transaction where that works, else one by one. Before every try, the first included, the
 * zone is read and each change is judged by what stands there, so that a write whose answer was lost is not repeated
 * (R19) and a record that someone else has changed is left alone (R17).
 */
export async function applyChanges(
  api: CloudflareApi,
  zone: Zone,
  changes: readonly Change[],
): Promise<Applied[]> {
  const results: (Applied | undefined)[] = changes.map(() => undefined);
  let failure: ApiFailure | undefined;
  for (let tried = 1; tried <= maxTries; tried++) {
    const live = await readAgain(api, zone, results, tried);
    if (!live) break;
    const writes = judgeAll(changes, results, live).slice(0, capabilities.batchMax);
    if (writes.length === 0) break;
    const outcome = await send(api, zone, writes);
    if ('written' in outcome) {
      for (const { index, record } of outcome.written)
        results[index] = { ok: true, ...(record ? { record } : {}) };
      if (results.every((result) => result !== undefined)) break;
      tried = 0;
      continue;
    }
    failure = outcome.failure;
    const transient = asTransient(failure);
    if (transient) {
      if (tried < maxTries) await waitToRetry(api.context, tried, transient);
    } else if (isTokenFailure(failure)) {
      break;
    } else if (writes.length > 1) {
      await applySingly(api, zone, changes, writes, results);
      break;
    } else if (tried > 1 || !hasCode(failure, 81057, 81058, 81044)) {
      // "Identical record exists" and "record does not exist" are judged again by a look at the zone, once.
      break;
    }
  }
  return results.map((result) => result ?? failed(failure));
}

async function applySingly(
  api: CloudflareApi,
  zone: Zone,
  changes: readonly Change[],
  writes: readonly Write[],
  results: (Applied | undefined)[],
): Promise<void> {
  for (const { index } of writes) {
    const change = changes[index];
    if (change) results[index] = (await applyChanges(api, zone, [change]))[0];
  }
}

/** The zone as it is now. Once something may have been written, a failing read must not hide what was. */
async function readAgain(
  api: CloudflareApi,
  zone: Zone,
  results: (Applied | undefined)[],
  tried: number,
): Promise<CloudflareRecord[] | undefined> {
  try {
    return await api.listRecords(zone);
  } catch (error) {
    const untouched = tried === 1 && results.every((result) => result === undefined);
    if (untouched || !(error instanceof SetupError) || api.context.signal.aborted) throw error;
    const text = `not known whether it was written: ${[error.message, ...error.evidence].join(' ')}`;
    results.forEach((result, index) => {
      results[index] = result ?? { ok: false, error: text, code: error.code };
    });
    return undefined;
  }
}

/** Settles what needs no write, and returns the writes that remain, in the order in which a batch runs them. */
function judgeAll(
  changes: readonly Change[],
  results: (Applied | undefined)[],
  live: readonly CloudflareRecord[],
): Write[] {
  const writes: Write[] = [];
  changes.forEach((change, index) => {
    if (results[index]) return;
    const verdict = judge(change, index, live);
    if ('done' in verdict) results[index] = verdict.done;
    else writes.push(verdict.write);
  });
  return writes.sort((a, b) => ranks[a.op] - ranks[b.op]);
}

const refuse = (code: string, error: string): Verdict => ({ done: { ok: false, code, error } });

function judge(change: Change, index: number, live: readonly CloudflareRecord[]): Verdict {
  if (change.op === 'create') {
    const same = live.find((record) => sameRecord(record, change.after));
    if (same) return { done: { ok: true, record: same } };
    const reasons = auditRecord(change.after);
    if (reasons.length > 0) return refuse('E_DNS_AUDIT', reasons.join(' '));
    return { write: { index, op: 'post', body: withComment(renderBody(change.after), change.mark) } };
  }
  const { before } = change;
  const current =
    live.find((record) => record.id === before.id) ?? live.find((record) => sameRecord(record, before));
  if (change.op === 'delete') {
    if (!current) return { done: { ok: true } };
    if (current.readOnly) return refuse('E_DNS_READ_ONLY', 'Cloudflare manages this record itself.');
    if (!isUnchanged(current, before)) return drifted();
    return { write: { index, op: 'delete', id: current.id } };
  }
  return judgeUpdate(change, index, current);
}

function judgeUpdate(
  { before, after, mark }: Extract<Change, { op: 'update' }>,
  index: number,
  current: CloudflareRecord | undefined,
): Verdict {
  if (!current) return refuse('E_DNS_DRIFT', 'The record is gone since the plan was made.');
  if (current.readOnly) return refuse('E_DNS_READ_ONLY', 'Cloudflare manages this record itself.');
  if (isUnchanged(current, after)) return { done: { ok: true, record: current } };
  if (!isUnchanged(current, before)) return drifted();
  if (before.data.type !== after.data.type) {
    return refuse('E_DNS_AUDIT', 'A record cannot change its type; delete it and create the other.');
  }
  const reasons = auditRecord(after);
  if (reasons.length > 0) return refuse('E_DNS_AUDIT', reasons.join(' '));
  // A comment of the user's stays (R22): PATCH leaves what it is not given.
  const ours = current.comment === '' || current.comment.startsWith(markPrefix);
  // A TTL that nobody wants changed stays the choice of Cloudflare where it is.
  const keepsAuto = current.autoTtl === true && after.ttl === current.ttl;
  const wanted = keepsAuto ? { ...after, autoTtl: true } : after;
  const body = withComment(renderBody(wanted), ours ? mark : undefined);
  return { write: { index, op: 'patch', id: current.id, body } };
}

const drifted = (): Verdict =>
  refuse('E_DNS_DRIFT', 'Someone has changed the record since the plan was made.');

function isUnchanged(current: CloudflareRecord, planned: DnsRecord & { proxied?: boolean }): boolean {
  return (
    current.name === planned.name &&
    sameData(current.data, planned.data) &&
    current.ttl === planned.ttl &&
    (current.proxied ?? false) === (planned.proxied ?? false)
  );
}

const withComment = (body: PostBody, mark: string | undefined): PostBody =>
  mark === undefined ? body : { ...body, comment: mark.slice(0, maxComment) };

type Written = { index: number; record?: CloudflareRecord };

async function send(
  api: CloudflareApi,
  zone: Zone,
  writes: readonly Write[],
): Promise<{ written: Written[] } | { failure: ApiFailure }> {
  const [only] = writes;
  try {
    const answers =
      writes.length === 1 && only ? [await sendOne(api, zone, only)] : await sendBatch(api, zone, writes);
    return { written: writes.map(({ index, op }, at) => landed(index, op, answers[at])) };
  } catch (error) {
    if (api.context.signal.aborted) throw cancelled(error);
    return { failure: readFailure(error) };
  }
}

function landed(index: number, op: Write['op'], answer: unknown): Written {
  const record = op === 'delete' ? undefined : readRecord(answer);
  return { index, ...(record ? { record } : {}) };
}

function sendOne({ client, options }: CloudflareApi, zone: Zone, write: Write): Promise<unknown> {
  const zoneId = { zone_id: zone.id };
  if (write.op === 'delete') return client.dns.records.delete(write.id, zoneId, options);
  if (write.op === 'patch') return client.dns.records.edit(write.id, { ...zoneId, ...write.body }, options);
  return client.dns.records.create({ ...zoneId, ...write.body }, options);
}

async function sendBatch(
  { client, options }: CloudflareApi,
  zone: Zone,
  writes: readonly Write[],
): Promise<unknown[]> {
  const deletes = writes.flatMap((write) => (write.op === 'delete' ? [{ id: write.id }] : []));
  const patches = writes.flatMap((write) => (write.op === 'patch' ? [{ ...write.body, id: write.id }] : []));
  const posts = writes.flatMap((write) => (write.op === 'post' ? [write.body] : []));
  const parts = {
    ...(deletes.length > 0 ? { deletes } : {}),
    ...(patches.length > 0 ? { patches } : {}),
    ...(posts.length > 0 ? { posts } : {}),
  };
  const answer = await client.dns.records.batch({ zone_id: zone.id, ...parts }, options);
  return [...(answer.deletes ?? []), ...(answer.patches ?? []), ...(answer.posts ?? [])];
}

function failed(failure: ApiFailure | undefined): Applied {
  if (!failure) return { ok: false, code: 'E_DNS_API', error: 'Cloudflare did not write the record.' };
  const code = isTokenFailure(failure)
    ? 'E_DNS_TOKEN'
    : asTransient(failure)
      ? 'E_DNS_UNREACHABLE'
      : 'E_DNS_API';
  return { ok: false, code, error: describeFailure(failure) };
}
