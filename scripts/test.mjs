import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runChecks } from './check.mjs';
import { countResults } from './count-results.mjs';
import { listFailures } from './list-failures.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const isRoot = process.getuid?.() === 0;

/** The suites, and why one is left out on this machine; nothing else is ever left out. */
const suites = [
  { name: 'unit' },
  { name: 'golden' },
  { name: 'conformance' },
  { name: 'integration', leftOut: isRoot ? undefined : 'needs root (network namespaces, a real sshd)' },
  { name: 'e2e', leftOut: isRoot ? undefined : 'needs root (boots throwaway machines)' },
];

async function runTests() {
  const write = (text) => process.stdout.write(text);
  write('Static checks\n');
  const checks = await runChecks(write);

  write('\nBuild\n');
  if (
    spawnSync('node', ['scripts/build.mjs'], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
      .status !== 0
  ) {
    return { passed: checks.passed, failed: checks.failed + 1 };
  }

  const chosen = suites.filter((suite) => suite.leftOut === undefined && hasTests(suite.name));
  const folder = mkdtempSync(join(tmpdir(), 'smtp-setup-test-'));
  const reportFile = join(folder, 'report.json');
  try {
    const { status } = spawnSync(
      'npx',
      [
        'vitest',
        'run',
        ...chosen.flatMap(({ name }) => ['--project', name]),
        '--reporter=default',
        '--reporter=json',
        `--outputFile.json=${reportFile}`,
      ],
      { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] },
    );
    // A runner that died before its report is a failure, however green its output looked.
    if (!existsSync(reportFile)) return { passed: checks.passed, failed: checks.failed + 1 };
    const report = JSON.parse(readFileSync(reportFile, 'utf8'));
    const failures = listFailures(report, root);
    if (failures.length > 0) write(`\n${failures.join('\n')}\n`);
    const tests = countResults(report, status);
    return { passed: checks.passed + tests.passed, failed: checks.failed + tests.failed };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function hasTests(name) {
  return existsSync(join(root, 'test', name));
}

const { passed, failed } = await runTests();
for (const { name, leftOut } of suites) {
  if (leftOut !== undefined) process.stdout.write(`Left out: ${name}: ${leftOut}\n`);
}
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
