import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { recordKey } from '../../../src/dns/canonical.js';
import { applyChanges } from '../../../src/dns/diff.js';
import { type JournalEntry, undoDns } from '../../../src/dns/journal.js';
import { toChange } from '../../../src/dns/merge/sequence.js';
import type { LiveRecord } from '../../../src/dns/record.js';
import type { ZonePlan } from '../../../src/dns/zone-plan.js';
import { afterPlan, allConsents, domainName, hostName, ipv4, live, mx, plan, txt } from './zone-fixture.js';

function journalOf(done: ZonePlan): JournalEntry[] {
  return done.changes.map((change, index) => ({
    kind: 'write',
    id: String(index),
    at: '2026-11-24T00:00:00.000Z',
    stage: change.stage,
    role: change.role,
    change: toChange(change),
  }));
}

const meaning = (records: readonly LiveRecord[]): string[] =>
  records
    .map((record) => `${recordKey(record)} ${record.ttl} ${record.proxied === true} ${record.mark ?? ''}`)
    .sort();

const undone = (entries: JournalEntry[], now: readonly LiveRecord[]): LiveRecord[] =>
  applyChanges(now, undoDns(entries, now).changes.map(toChange));

const busyZone = (): LiveRecord[] => [
  mx('aspmx.l.google.com', 1),
  txt(domainName, 'v=spf1 include:x.example ~all', { ttl: 1800, mark: 'from Bob' }),
  live(hostName, { type: 'A', address: '192.0.2.9' }, { proxied: true, ttl: 300 }),
  txt(domainName, 'token'),
];

