import { expect, it } from 'vitest';
import { sideBySide } from '../../../src/lib/side-by-side.js';
import { createTurns } from '../../../src/lib/turns.js';

it('works on so many at a time and no more, and keeps the order of the results', async () => {
  const gates = new Map<number, () => void>();
  let atWork = 0;
  let most = 0;
  const all = sideBySide([1, 2, 3, 4, 5], 2, async (item) => {
    atWork += 1;
    most = Math.max(most, atWork);
    await new Promise<void>((resolve) => gates.set(item, resolve));
    atWork -= 1;
    return item * 10;
  });
  // The later one of each pair ends first.
  for (const item of [2, 3, 4, 5, 1]) {
    await expect.poll(() => gates.has(item)).toBe(true);
    gates.get(item)?.();
  }
  expect(await all).toEqual([10, 20, 30, 40, 50]);
  expect(most).toBe(2);
});

it('lets one write after the other, also after one that failed', async () => {
  const inTurn = createTurns();
  const seen: string[] = [];
  const work = (name: string, fails = false) =>
    inTurn(async () => {
      seen.push(`${name} begins`);
      await new Promise((resolve) => setImmediate(resolve));
      seen.push(`${name} ends`);
      if (fails) throw new Error(name);
      return name;
    });
  const results = await Promise.allSettled([work('a'), work('b', true), work('c')]);
  expect(seen).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
});
