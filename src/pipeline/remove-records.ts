import { join } from 'node:path';
import { createDnsLane } from '../apply/dns-lane.js';
import type { Lock } from '../config/lock.js';
import { formatRecord } from '../dns/canonical.js';
import { undoOrder } from '../dns/journal.js';
import { openFileJournal } from '../dns/journal-file.js';
import type { OwnValues } from '../dns/plan-removal.js';
import type { LiveRecord } from '../dns/record.js';
import { dkimText } from '../dns/records/dkim.js';
import type { PlannedChange } from '../dns/zone-plan.js';
import { messageOf } from '../errors.js';
import type { Facts } from '../facts/index.js';
import type { Progress } from '../ui/events.js';
import type { PlanView } from '../ui/report/plan.js';
import type { Session } from './session.js';
import type { ZoneSurvey } from './survey.js';

/** Records of a zone that go, latest stage first. */
export interface ZoneRemoval {
  survey: ZoneSurvey;
  changes: readonly PlannedChange[];
  /** What stays, and why. */
  notes: readonly string[];
}

/** The plan with the removals shown first, as they come first. */
export function withRemovals(view: PlanView, removals: readonly ZoneRemoval[]): PlanView {
  const gone = removals
    .filter(({ changes, notes }) => changes.length > 0 || notes.length > 0)
    .map(({ survey, changes, notes }) => ({
      zone: survey.zone,
      changes,
      kept: [],
      conflicts: [],
      notes: notes.map((text) => ({ level: 'info' as const, text })),
      waits: [],
    }));
  return { ...view, zones: [...gone, ...view.zones] };
}

/** Takes them out of the zones, latest stage first: what leans on something goes before it. */
export async function removeRecords(
  { context }: Session,
  removals: readonly ZoneRemoval[],
  progress: Progress,
): Promise<void> {
  for (const { survey, changes } of removals) {
    if (changes.length === 0) continue;
    const id = `remove-${survey.zone.name}`;
    progress.emit({
      kind: 'start',
      lane: 'dns',
      id,
      title: `Take ${changes.length} records out of ${survey.zone.name}`,
    });
    const lane = createDnsLane({
      provider: survey.open.provider,
      zone: survey.zone,
      capabilities: survey.open.definition.capabilities,
      journal: openFileJournal(join(context.stateDir, 'dns')),
      log: (text) => progress.emit({ kind: 'line', lane: 'dns', id, text }),
      clock: () => new Date(context.clock()),
    });
    try {
      for (const stage of undoOrder) await lane.applyStage(stage, changes);
      progress.emit({ kind: 'done', lane: 'dns', id });
    } catch (error) {
      progress.emit({ kind: 'fail', lane: 'dns', id, message: messageOf(error) });
      throw error;
    } finally {
      await lane.close();
    }
  }
}

/** What the records of a domain hold, for a machine without a journal: from the lock file and the server's keys. */
export function ownValues(
  { servers, tlsa = {}, domains }: Lock,
  name: string,
  keys: Facts['dkim']['keys'],
): OwnValues {
  const addresses = Object.values(servers).flatMap(({ ipv4, ipv6 }) => [ipv4, ipv6]);
  const { spf, dmarc } = domains[name] ?? {};
  const known = (values: readonly (string | undefined)[]): string[] =>
    values.flatMap((value) => (value === undefined ? [] : [value]));
  return {
    hosts: Object.keys(servers),
    addresses: known(addresses),
    digests: Object.values(tlsa).flat(),
    texts: known([...keys.map(({ publicKey }) => dkimText(publicKey)), spf, dmarc]),
  };
}

export function describeChanged(changed: readonly LiveRecord[]): string[] {
  return changed.map((record) => `${formatRecord(record)} was changed by somebody since and stays.`);
}
