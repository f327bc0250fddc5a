import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Suites in `test/<name>/`. The fast ones run side by side; the machine-wide ones one file at a time, as root. */
const fast = ['unit', 'golden', 'conformance'];
const slow = ['integration', 'e2e'];

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
