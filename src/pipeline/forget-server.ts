import type { UninstallOptions } from '../cli/commands/uninstall.js';
import { keyWaitDays, type Lock } from '../config/lock.js';
import { isWithin } from '../dns/canonical.js';
import type { Leaving } from './leave-zones.js';
import type { Session } from './session.js';
import { domainsOf, type ZoneSurvey } from './survey.js';

/** The lock file without what was taken back; the DKIM keys stay in it until their records go, too. */
export function forgetServer(
  { lock, context }: Session,
  zones: readonly ZoneSurvey[],
  { config, hostname, facts }: Leaving,
  only: UninstallOptions['only'],
): Lock {
  const names = domainsOf(config, hostname).map(([name]) => name);
  const servers = Object.fromEntries(Object.entries(lock.servers).filter(([host]) => host !== hostname));
  if (only === 'server') return { ...lock, servers };
  const now = context.clock();
  const at = new Date(now).toISOString();
  const { removed: before = {}, leftOut: { [hostname]: _mine, ...leftOut } = {}, ...rest } = lock;
  const removed: NonNullable<Lock['removed']> = {};
  for (const [name, entry] of Object.entries(before))
    if (!names.includes(name) || now < Date.parse(entry.at) + keyWaitDays * 86_400_000) removed[name] = entry;
  for (const name of names) {
    if (lock.domains[name] === undefined && before[name] !== undefined) continue;
    const zone = zones.find((survey) => isWithin(name, survey.zone.name))?.zone.name;
    const keys = new Map(
      [
        ...(lock.domains[name]?.dkim ?? []),
        ...(facts?.dkim.keys.filter(({ domain }) => domain === name) ?? []),
      ].map(({ selector, publicKey }) => [selector, publicKey]),
    );
    if (zone !== undefined && keys.size > 0)
      removed[name] = { at, zone, dkim: [...keys.keys()], keys: [...keys.values()] };
  }
  return {
    ...rest,
    ...(only === 'dns' ? {} : { servers }),
    ...(Object.keys(leftOut).length > 0 ? { leftOut } : {}),
    domains: Object.fromEntries(Object.entries(lock.domains).filter(([name]) => !names.includes(name))),
    ...(Object.keys(removed).length > 0 ? { removed } : {}),
  };
}
