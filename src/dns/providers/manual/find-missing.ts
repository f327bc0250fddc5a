import { isInEffect } from '../../diff.js';
import type { QueryType } from '../../resolver/types.js';
import type { Change, MissingChange } from '../provider.js';
import { type ManualAccess, recordsOf } from './read-answers.js';

/** The changes that some server of the zone does not show yet, each with what that server says instead. */
export async function findMissing(
  access: ManualAccess,
  changes: readonly Change[],
): Promise<MissingChange[]> {
  const states = await Promise.all(changes.map((change) => findDifference(access, change)));
  return changes.flatMap((change, index) => {
    const state = states[index];
    return state === undefined ? [] : [{ change, state }];
  });
}

async function findDifference(
  { authoritative, context }: ManualAccess,
  change: Change,
): Promise<string | undefined> {
  const { name, data } = change.op === 'delete' ? change.before : change.after;
  const answers = await authoritative.resolveEach(name, data.type as QueryType, context.signal);
  if (answers.length === 0) return 'no name server could be asked';
  for (const answer of answers) {
    const known = ['ok', 'nodata', 'nxdomain'].includes(answer.status);
    if (!known || answer.lame || !isInEffect(change, recordsOf(answer)))
      return `${answer.via}: ${describe(answer.status, known)}`;
  }
  return undefined;
}

function describe(status: string, known: boolean): string {
  if (!known) return status;
  return status === 'ok' ? 'another answer' : 'not there';
}
