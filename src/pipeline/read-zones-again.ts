import { zoneOf } from '../dns/canonical.js';
import { applyChanges } from '../dns/diff.js';
import { toChange } from '../dns/merge/sequence.js';
import { allNameServers } from '../dns/providers/provider.js';
import type { PlannedChange } from '../dns/zone-plan.js';
import { SetupError } from '../errors.js';
import type { LockFacts } from './make-lock.js';
import type { ZoneSurvey } from './survey.js';

export interface ZonesNow {
  zones: LockFacts['zones'];
  /** Why one of them could not be read. */
  refusal?: SetupError;
}

/**
 * The zones as they stand after an apply. One that cannot be read any more is what it was with what was written: all else
 * is done then, and worth remembering.
 */
export async function readZonesAgain(
  surveys: readonly ZoneSurvey[],
  written: readonly PlannedChange[],
): Promise<ZonesNow> {
  const names = surveys.map(({ zone }) => zone.name);
  const refusals: SetupError[] = [];
  const zones = await Promise.all(
    surveys.map(async ({ zone, open, live }) => {
      const known = { name: zone.name, nameServers: allNameServers(zone) };
      try {
        return { ...known, records: await open.provider.list(zone) };
      } catch (error) {
        if (!(error instanceof SetupError)) throw error;
        refusals.push(error);
        const here = written.filter(
          ({ after, before }) => zoneOf((after ?? before)?.name ?? '', names) === zone.name,
        );
        return { ...known, records: applyChanges(live, here.map(toChange)) };
      }
    }),
  );
  const [refusal] = refusals;
  return { zones, ...(refusal === undefined ? {} : { refusal }) };
}
