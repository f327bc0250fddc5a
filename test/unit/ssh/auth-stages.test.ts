import { describe, expect, it } from 'vitest';
import { planStages } from '../../../src/ssh/auth-handler.js';
import type { KeyCandidate } from '../../../src/ssh/identities.js';

const keys = (count: number) =>
  Array.from({ length: count }, (_, at) => ({ label: `k${at}` }) as KeyCandidate);
const shape = (count: number, interactive: boolean) =>
  planStages(keys(count), interactive).map(
    (stage) => `${stage.keys.length}${stage.interactive ? '+person' : ''}`,
  );

describe('planStages', () => {
  it.each([
    [0, false, ['0']],
    [0, true, ['0+person']],
    [2, true, ['2+person']],
    [3, true, ['3', '0+person']],
    [4, false, ['4']],
    [10, false, ['4', '4', '2']],
    [10, true, ['4', '4', '2+person']],
    [30, false, ['4', '4', '4']],
  ])('%i keys, interactive %s', (count, interactive, stages) => {
    expect(shape(count, interactive)).toEqual(stages);
  });
});
