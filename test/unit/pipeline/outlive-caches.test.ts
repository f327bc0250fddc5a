import { expect, it } from 'vitest';
import { outliveCaches } from '../../../src/pipeline/outlive-caches.js';
import type { ProgressEvent } from '../../../src/ui/events.js';

const day = Date.parse('2026-11-24T10:00:00Z');
const wait = (seconds: number) => ({ before: 'mx' as const, seconds, reason: 'Caches hold the old MX.' });

async function run(seconds: readonly number[], alreadyGone = 0) {
  const events: ProgressEvent[] = [];
  let now = alreadyGone * 1000;
  const early = await outliveCaches(seconds.map(wait), 0, {
    clock: {
      now: () => now,
      async sleep(ms) {
        now += ms;
      },
    },
    now: () => day + now,
    progress: { emit: (event) => events.push(event), stop: () => undefined },
    signal: new AbortController().signal,
    patience: 600_000,
  });
  return { early, events, waited: now / 1000 - alreadyGone };
}

it('waits for the longest, counted from the write, and says for how long', async () => {
  const { early, events, waited } = await run([20, 40], 5);
  expect(early).toBeUndefined();
  expect(waited).toBe(35);
  expect(events.map(({ kind }) => kind)).toEqual(['start', 'wait', 'wait', 'wait', 'done']);
  expect(events.flatMap((event) => (event.kind === 'wait' ? [event.etaSeconds] : []))).toEqual([35, 20, 5]);
});

it('does not wait at all when nothing is held any more', async () => {
  for (const [seconds, gone] of [
    [[], 0],
    [[300], 300],
  ] as const) {
    expect(await run(seconds, gone)).toEqual({ early: undefined, events: [], waited: 0 });
  }
});

it('ends at once with the time to come back when that is too far off', async () => {
  const { early, events, waited } = await run([3600], 600);
  expect([events, waited]).toEqual([[], 0]);
  expect(early).toBe(
    'Caches hold the old MX. Give the same command again from 2026-11-24 11:00 UTC on, in 50 minutes.',
  );
});
