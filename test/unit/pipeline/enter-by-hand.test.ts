import { expect, it } from 'vitest';
import type { Change, MissingChange, Zone } from '../../../src/dns/providers/provider.js';
import { createHandWork, describeMissing } from '../../../src/pipeline/enter-by-hand.js';
import type { ProgressEvent } from '../../../src/ui/events.js';

const zone: Zone = { id: 'z', name: 'example.test', nameServers: ['ns1.provider.test'], state: 'active' };
const create = (name: string): Change => ({
  op: 'create',
  after: { name: `${name}.example.test`, ttl: 300, data: { type: 'TXT', text: name } },
});

/** A person who enters one record each time the tool looks away. */
function setUp(patience: number, entersAnything = true) {
  const said: string[] = [];
  const events: ProgressEvent[] = [];
  const missing: MissingChange[] = [];
  let now = 0;
  const work = createHandWork({
    clock: {
      now: () => now,
      async sleep(ms) {
        now += ms;
        if (entersAnything) missing.shift();
      },
    },
    progress: { emit: (event) => events.push(event), stop: () => undefined },
    signal: new AbortController().signal,
    say: (text) => said.push(text),
    patience,
  });
  const add = (...changes: Change[]): void => {
    missing.push(...changes.map((change) => ({ change, state: 'ns1.provider.test: not there' })));
    work.add(
      { zone, provider: { findMissing: async (of) => missing.filter((m) => of.includes(m.change)) } },
      [...changes],
    );
  };
  return { work, add, said, events, waited: () => now };
}

it('shows what to enter once, and waits until all of it is there', async () => {
  const { work, add, said, events, waited } = setUp(3_600_000);
  add(create('one'));
  add(create('two'));
  expect(await work.settle()).toEqual([]);
  expect(said.join('\n').match(/one\.example\.test\. 300 IN TXT "one"/g)).toHaveLength(1);
  expect(said.join('\n')).toContain('two.example.test. 300 IN TXT "two"');
  expect(waited()).toBe(20_000);
  expect(events.map(({ kind }) => kind)).toEqual(['start', 'wait', 'wait', 'done']);
  expect(await work.settle()).toEqual([]);
  expect(events).toHaveLength(4);
});

it('gives up when the patience is over, and says what is not there', async () => {
  const { work, add, events, waited } = setUp(25_000, false);
  add(create('one'));
  const left = await work.settle();
  expect(left.map(describeMissing)).toEqual([
    'create one.example.test. 300 IN TXT "one" (ns1.provider.test: not there)',
  ]);
  expect(waited()).toBe(30_000);
  expect(events.at(-1)?.kind).toBe('fail');
});

it('does not wait where nobody can enter anything', async () => {
  const { work, add, said, events, waited } = setUp(0);
  add(create('one'));
  expect(await work.settle()).toHaveLength(1);
  expect([said.length, events, waited()]).toEqual([1, [], 0]);
});

it('says nothing when there is nothing to enter', async () => {
  const { work, said, events } = setUp(1000);
  work.add({ zone, provider: {} }, []);
  expect(await work.settle()).toEqual([]);
  expect([said, events]).toEqual([[], []]);
});
