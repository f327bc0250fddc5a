import { expect, it } from 'vitest';
import type { DnsLane } from '../../../src/apply/dns-lane.js';
import { createLanePool } from '../../../src/apply/lane-pool.js';

it('gives one lane to all who write to a zone, and closes it with the last', async () => {
  const made: string[] = [];
  const closed: string[] = [];
  const create = (zone: string) => (): DnsLane => {
    made.push(zone);
    return {
      backup: async () => [zone],
      applyStage: async () => ({ written: 0, alreadyThere: 0, byHand: [] }),
      close: async () => void closed.push(zone),
    };
  };
  const pool = createLanePool();
  const [a, b, other] = ['one', 'one', 'two'].map((zone) => pool.take(zone, create(zone)));
  expect(made).toEqual(['one', 'two']);
  expect(await b?.backup()).toEqual(['one']);
  await a?.close();
  expect(closed).toEqual([]);
  await other?.close();
  await b?.close();
  expect(closed).toEqual(['two', 'one']);
  pool.take('one', create('one'));
  expect(made).toEqual(['one', 'two', 'one']);
});

it('gives the lane that is just being closed to whoever comes meanwhile', async () => {
  let made = 0;
  let release = () => {};
  const create = (): DnsLane => {
    made += 1;
    return {
      backup: async () => [],
      applyStage: async () => ({ written: 0, alreadyThere: 0, byHand: [] }),
      close: () => new Promise((resolve) => (release = resolve)),
    };
  };
  const pool = createLanePool();
  const first = pool.take('one', create).close();
  pool.take('one', create);
  release();
  await first;
  pool.take('one', create);
  expect(made).toBe(1);
});

it('leaves the next lane where it is when an older one has closed twice', async () => {
  const made: number[] = [];
  const releases: (() => void)[] = [];
  const create = (): DnsLane => {
    made.push(made.length);
    return {
      backup: async () => [],
      applyStage: async () => ({ written: 0, alreadyThere: 0, byHand: [] }),
      close: () => new Promise((resolve) => releases.push(resolve)),
    };
  };
  const pool = createLanePool();
  const closing = [pool.take('one', create).close(), pool.take('one', create).close()];
  releases[0]?.();
  await closing[0];
  pool.take('one', create);
  releases[1]?.();
  await closing[1];
  pool.take('one', create);
  expect(made).toEqual([0, 1]);
});
