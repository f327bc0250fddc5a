import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * Suites in `test/<name>/`. The fast ones run side by side. The machine-wide ones run as root: integration one file at a
 * time; end to end two, as each has machines of its own and spends most of its time waiting for them.
 */
const fast = ['unit', 'golden', 'conformance'];
const slow = [
  { name: 'integration', maxWorkers: 1 },
  { name: 'e2e', maxWorkers: 2 },
];

/** By name: the end-to-end files that install a server from nothing come first, and leave it to the others. */
class ByName extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return files.toSorted((a, b) => (a.moduleId < b.moduleId ? -1 : 1));
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: ByName },
    projects: [
      ...fast.map((name) => ({
        test: {
          name,
          include: [`test/${name}/**/*.test.ts`],
          testTimeout: 20_000,
          sequence: { groupOrder: 0 },
        },
      })),
      ...slow.map(({ name, maxWorkers }, index) => ({
        test: {
          name,
          include: [`test/${name}/**/*.test.ts`],
          fileParallelism: maxWorkers > 1,
          maxWorkers,
          testTimeout: 20 * 60_000,
          hookTimeout: 20 * 60_000,
          sequence: { groupOrder: index + 1 },
        },
      })),
    ],
  },
});
