import { ancestorsWithin, formatRecord } from '../canonical.js';
import type { DesiredRecord, DnsRecord } from '../record.js';
import type { PlanBuilder } from './builder.js';

const issueOf = (record: DnsRecord): string | undefined =>
  record.data.type === 'CAA' && record.data.tag === 'issue' ? record.data.value.trim() : undefined;

/** The domain of the CA before the parameters (RFC 8659 section 4.2). */
const issuerOf = (value: string): string => (value.split(';')[0] ?? '').trim().toLowerCase();

/** The set that governs a name: its own, else the nearest ancestor's (RFC 8659 section 3). */
function governingSet(b: PlanBuilder, name: string): readonly DnsRecord[] {
  for (const ancestor of ancestorsWithin(name, b.input.zone.name)) {
    const set = b.set(ancestor, 'CAA');
    if (set.length > 0) return set;
  }
  return b.input.evidence?.caaAbove ?? [];
}

/** Our CA joins an existing set with one `issue`; no set is ever begun, nothing is removed (R14). */
export function mergeCaa(b: PlanBuilder, desired: DesiredRecord): void {
  if (desired.data.type !== 'CAA') throw new TypeError('CAA record expected');
  const issuer = issuerOf(desired.data.value);
  const set = governingSet(b, desired.name);
  const issues = set.filter((record) => issueOf(record) !== undefined);
  // Without any `issue`, the set restricts nobody (RFC 8659 section 4.2).
  if (issues.length === 0) return;
  const mine = issues.filter((record) => issuerOf(issueOf(record) ?? '') === issuer);
  if (mine.some((record) => !(issueOf(record) ?? '').includes(';'))) {
    b.keep('caa', mine, `${issuer} may issue.`);
    return;
  }
  const owner = set[0]?.name ?? desired.name;
  if (mine.length > 0) {
    b.note(
      'warn',
      `${mine.map(formatRecord).join(', ')} limits how ${issuer} may issue; if the certificate fails, look there.`,
    );
    b.keep('caa', mine, `${issuer} may issue, within limits that somebody set.`);
  } else if (ancestorsWithin(owner, b.input.zone.name).length === 0) {
    b.conflict({
      code: 'E_CAA_FORBIDS',
      role: 'caa',
      what: `CAA records above this zone forbid ${issuer} to issue a certificate for ${desired.name}.`,
      evidence: set.map(formatRecord),
      fix: [`Have 'issue "${issuer}"' added at ${owner}.`],
    });
  } else {
    b.create(desired, { name: owner });
  }
}
