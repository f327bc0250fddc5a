import { stripVTControlCharacters } from 'node:util';

const shownPerFile = 2;
const linesEach = 14;

/**
 * vitest's JSON report → what failed, once more in short: whoever sees only the end of a log needs the first failures of
 * a file, which the later ones of it mostly follow from.
 */
export function listFailures(report, root = '') {
  const said = [];
  for (const file of report.testResults) {
    if (file.status !== 'failed') continue;
    said.push(`Failed: ${file.name.replace(`${root}/`, '')}`);
    const failed = file.assertionResults.filter(({ status }) => status === 'failed');
    if (failed.length === 0) said.push(...headOf(file.message ?? ''));
    for (const [at, { fullName, failureMessages }] of failed.entries()) {
      said.push(`  ${fullName}`);
      if (at < shownPerFile) said.push(...headOf((failureMessages ?? []).join('\n')));
    }
  }
  return said;
}

function headOf(message) {
  const lines = stripVTControlCharacters(message).split('\n');
  return lines
    .filter((line) => line.trim() !== '')
    .slice(0, linesEach)
    .map((line) => `    ${line.slice(0, 300)}`);
}
