import { isWithin } from '../dns/canonical.js';
import type { DnsRecord } from '../dns/record.js';
import {
  countSpfLookups,
  evaluateSpf,
  isSpfRecord,
  lookupFrom,
  lookupInZone,
  parseSpf,
  type SpfLookup,
} from '../dns/spf/index.js';
import type { SpfEvaluation } from '../dns/zone-plan.js';
import type { DnsIntent } from './desired-dns.js';
import type { Resolvers } from './open-resolvers.js';
import type { ZoneSurvey } from './survey.js';

/** What each include for a relay costs in lookups; what does not answer is left out. */
export async function countIncludes(
  intent: DnsIntent,
  resolvers: Resolvers,
): Promise<Record<string, number>> {
  const lookup = lookupFrom(resolvers.recursive);
  const names = [...new Set(intent.input.domains.flatMap(({ spfIncludes = [] }) => spfIncludes))];
  const costs = await Promise.all(
    names.map(async (name) => {
      const parsed = parseSpf(`v=spf1 include:${name} -all`);
      if (!parsed.ok) return [];
      const { lookups } = await countSpfLookups(name, parsed.record, lookup);
      return lookups.length === 0 ? [] : [[name, lookups.length] as const];
    }),
  );
  return Object.fromEntries(costs.flat());
}

/** How the SPF records that stand in the zone judge our addresses, by name. */
export async function gatherSpf(
  { zone, live }: ZoneSurvey,
  intent: DnsIntent,
  resolvers: Resolvers,
): Promise<Record<string, SpfEvaluation>> {
  // Judged as the zone will be once the host's addresses stand in it: `a:HOST` must not fail for coming first.
  const soon: DnsRecord[] = [...live, ...intent.desired.filter(({ stage }) => stage === 'host')];
  const lookup = lookupInZone(zone.name, soon, lookupFrom(resolvers.recursive));
  const wanted = new Map<string, string>();
  for (const { name, data } of live) {
    if (data.type !== 'TXT' || !isSpfRecord(data.text) || !isWithin(name, zone.name)) continue;
    const ours = intent.desired.some((record) => record.name === name && record.role.endsWith('spf'));
    if (ours && !wanted.has(name)) wanted.set(name, data.text);
  }
  const evaluations = await Promise.all(
    [...wanted].map(async ([name, text]) => [name, await judge(name, text, intent, lookup)] as const),
  );
  return Object.fromEntries(evaluations);
}

async function judge(
  name: string,
  text: string,
  intent: DnsIntent,
  lookup: SpfLookup,
): Promise<SpfEvaluation> {
  const host = intent.input.hosts[0];
  const addresses = [host?.ipv4, host?.ipv6].filter((address) => address !== undefined);
  const parsed = parseSpf(text);
  const [results, budget] = await Promise.all([
    Promise.all(
      addresses.map((ip) =>
        evaluateSpf({ ip, helo: host?.name ?? name, sender: `postmaster@${name}`, domain: name, lookup }),
      ),
    ),
    parsed.ok ? countSpfLookups(name, parsed.record, lookup) : { lookups: [], voids: [] },
  ]);
  const problem = results.find((result) => result.problem !== undefined)?.problem;
  return {
    lookups: budget.lookups.length,
    voids: budget.voids.length,
    results: Object.fromEntries(addresses.map((ip, index) => [ip, results[index]?.result ?? 'temperror'])),
    ...(problem === undefined ? {} : { problem }),
  };
}
