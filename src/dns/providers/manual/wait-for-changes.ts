import { setTimeout as sleep } from 'node:timers/promises';
import { isInEffect } from '../../diff.js';
import type { LiveRecord } from '../../record.js';
import type { QueryType } from '../../resolver/types.js';
import type { Applied, Change, Zone } from '../provider.js';
import { cancelled } from '../retry.js';
import { type ManualAccess, recordsOf } from './read-answers.js';
import { renderInstructions } from './render-instructions.js';

const intervalMs = 10_000;
/** An hour, for people who have to find the panel first. */
const mostRounds = 360;

/**
 * Prints what to enter, and waits until every server of the zone answers with it. What is not seen in an hour is
 * reported as such; running the command again goes on from there.
 */
export async function waitForChanges(
  access: ManualAccess,
  zone: Zone,
  changes: readonly Change[],
): Promise<Applied[]> {
  const { context } = access;
  const missing = new Set(changes.keys());
  const states = new Map<number, string>();
  for (let round = 0; round < mostRounds; round++) {
    await Promise.all(
      [...missing].map(async (index) => {
        const state = await findDifference(access, changes[index] as Change);
        if (state === undefined) missing.delete(index);
        else states.set(index, state);
      }),
    );
    if (missing.size === 0) break;
    if (round === 0) {
      const open = changes.filter((_change, index) => missing.has(index));
      context.present?.(renderInstructions(zone, open).text);
    }
    context.log(
      `waiting for ${missing.size} of ${changes.length} records at the name servers of ${zone.name}`,
    );
    await pause(access);
  }
  return changes.map((change, index) =>
    missing.has(index)
      ? { ok: false, code: 'E_DNS_PENDING', error: `not seen yet: ${states.get(index) ?? ''}` }
      : { ok: true, ...(change.op === 'delete' ? {} : { record: change.after }) },
  );
}

async function pause({ context }: ManualAccess): Promise<void> {
  try {
    await (context.wait?.(intervalMs) ?? sleep(intervalMs, undefined, { signal: context.signal }));
  } catch (error) {
    if (context.signal.aborted) throw cancelled(error);
    throw error;
  }
}

/** Which server does not show the change yet, and what it says instead; undefined when all do. */
async function findDifference(
  { authoritative, context }: ManualAccess,
  change: Change,
): Promise<string | undefined> {
  const { name, data } = change.op === 'delete' ? change.before : change.after;
  const answers = await authoritative.resolveEach(name, data.type as QueryType, context.signal);
  if (answers.length === 0) return 'no name server could be asked';
  for (const answer of answers) {
    const known = ['ok', 'nodata', 'nxdomain'].includes(answer.status);
    const records: LiveRecord[] = recordsOf(answer);
    if (!known || answer.lame || !isInEffect(change, records)) return `${answer.via}: ${answer.status}`;
  }
  return undefined;
}
