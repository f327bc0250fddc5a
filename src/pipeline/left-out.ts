import { isWithin, typeOf } from '../dns/canonical.js';
import type { DesiredRecord, DnsRecord } from '../dns/record.js';
import { sameMeaning } from '../dns/same-meaning.js';
import type { ZonePlan } from '../dns/zone-plan.js';

/** How the lock file names a desired record. */
export const leftOutKey = ({ role, name }: Pick<DesiredRecord, 'role' | 'name'>): string => `${role} ${name}`;

/**
 * Desired records that the merge neither found nor makes, by its rules: something of somebody else's stands there, an alias
 * gives the name to a vendor, or the provider has no such records. `check dns` must not ask for what `apply` never writes.
 * Without what is needed in any case: that stops a plan instead. Pure.
 */
export function findLeftOut(
  desired: readonly DesiredRecord[],
  zones: readonly { live: readonly DnsRecord[]; plan: Pick<ZonePlan, 'zone' | 'changes'> }[],
): string[] {
  const left = desired
    // CAA only ever joins a set, and is judged by what it allows.
    .filter(({ rank, role }) => role !== 'caa' && (rank !== 'required' || role === 'dmarc'))
    .filter((record) => {
      const home = zones
        .filter(({ plan }) => isWithin(record.name, plan.zone.name))
        .sort((a, b) => b.plan.zone.name.length - a.plan.zone.name.length)[0];
      if (home === undefined) return false;
      const comes = home.plan.changes.some(
        ({ role, after }) =>
          role === record.role && after?.name === record.name && typeOf(after.data) === typeOf(record.data),
      );
      const stands = home.live.some(
        ({ name, data }) => name === record.name && sameMeaning(record.data, data),
      );
      return !comes && !stands;
    });
  return [...new Set(left.map(leftOutKey))].sort();
}
