import { isWithin } from '../dns/canonical.js';
import type { DnsRecord } from '../dns/record.js';
import {
  countSpfLookups,
  evaluateSpf,
  isSpfRecord,
  lookupFrom,
  lookupInZone,
  parseSpf,
} from '../dns/spf/index.js';
import type { SpfEvaluation, ZoneEvidence } from '../dns/zone-plan.js';
import type { DnsIntent } from './desired-dns.js';
import type { Resolvers } from './open-resolvers.js';
import type { ZoneSurvey } from './survey.js';

/**
 * What the merge rules want to know from outside the zone's record list: how the SPF records that stand there judge our
 * addresses, and what the parent's delegation names. What does not answer is left out: unknown, never "absent".
 */
export async function gatherEvidence(
  { zone, live }: ZoneSurvey,
  intent: DnsIntent,
  resolvers: Resolvers,
): Promise<ZoneEvidence> {
  const host = intent.input.hosts[0];
  const addresses = [host?.ipv4, host?.ipv6].filter((address) => address !== undefined);
  // Judged as the zone will be once the host's addresses stand in it: `a:HOST` must not fail for coming first.
  const soon: DnsRecord[] = [...live, ...intent.desired.filter(({ stage }) => stage === 'host')];
  const lookup = lookupInZone(zone.name, soon, lookupFrom(resolvers.recursive));
  const spf: Record<string, SpfEvaluation> = {};
  for (const { name, data } of live) {
    if (data.type !== 'TXT' || !isSpfRecord(data.text) || !isWithin(name, zone.name)) continue;
    const wanted = intent.desired.some((record) => record.name === name && record.role.endsWith('spf'));
    if (!wanted || spf[name] !== undefined) continue;
    const results = await Promise.all(
      addresses.map((ip) =>
        evaluateSpf({ ip, helo: host?.name ?? name, sender: `postmaster@${name}`, domain: name, lookup }),
      ),
    );
    const parsed = parseSpf(data.text);
    const budget = parsed.ok
      ? await countSpfLookups(name, parsed.record, lookup)
      : { lookups: [], voids: [] };
    const problem = results.find((result) => result.problem !== undefined)?.problem;
    spf[name] = {
      lookups: budget.lookups.length,
      voids: budget.voids.length,
      results: Object.fromEntries(addresses.map((ip, index) => [ip, results[index]?.result ?? 'temperror'])),
      ...(problem === undefined ? {} : { problem }),
    };
  }
  const servers = await resolvers.authoritative.findZone(zone.name);
  const delegation = 'error' in servers || servers.zone !== zone.name ? undefined : hostsOf(servers);
  return { spf, ...(delegation === undefined ? {} : { delegation }) };
}

function hostsOf(zone: {
  servers: readonly { host: string }[];
  unusable: readonly { host: string }[];
}): string[] {
  return [...new Set([...zone.servers, ...zone.unusable].map(({ host }) => host))];
}
