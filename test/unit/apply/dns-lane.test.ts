import { describe, expect, test } from 'vitest';
import { createDnsLane, noRightToWrite } from '../../../src/apply/dns-lane.js';
import { applyDnsUndo } from '../../../src/apply/undo-dns.js';
import { recordKey } from '../../../src/dns/canonical.js';
import { applyChanges } from '../../../src/dns/diff.js';
import { type DnsJournal, type JournalEntry, undoDns } from '../../../src/dns/journal.js';
import type { Applied, Change } from '../../../src/dns/providers/provider.js';
import type { LiveRecord } from '../../../src/dns/record.js';
import { Exit, SetupError } from '../../../src/errors.js';
import { allConsents, domainName, hostName, live, mx, plan, txt, zone } from '../dns/zone-fixture.js';

/** A zone in memory that keeps the provider's contract, and can be made to misbehave. */
function memoryZone(start: readonly LiveRecord[]) {
  const state = {
    records: [...start],
    calls: [] as string[],
    batches: [] as Change[][],
    /** Runs instead of the write; return undefined to write after all. */
    misbehave: undefined as ((changes: readonly Change[]) => Applied[] | undefined) | undefined,
    /** Runs whenever the lane lets time pass. */
    later: undefined as (() => void) | undefined,
  };
  let id = 0;
  const write = (changes: readonly Change[]): void => {
    state.records = applyChanges(state.records, changes).map((record) => ({
      ...record,
      id: record.id ?? `n${++id}`,
    }));
  };
  const provider = {
    async list() {
      state.calls.push('list');
      return structuredClone(state.records);
    },
    async apply(_zone: unknown, changes: readonly Change[]): Promise<Applied[]> {
      state.calls.push('apply');
      state.batches.push([...changes]);
      const odd = state.misbehave?.(changes);
      if (odd !== undefined) return odd;
      write(changes);
      return changes.map(() => ({ ok: true }));
    },
  };
  return { state, provider, write };
}

function memoryJournal() {
  const entries: JournalEntry[] = [];
  const saved: LiveRecord[][] = [];
  const events: string[] = [];
  const journal: DnsJournal = {
    async append(_zone, added) {
      events.push(...added.map(({ kind }) => kind));
      entries.push(...added);
    },
    async read() {
      return entries;
    },
    async saveZone(_zone, _at, records) {
      events.push('save');
      saved.push([...records]);
      return ['zone.json', 'zone.zone'];
    },
    async lock() {
      events.push('lock');
      return async () => {
        events.push('unlock');
      };
    },
  };
  return { journal, entries, saved, events };
}

function setUp(start: readonly LiveRecord[], batchMax = 200) {
  const memory = memoryZone(start);
  const kept = memoryJournal();
  const lines: string[] = [];
  const lane = createDnsLane({
    provider: memory.provider,
    zone,
    capabilities: { batchMax },
    journal: kept.journal,
    log: (line) => lines.push(line),
    clock: () => new Date('2026-11-24T00:00:00Z'),
    wait: async (milliseconds) => {
      memory.state.calls.push(`wait ${milliseconds}`);
      memory.state.later?.();
    },
  });
  return { ...memory, ...kept, lane, lines };
}

const order = ['host', 'auth', 'policy', 'mx', 'tail'] as const;

async function applyAll(lane: ReturnType<typeof setUp>['lane'], done: ReturnType<typeof plan>) {
  const results = [];
  for (const stage of order) results.push(await lane.applyStage(stage, done.changes));
  return results;
}

const keys = (records: readonly LiveRecord[]): string[] => records.map(recordKey).sort();

