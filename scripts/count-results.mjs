/**
 * vitest's JSON report and exit status → the totals. Tests that a failed hook kept from running are failures, a file that
 * could not be loaded is one, and so is whatever else made the runner end badly (an error after the last test).
 */
export function countResults(report, exitStatus) {
  let passed = 0;
  let failed = 0;
  for (const file of report.testResults) {
    const withStatus = (...wanted) =>
      file.assertionResults.filter(({ status }) => wanted.includes(status)).length;
    passed += withStatus('passed');
    const failedHere =
      file.status === 'failed' ? withStatus('failed', 'skipped', 'pending') : withStatus('failed');
    failed += file.status === 'failed' ? Math.max(1, failedHere) : failedHere;
  }
  if (passed + failed === 0 || (exitStatus !== 0 && failed === 0)) failed += 1;
  return { passed, failed };
}