describe('R20: undo replays the inverse where our value still stands', () => {
  test('R20: apply, then undo, is where it began: values, TTLs, proxy and comments', () => {
    const before = busyZone();
    const done = plan(before, { consents: allConsents });
    expect(done.conflicts).toEqual([]);
    expect(new Set(done.changes.map(({ op }) => op))).toEqual(new Set(['create', 'update', 'delete']));
    const now = afterPlan(before, done);
    expect(meaning(undone(journalOf(done), now))).toEqual(meaning(before));
    expect(undoDns(journalOf(done), now).skipped).toEqual([]);
  });

  test('R20: a record that was changed since stays, and is named', () => {
    const done = plan([]);
    const now = afterPlan([], done).map((record) =>
      record.data.type === 'MX'
        ? { ...record, data: { type: 'MX' as const, preference: 5, exchange: 'new.example' } }
        : record,
    );
    const undo = undoDns(journalOf(done), now);
    expect(undo.skipped).toEqual([
      { line: expect.stringContaining('IN MX 10'), reason: 'It no longer holds what was written.' },
    ]);
    expect(applyChanges(now, undo.changes.map(toChange)).map(({ data }) => data)).toEqual([
      { type: 'MX', preference: 5, exchange: 'new.example' },
    ]);
  });

  test('R20: what is gone already needs no undo', () => {
    const done = plan([]);
    expect(undoDns(journalOf(done), []).changes).toEqual([]);
  });

  test('R20: a record of ours that was spoilt and put right goes away whole', () => {
    const done = plan([]);
    const now = afterPlan([], done);
    const spf = now.find(({ data }) => data.type === 'TXT' && data.text.startsWith('v=spf1'));
    if (spf === undefined) throw new Error('no SPF record');
    const spoilt: LiveRecord = { ...spf, data: { type: 'TXT', text: 'v=spf1 -all' } };
    const repair: JournalEntry = {
      kind: 'write',
      id: 'repair',
      at: '2026-11-25T00:00:00.000Z',
      stage: 'auth',
      role: 'spf',
      change: { op: 'update', before: spoilt, after: spf },
    };
    expect(undone([...journalOf(done), repair], now)).toEqual([]);
    expect(undoDns([...journalOf(done), repair], now).skipped).toEqual([]);
    // Somebody else's record goes back to what he had made of it.
    expect(undone([repair], [spf])).toEqual([spoilt]);
  });

  test('R20: a deleted record does not come back beside its successor', () => {
    const before = [txt(domainName, 'v=spf1 mx ~all'), txt(domainName, 'v=spf1 include:x.example -all')];
    const done = plan(before, { consents: allConsents });
    // Somebody has replaced the merged record by his own.
    const now = afterPlan(before, done)
      .filter((record) => !(record.data.type === 'TXT' && record.name === domainName))
      .concat(txt(domainName, 'v=spf1 ip4:192.0.2.1 -all'));
    const undo = undoDns(journalOf(done), now);
    expect(undo.skipped.map(({ reason }) => reason)).toContain(
      'Another record of its kind stands there now.',
    );
    expect(
      applyChanges(now, undo.changes.map(toChange)).filter(({ name }) => name === domainName),
    ).toHaveLength(1);
  });

  test('R20: latest stage first, each with the set that it expects', () => {
    const before = busyZone();
    const done = plan(before, { consents: allConsents });
    const now = afterPlan(before, done);
    const stagesSeen = undoDns(journalOf(done), now).changes.map(({ stage }) => stage);
    expect([...new Set(stagesSeen)]).toEqual(['mx', 'policy', 'auth', 'host']);
    const mxDelete = undoDns(journalOf(done), now).changes.find(
      ({ role, op }) => role === 'mx' && op === 'delete',
    );
    expect(mxDelete?.rrsetBefore.map(({ data }) => data)).toEqual([
      { type: 'MX', preference: 10, exchange: hostName },
    ]);
  });

  test('R20: a write that is known to have failed is not taken back', () => {
    const done = plan([]);
    const entries: JournalEntry[] = [
      ...journalOf(done),
      { kind: 'result', id: '0', at: '', ok: false, error: 'no' },
    ];
    // The same record was made by somebody else afterwards.
    const now = afterPlan([], done);
    const undo = undoDns(entries, now);
    expect(undo.changes.some(({ role }) => role === done.changes[0]?.role)).toBe(false);
    expect(undo.changes).toHaveLength(done.changes.length - 1);
  });

  test('R20: a write without a result (a killed client) is taken back when it landed', () => {
    const done = plan([]);
    expect(undoDns(journalOf(done), afterPlan([], done)).changes).toHaveLength(done.changes.length);
  });

  test('R20: what was undone stays undone; a later apply begins a new chapter', () => {
    const done = plan([]);
    const now = afterPlan([], done);
    const closed: JournalEntry[] = [...journalOf(done), { kind: 'undone', at: '' }];
    expect(undoDns(closed, now).changes).toEqual([]);
    expect(undoDns([...closed, ...journalOf(done)], now).changes).toHaveLength(done.changes.length);
  });

  test('R20: foreign records are named by no undo, whatever happened in between', () => {
    const foreign = fc.array(
      fc
        .tuple(fc.constantFrom(domainName, hostName, 'www.example.org'), fc.string({ maxLength: 20 }))
        .map(([name, text]) => txt(name, `t${text}`)),
      { maxLength: 6 },
    );
    fc.assert(
      fc.property(
        foreign,
        foreign,
        fc.array(fc.nat({ max: 30 }), { maxLength: 4 }),
        (before, added, dropped) => {
          const done = plan(before);
          const now = [...afterPlan(before, done), ...added].filter((_, index) => !dropped.includes(index));
          const result = undone(journalOf(done), now);
          const others = (records: readonly LiveRecord[]) => records.filter(({ mark }) => mark === undefined);
          expect(others(result)).toEqual(others(now));
          expect(result.filter(({ mark }) => mark !== undefined)).toEqual([]);
        },
      ),
      { numRuns: 100 },
    );
  });

  test('an address that was taken over goes back to its owner', () => {
    const before = [live(hostName, { type: 'A', address: '192.0.2.9' })];
    const done = plan(before, { consents: allConsents });
    expect(afterPlan(before, done).some(({ data }) => data.type === 'A' && data.address === ipv4)).toBe(true);
    expect(meaning(undone(journalOf(done), afterPlan(before, done)))).toEqual(meaning(before));
  });
});