describe('the DNS lane', () => {
  test('writes a plan stage by stage; the zone is saved before the first write and once', async () => {
    const t = setUp([txt(domainName, 'token')]);
    const done = plan(t.state.records);
    const results = await applyAll(t.lane, done);
    expect(results.map(({ written }) => written)).toEqual([1, 3, 1, 1, 0]);
    expect(t.events.slice(0, 4)).toEqual(['lock', 'save', 'write', 'result']);
    expect(t.events.filter((event) => event === 'save')).toHaveLength(1);
    expect(t.saved[0]?.map(({ data }) => data)).toEqual([{ type: 'TXT', text: 'token' }]);
    expect(plan(t.state.records).changes).toEqual([]);
    await t.lane.close();
    expect(t.events.at(-1)).toBe('unlock');
  });

  test('a value that was learnt on the way and stands there already is no drift', async () => {
    const there = txt(`s1._domainkey.${domainName}`, 'v=DKIM1; k=rsa; p=MIIB');
    const t = setUp([there]);
    const [created] = plan([]).changes.filter(({ op }) => op === 'create');
    if (created === undefined) throw new Error('nothing is created');
    const { name, ttl, data } = there;
    const learnt = { ...created, after: { name, ttl, data }, rrsetBefore: [there] };
    expect(await t.lane.applyStage(learnt.stage, [learnt])).toMatchObject({ written: 0, alreadyThere: 1 });
    expect(t.state.records).toEqual([there]);
  });

  test('without changes it asks nobody and writes nothing', async () => {
    const t = setUp([]);
    expect(await applyAll(t.lane, { ...plan([]), changes: [] })).toEqual(
      order.map(() => ({ written: 0, alreadyThere: 0, byHand: [] })),
    );
    expect(t.state.calls).toEqual([]);
    expect(t.events).toEqual([]);
    await t.lane.close();
  });

  test('what only the user can enter is remembered like a write, and told apart from a failure', async () => {
    const t = setUp([txt(domainName, 'token')]);
    t.state.misbehave = (changes) =>
      changes.map(() => ({ ok: false, code: 'E_DNS_PENDING', error: 'not seen yet' }));
    const done = plan(t.state.records);
    const result = await t.lane.applyStage('auth', done.changes);
    expect(result).toMatchObject({ written: 0, alreadyThere: 0 });
    expect(result.byHand.map(({ op }) => op)).toEqual(['create', 'create', 'create']);
    expect(t.lines.filter((line) => line.startsWith('by hand: create '))).toHaveLength(3);
    t.write(result.byHand);
    t.state.misbehave = undefined;
    const undone = await applyDnsUndo(
      t.lane,
      undoDns(t.entries, t.state.records),
      t.journal,
      zone.name,
      () => new Date(),
    );
    expect(undone).toEqual({ written: 3, byHand: [] });
    expect(keys(t.state.records)).toEqual(keys([txt(domainName, 'token')]));
  });

  test('a value that is not known yet is never written', async () => {
    const t = setUp([]);
    const done = plan([], { domain: { dkim: [{ selector: 's202611' }] } });
    await expect(t.lane.applyStage('auth', done.changes)).rejects.toMatchObject({
      code: 'E_DNS_UNKNOWN_VALUE',
    });
    expect(t.state.calls).toEqual([]);
  });

  test('R17: a set that somebody changed since the plan stops the stage before any write', async () => {
    const spf = txt(domainName, 'v=spf1 include:x.example ~all');
    const drifts: ((records: LiveRecord[]) => LiveRecord[])[] = [
      (records) => [...records, txt(domainName, 'new token')],
      (records) => records.filter(({ id }) => id !== spf.id),
      (records) =>
        records.map((record) =>
          record.id === spf.id ? { ...record, data: { type: 'TXT', text: 'v=spf1 -all' } } : record,
        ),
    ];
    for (const drift of drifts) {
      const t = setUp([spf]);
      const done = plan([spf], { consents: allConsents });
      t.state.records = drift(t.state.records);
      await expect(t.lane.applyStage('auth', done.changes)).rejects.toMatchObject({
        code: 'E_DNS_DRIFT',
        exit: Exit.busy,
      });
      expect(t.state.batches).toEqual([]);
      expect(t.entries).toEqual([]);
    }
  });

  test('R17: a CNAME that appeared at a name stops too', async () => {
    const t = setUp([]);
    const done = plan([]);
    t.state.records = [live(hostName, { type: 'CNAME', target: 'x.example' })];
    await expect(t.lane.applyStage('host', done.changes)).rejects.toMatchObject({
      code: 'E_DNS_DRIFT',
      evidence: expect.arrayContaining([expect.stringContaining('CNAME x.example.')]),
    });
  });

  test('R17: changes elsewhere in the zone, TTLs and new ids are no drift', async () => {
    const spf = txt(domainName, 'v=spf1 include:x.example ~all');
    const t = setUp([spf]);
    const done = plan([spf], { consents: allConsents });
    t.state.records = [{ ...spf, id: 'renumbered', ttl: 77 }, txt('www.example.org', 'new')];
    await expect(t.lane.applyStage('auth', done.changes)).resolves.toMatchObject({ written: 3 });
    const update = t.state.batches[0]?.find(({ op }) => op === 'update');
    expect(update).toMatchObject({ before: { id: 'renumbered' } });
  });

  test('R17: what an interrupted apply has written already is not written again', async () => {
    const records = [mx('old.example', 1), txt(domainName, 'v=spf1 include:x.example ~all')];
    const done = plan(records, { consents: allConsents });
    const t = setUp(records);
    await applyAll(t.lane, done);
    const again = setUp(t.state.records);
    const results = await applyAll(again.lane, {
      ...done,
      changes: done.changes.filter(({ stage }) => stage !== 'host'),
    });
    expect(results.every(({ written }) => written === 0)).toBe(true);
    expect(again.state.batches).toEqual([]);
    expect(again.saved).toEqual([]);
  });

  test('R17: a half-written stage goes on with what is missing', async () => {
    const t = setUp([]);
    const done = plan([]);
    const first = done.changes.find(({ role }) => role === 'spf');
    if (first?.after === undefined) throw new Error('no SPF in the plan');
    t.write([{ op: 'create', after: first.after }]);
    expect(await t.lane.applyStage('auth', done.changes)).toEqual({
      written: 2,
      alreadyThere: 1,
      byHand: [],
    });
  });

  test('R17: what the provider accepts but does not store is a failure', async () => {
    const t = setUp([mx(hostName, 20), mx('', 0)]);
    const done = plan(t.state.records, { consents: allConsents });
    t.state.misbehave = (changes) => changes.map(() => ({ ok: true }));
    await expect(t.lane.applyStage('mx', done.changes)).rejects.toMatchObject({
      code: 'E_DNS_WRITE',
      evidence: [expect.stringMatching(/^FAILED: delete .* the zone does not show it$/)],
    });
  });

  test('R17: a change that the zone shows a moment later is no failure, and is not sent twice', async () => {
    const t = setUp([mx(hostName, 20), mx('', 0)]);
    const done = plan(t.state.records, { consents: allConsents });
    const accepted: Change[] = [];
    t.state.misbehave = (changes) => {
      accepted.push(...changes);
      return changes.map(() => ({ ok: true }));
    };
    let waits = 0;
    t.state.later = () => {
      if (++waits === 3) t.write(accepted);
    };
    await t.lane.applyStage('mx', done.changes);
    expect(t.state.calls).toEqual([
      ...['list', 'apply', 'list'],
      ...['wait 100', 'list', 'wait 250', 'list', 'wait 500', 'list'],
    ]);
  });

  test('R17: what the provider refused is not waited for', async () => {
    const t = setUp([mx(hostName, 20), mx('', 0)]);
    const done = plan(t.state.records, { consents: allConsents });
    t.state.misbehave = (changes) => changes.map(() => ({ ok: false, error: 'no' }));
    await expect(t.lane.applyStage('mx', done.changes)).rejects.toMatchObject({ code: 'E_DNS_WRITE' });
    expect(t.state.calls).toEqual(['list', 'apply', 'list']);
  });

  test('a token that may not write is told from a record that is no good', async () => {
    for (const [code, cause] of [
      ['E_DNS_TOKEN', noRightToWrite],
      ['E_DNS_API', undefined],
    ] as const) {
      const t = setUp([mx(hostName, 20), mx('', 0)]);
      const done = plan(t.state.records, { consents: allConsents });
      // Whatever the status is under which an API says so.
      t.state.misbehave = (changes) => changes.map(() => ({ ok: false, error: 'HTTP 400: 10000', code }));
      const error = await t.lane.applyStage('mx', done.changes).catch((thrown: Error) => thrown);
      expect(error).toMatchObject({ code: 'E_DNS_WRITE' });
      expect(error instanceof Error && error.cause).toBe(cause);
    }
  });

  test('R17: a provider that loses a neighbour in the set does not go unseen', async () => {
    const t = setUp([txt(domainName, 'token')]);
    const done = plan(t.state.records);
    t.state.misbehave = (changes) => {
      t.write(changes);
      t.state.records = t.state.records.filter(({ data }) => !(data.type === 'TXT' && data.text === 'token'));
      return changes.map(() => ({ ok: true }));
    };
    await expect(t.lane.applyStage('auth', done.changes)).rejects.toMatchObject({
      code: 'E_DNS_WRITE',
      evidence: ['lost: example.org. 3600 IN TXT "token"'],
    });
  });

  test('R18: batches stay within the limit, sets stay together, and A comes before MX in another batch', async () => {
    const records = [txt(domainName, 'v=spf1 mx ~all'), txt(domainName, 'v=spf1 include:x.example -all')];
    const t = setUp(records, 2);
    const done = plan(records, { consents: allConsents });
    await applyAll(t.lane, done);
    for (const batch of t.state.batches) expect(batch.length).toBeLessThanOrEqual(2);
    const spfBatch = t.state.batches.find((batch) => batch.some(({ op }) => op === 'delete'));
    expect(spfBatch?.map(({ op }) => op)).toEqual(['delete', 'update']);
    const position = (type: string) =>
      t.state.batches.findIndex((batch) =>
        batch.some((change) => change.op === 'create' && change.after.data.type === type),
      );
    expect(position('A')).toBeLessThan(position('MX'));
  });

  test('R19: an error after the write has landed is success', async () => {
    const t = setUp([]);
    const done = plan([]);
    t.state.misbehave = (changes) => {
      t.write(changes);
      return changes.map(() => ({ ok: false, error: 'identical record exists', code: '81058' }));
    };
    await expect(t.lane.applyStage('auth', done.changes)).resolves.toMatchObject({ written: 3 });
    t.state.misbehave = (changes) => {
      t.write(changes);
      throw new Error('socket hang up');
    };
    await expect(t.lane.applyStage('host', done.changes)).resolves.toMatchObject({ written: 1 });
  });

  test('R19: nothing is sent twice, whatever the answer', async () => {
    const t = setUp([]);
    t.state.misbehave = () => {
      throw new Error('503');
    };
    await expect(t.lane.applyStage('host', plan([]).changes)).rejects.toMatchObject({ code: 'E_DNS_WRITE' });
    expect(t.state.batches).toHaveLength(1);
  });

  test('a partial failure is reported record by record, and later batches are not sent', async () => {
    const t = setUp([], 1);
    const done = plan([]);
    t.state.misbehave = (changes) =>
      changes.some((change) => change.op === 'create' && change.after.name === domainName)
        ? changes.map(() => ({ ok: false, error: 'no \u001b[31mpermission\u001b[0m' }))
        : undefined;
    const error: unknown = await t.lane.applyStage('auth', done.changes).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(SetupError);
    const { evidence, exit } = error as SetupError;
    expect(exit).toBe(Exit.failed);
    expect(evidence).toHaveLength(3);
    expect(evidence.filter((line) => line.startsWith('done: '))).toHaveLength(1);
    expect(evidence.join('\n')).toContain('— no permission');
    expect(evidence.join('\n')).toContain('not sent, because an earlier record failed');
    expect(t.entries.flatMap((entry) => (entry.kind === 'result' ? [entry.ok] : []))).toEqual([true, false]);
  });

  test('R20: each write is in the journal before the provider is asked', async () => {
    const t = setUp([]);
    let journalled = 0;
    t.state.misbehave = () => {
      journalled = t.entries.filter(({ kind }) => kind === 'write').length;
      return undefined;
    };
    await t.lane.applyStage('auth', plan([]).changes);
    expect(journalled).toBe(3);
  });

  test('R20: undo through the lane restores the zone, and a second undo finds nothing', async () => {
    const start = [
      mx('old.example', 1),
      txt(domainName, 'v=spf1 include:x.example ~all', { ttl: 1800 }),
      live(hostName, { type: 'A', address: '192.0.2.9' }),
    ];
    const t = setUp(start);
    await applyAll(t.lane, plan(start, { consents: allConsents }));
    expect(keys(t.state.records)).not.toEqual(keys(start));
    const undo = undoDns(await t.journal.read(domainName), t.state.records);
    const clock = () => new Date('2026-11-24T01:00:00Z');
    const undone = await applyDnsUndo(t.lane, undo, t.journal, domainName, clock);
    expect(undone.written).toBeGreaterThan(0);
    expect(keys(t.state.records)).toEqual(keys(start));
    expect(t.state.records.map(({ ttl }) => ttl).sort()).toEqual(start.map(({ ttl }) => ttl).sort());
    expect(undoDns(await t.journal.read(domainName), t.state.records).changes).toEqual([]);
  });

  test('R17: stages asked for side by side are written one after the other, under one lock', async () => {
    const t = setUp([]);
    const done = plan([]);
    const results = await Promise.all(order.map((stage) => t.lane.applyStage(stage, done.changes)));
    expect(results.map(({ written }) => written)).toEqual([1, 3, 1, 1, 0]);
    expect(t.events.filter((event) => event === 'lock')).toHaveLength(1);
    const applies = t.state.calls.flatMap((call, index) => (call === 'apply' ? [index] : []));
    expect(
      applies.every((index) => t.state.calls[index - 1] === 'list' && t.state.calls[index + 1] === 'list'),
    ).toBe(true);
  });

  test('a failed stage does not block the next one', async () => {
    const t = setUp([]);
    const done = plan([]);
    t.state.misbehave = () => [];
    await expect(t.lane.applyStage('host', done.changes)).rejects.toMatchObject({
      evidence: [expect.stringContaining('gave no answer for this record')],
    });
    t.state.misbehave = undefined;
    await expect(t.lane.applyStage('host', done.changes)).resolves.toMatchObject({ written: 1 });
    await t.lane.close();
    expect(t.events.at(-1)).toBe('unlock');
  });

  test('R20: the journal keeps what stood there at the time of writing', async () => {
    const spf = txt(domainName, 'v=spf1 include:x.example ~all', { ttl: 3600 });
    const t = setUp([{ ...spf, ttl: 77, mark: 'new comment' }]);
    await t.lane.applyStage('auth', plan([spf], { consents: allConsents }).changes);
    expect(t.entries).toContainEqual(
      expect.objectContaining({
        change: expect.objectContaining({
          before: expect.objectContaining({ ttl: 77, mark: 'new comment' }),
        }),
      }),
    );
  });

  test('R21: the lane knows the provider only; it asks no resolver about names that are to come', async () => {
    const t = setUp([]);
    await applyAll(t.lane, plan([]));
    expect(new Set(t.state.calls)).toEqual(new Set(['list', 'apply']));
  });

  test('nothing that it logs can move a cursor', async () => {
    const t = setUp([]);
    await applyAll(t.lane, plan([]));
    for (const line of t.lines) expect(line).toMatch(/^[ -~]*$/);
  });
});
