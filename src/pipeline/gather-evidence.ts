import { join } from 'node:path';
import { createPinnedFetch } from '../checks/fetch-pinned.js';
import { isWithin } from '../dns/canonical.js';
import { openFileJournal } from '../dns/journal-file.js';
import type { DesiredRecord, DnsRecord, RecordData } from '../dns/record.js';
import { isRecordData, isUnknown, type ResolvedRecord } from '../dns/resolver/index.js';
import type { ZoneEvidence } from '../dns/zone-plan.js';
import type { DnsIntent } from './desired-dns.js';
import { createPortProbe, gatherMxEvidence } from './mx-evidence.js';
import type { Resolvers } from './open-resolvers.js';
import type { Session } from './session.js';
import { countIncludes, gatherSpf } from './spf-evidence.js';
import type { ZoneSurvey } from './survey.js';

const connectTimeout = 5000;

/**
 * What the merge rules want to know from outside the zone's record list, asked for all at once. What does not answer is
 * left out: unknown, never "absent".
 */
export async function gatherEvidence(
  { context }: Session,
  survey: ZoneSurvey,
  intent: DnsIntent,
  resolvers: Resolvers,
  privateNetwork: boolean,
): Promise<ZoneEvidence> {
  const { zone, live } = survey;
  const { signal } = context;
  const [spf, spfIncludeCosts, delegation, mx, behindCname, caaAbove] = await Promise.all([
    gatherSpf(survey, intent, resolvers),
    countIncludes(intent, resolvers),
    readDelegation(zone.name, resolvers),
    gatherMxEvidence(zone.name, live, intent, {
      authoritative: resolvers.authoritative,
      fetch: createPinnedFetch({ signal }),
      probePort: createPortProbe(connectTimeout, signal),
      journal: openFileJournal(join(context.stateDir, 'dns')),
      now: context.clock,
      privateNetwork,
    }),
    lookBehindCnames(survey, intent.desired, resolvers),
    readCaaAbove(zone.name, intent.desired, resolvers),
  ]);
  return {
    spf,
    spfIncludeCosts,
    ...(delegation === undefined ? {} : { delegation }),
    ...mx,
    behindCname,
    ...(caaAbove === undefined ? {} : { caaAbove }),
  };
}

async function readDelegation(zone: string, { authoritative }: Resolvers): Promise<string[] | undefined> {
  const found = await authoritative.findZone(zone);
  if ('error' in found || found.zone !== zone) return undefined;
  return [...new Set([...found.servers, ...found.unusable].map(({ host }) => host))];
}

/** What answers where the zone has a CNAME and we want a record; an alias that leads to nothing gives an empty list. */
async function lookBehindCnames(
  { zone, live }: ZoneSurvey,
  desired: readonly DesiredRecord[],
  { authoritative }: Resolvers,
): Promise<Record<string, readonly RecordData[]>> {
  const aliases = new Set(live.flatMap(({ name, data }) => (data.type === 'CNAME' ? [name] : [])));
  const wanted = desired.filter(({ name }) => isWithin(name, zone.name) && aliases.has(name));
  const answers = await Promise.all(
    wanted.map(async ({ name, data }) => {
      if (data.type === 'OTHER' || data.type === 'CNAME') return [];
      const answer = await authoritative.resolve(name, data.type);
      return isUnknown(answer.status) ? [] : [{ name, data: answer.records.flatMap(plainData) }];
    }),
  );
  const behind: Record<string, readonly RecordData[]> = {};
  for (const { name, data } of answers.flat()) behind[name] = [...(behind[name] ?? []), ...data];
  return behind;
}

/** The first CAA set above the zone (RFC 8659 section 3). A failing lookup on the way leaves it unknown. */
async function readCaaAbove(
  zone: string,
  desired: readonly DesiredRecord[],
  { recursive }: Resolvers,
): Promise<DnsRecord[] | undefined> {
  if (!desired.some(({ role, name }) => role === 'caa' && isWithin(name, zone))) return undefined;
  const labels = zone.split('.');
  const above = labels.slice(1).map((_, index) => labels.slice(index + 1).join('.'));
  const answers = await Promise.all(above.map((name) => recursive.resolve(name, 'CAA')));
  for (const answer of answers) {
    if (isUnknown(answer.status)) return undefined;
    if (answer.status !== 'ok') continue;
    return answer.records.flatMap((record) =>
      plainData(record).map((data) => ({ name: record.name, ttl: record.ttl, data })),
    );
  }
  return [];
}

function plainData({ data }: ResolvedRecord): RecordData[] {
  return isRecordData(data) ? [data] : [];
}
