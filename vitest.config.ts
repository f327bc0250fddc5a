import { defineConfig } from 'vitest/config';

/** Suites in `test/<name>/`. The fast ones run side by side; the machine-wide ones one file at a time, as root. */
const fast = ['unit', 'golden', 'conformance'];
const slow = ['integration', 'e2e'];

export default defineConfig({
  test: {
    projects: [
      ...fast.map((name) => ({
        test: {
          name,
          include: [`test/${name}/**/*.test.ts`],
          testTimeout: 20_000,
          sequence: { groupOrder: 0 },
        },
      })),
      ...slow.map((name, index) => ({
        test: {
          name,
          include: [`test/${name}/**/*.test.ts`],
          fileParallelism: false,
          maxWorkers: 1,
          testTimeout: 20 * 60_000,
          hookTimeout: 20 * 60_000,
          sequence: { groupOrder: index + 1 },
        },
      })),
    ],
  },
});
