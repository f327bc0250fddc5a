import { describe, expect, it } from 'vitest';
import { editRrsets, recordsAfter } from '../../../../src/dns/providers/edit-rrset.js';
import type { Change } from '../../../../src/dns/providers/provider.js';
import type { NeededChange } from '../../../../src/dns/providers/write-changes.js';
import type { LiveRecord } from '../../../../src/dns/record.js';

const txt = (text: string, ttl = 300): LiveRecord => ({
  name: 'example.test',
  ttl,
  data: { type: 'TXT', text },
});
const needed = (...changes: Change[]): NeededChange[] =>
  changes.map((change, index) => ({
    index,
    change,
    ...(change.op === 'create' ? {} : { current: change.before }),
  }));
const texts = (records: readonly LiveRecord[]): string[] =>
  records.map(({ data }) => (data.type === 'TXT' ? data.text : '')).sort();

describe('merging changes into the sets that stand there', () => {
  it('keeps the members of others through create, update and delete', () => {
    const live = [txt('theirs'), txt('old'), txt('gone')];
    const [edit] = editRrsets(
      needed(
        { op: 'create', after: txt('new') },
        { op: 'update', before: txt('old'), after: txt('changed') },
        { op: 'delete', before: txt('gone') },
      ),
      live,
    );
    expect(texts(edit?.after ?? [])).toEqual(['changed', 'new', 'theirs']);
    expect(edit?.before).toEqual(live);
  });

  it('gives one edit a set, and tells what each change left', () => {
    const a: LiveRecord = {
      name: 'mail.example.test',
      ttl: 60,
      data: { type: 'A', address: '198.51.100.1' },
    };
    const edits = editRrsets(
      needed(
        { op: 'create', after: txt('one') },
        { op: 'create', after: a },
        { op: 'create', after: txt('two') },
      ),
      [],
    );
    expect(edits.map(({ name, type }) => `${name} ${type}`)).toEqual([
      'example.test TXT',
      'mail.example.test A',
    ]);
    expect(edits[0]?.needed.map(({ index }) => index)).toEqual([0, 2]);
    expect(edits.flatMap(recordsAfter)).toMatchObject([txt('one'), txt('two'), a]);
  });

  it.each<[string, Change[], LiveRecord[], number]>([
    [
      'a record that joins takes the TTL of the set',
      [{ op: 'create', after: txt('b', 300) }],
      [txt('a', 7200)],
      7200,
    ],
    ['a new set has the TTL that was asked for', [{ op: 'create', after: txt('b', 600) }], [], 600],
    [
      'an update that asks for another TTL moves the whole set',
      [{ op: 'update', before: txt('a', 7200), after: txt('a', 60) }],
      [txt('a', 7200), txt('theirs', 7200)],
      60,
    ],
    [
      'an update of the value alone leaves it',
      [{ op: 'update', before: txt('a', 7200), after: txt('b', 7200) }],
      [txt('a', 7200)],
      7200,
    ],
    [
      'a set that is replaced as a whole has the new one',
      [
        { op: 'delete', before: txt('a', 7200) },
        { op: 'create', after: txt('b', 300) },
      ],
      [txt('a', 7200)],
      300,
    ],
  ])('%s', (_what, changes, live, ttl) => {
    const [edit] = editRrsets(needed(...changes), live);
    expect(edit?.ttl).toBe(ttl);
    expect(edit?.after.every((record) => record.ttl === ttl)).toBe(true);
  });

  it('leaves nothing of a set whose last member is deleted', () => {
    const [edit] = editRrsets(needed({ op: 'delete', before: txt('a') }), [txt('a')]);
    expect(edit?.after).toEqual([]);
    expect(recordsAfter(edit as NonNullable<typeof edit>)).toEqual([undefined]);
  });
});
