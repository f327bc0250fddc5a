import { expect, it } from 'vitest';
import { countResults } from '../../../scripts/count-results.mjs';
import { listFailures } from '../../../scripts/list-failures.mjs';

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

it('tells the first failures of a file once more, in short, and names the others', () => {
  const failure = (fullName: string, message: string) => ({
    fullName,
    status: 'failed',
    failureMessages: [message],
  });
  const long = `\u001b[31mError: broken\u001b[39m\n\n${'at line\n'.repeat(50)}`;
  const testResults = [
    { name: '/p/test/a.test.ts', ...file('passed', 'passed') },
    {
      name: '/p/test/b.test.ts',
      status: 'failed',
      assertionResults: [failure('first', long), failure('second', 'two'), failure('third', 'three')],
    },
    { name: '/p/test/c.test.ts', status: 'failed', message: 'Cannot load', assertionResults: [] },
  ];
  expect(listFailures({ testResults }, '/p')).toEqual([
    'Failed: test/b.test.ts',
    '  first',
    '    Error: broken',
    ...Array.from({ length: 13 }, () => '    at line'),
    '  second',
    '    two',
    '  third',
    'Failed: test/c.test.ts',
    '    Cannot load',
  ]);
});
