import { expect, it } from 'vitest';
import { countResults } from '../../../scripts/count-results.mjs';

const file = (status: string, ...tests: string[]) => ({
  status,
  assertionResults: tests.map((test) => ({ status: test })),
});

it.each([
  ['all is well', [file('passed', 'passed', 'passed'), file('passed', 'passed')], 0, 3, 0],
  ['a test fails', [file('failed', 'passed', 'failed')], 1, 1, 1],
  ['a hook fails and the tests never run', [file('failed', 'skipped', 'skipped')], 1, 0, 2],
  ['a file cannot be loaded', [file('failed'), file('passed', 'passed')], 1, 1, 1],
  ['a file fails after its tests', [file('failed', 'passed')], 1, 1, 1],
  ['an error comes after the last test', [file('passed', 'passed')], 1, 1, 1],
  ['the runner is killed', [file('passed', 'passed')], null, 1, 1],
  ['nothing ran', [], 0, 0, 1],
])('counts when %s', (_what, testResults, exitStatus, passed, failed) => {
  expect(countResults({ testResults }, exitStatus)).toEqual({ passed, failed });
});
