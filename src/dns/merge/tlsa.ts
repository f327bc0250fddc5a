import { formatRecord, sameData } from '../canonical.js';
import type { DesiredRecord } from '../record.js';
import type { PlanBuilder } from './builder.js';
import { refuse } from './gate.js';

/** All digests of one name together: new ones join, own old ones go with consent, foreign ones stop (R15). */
export function mergeTlsa(b: PlanBuilder, wanted: readonly DesiredRecord[]): void {
  const [first] = wanted;
  if (first === undefined) return;
  const set = b.set(first.name, 'TLSA');
  const stale = set.filter((record) => !wanted.some((own) => sameData(own.data, record.data)));
  // Without marks, digests beside one of the server's own keys are taken for those of its earlier keys.
  const unmarked = b.input.caps.marks === 'none' && stale.length < set.length;
  const foreign = unmarked ? [] : stale.filter((record) => !b.isOurs(record));
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
    if (desired.pending !== undefined) {
      b.create(desired);
      continue;
    }
    const same = set.find((record) => sameData(record.data, desired.data));
    if (same === undefined) b.create(desired);
    else b.keep('tlsa', [same], 'It is as it should be.');
  }
  // Until the certificate is there nobody knows which of them is its key's.
  if (wanted.some(({ pending }) => pending !== undefined)) return;
  for (const record of stale) {
    if (b.input.consents.delete) {
      b.remove(record, {
        role: 'tlsa',
        stage: 'tail',
        reason: 'It announces a key that is no longer used.',
      });
    } else {
      // One that fits is enough (RFC 6698 section 2.1), so an old one does no harm.
      b.note(
        'info',
        `${formatRecord(record)} announces a key that is no longer used; --allow-delete removes it.`,
      );
    }
  }
}
