import { sameData } from '../canonical.js';
import type { DesiredRecord } from '../record.js';
import type { PlanBuilder } from './builder.js';
import { refuse } from './gate.js';

/** All digests of one name together: new ones join, own old ones go (the caller waits two TTLs between), foreign ones stop (R15). */
export function mergeTlsa(b: PlanBuilder, wanted: readonly DesiredRecord[]): void {
  const [first] = wanted;
  if (first === undefined) return;
  const set = b.set(first.name, 'TLSA');
  const stale = set.filter((record) => !wanted.some((own) => sameData(own.data, record.data)));
  const foreign = stale.filter((record) => !b.isOurs(record));
  if (foreign.length > 0) {
    refuse(
      b,
      { ...first, rank: 'required' },
      {
        code: 'E_TLSA_FOREIGN',
        what: `TLSA records at ${first.name} are not of this server: senders that know DANE would refuse to deliver.`,
        found: foreign,
        fix: 'Delete them at the DNS provider and wait for two of their TTLs.',
      },
    );
    return;
  }
  for (const desired of wanted) {
    const same = set.find((record) => sameData(record.data, desired.data));
    if (same === undefined) b.create(desired);
    else b.keep('tlsa', [same], 'It is as it should be.');
  }
  for (const record of stale) {
    b.remove(record, { role: 'tlsa', stage: 'tail', reason: 'It announces a key that is no longer used.' });
  }
}
