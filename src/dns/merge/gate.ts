import { ancestorsWithin, formatRecord } from '../canonical.js';
import type { DesiredRecord, LiveRecord } from '../record.js';
import type { PlanBuilder } from './builder.js';
import { isSameDkimKey } from './dkim.js';

/** Required records stop the plan, the others are left out with a note. */
export function refuse(
  b: PlanBuilder,
  desired: DesiredRecord,
  refusal: { code: string; what: string; found: readonly LiveRecord[]; fix: string },
): void {
  if (desired.rank !== 'required') {
    b.note('warn', `${desired.role} at ${desired.name} is left out: ${refusal.what}`);
    return;
  }
  b.conflict({
    code: refusal.code,
    role: desired.role,
    what: refusal.what,
    evidence: refusal.found.map(formatRecord),
    fix: [refusal.fix],
  });
}

const delegable: ReadonlySet<string> = new Set(['dmarc', 'mta-sts', 'tls-rpt', 'dmarc-report']);

function passCname(b: PlanBuilder, desired: DesiredRecord, cname: LiveRecord): boolean {
  const { zone, caps, evidence } = b.input;
  if (desired.data.type === 'CNAME') return true;
  // The provider answers with addresses instead of the CNAME, so other types beside it are seen.
  if (desired.name === zone.name && caps.flattensApexCname === true) return true;
  const behind = evidence?.behindCname?.[desired.name];
  if (delegable.has(desired.role)) {
    b.keep(desired.role, [cname], 'Delegated by CNAME; whoever stands behind it decides.');
    if (behind?.length === 0) b.note('warn', `${formatRecord(cname)} leads to nothing.`);
    return false;
  }
  if (desired.role === 'dkim' && desired.data.type === 'TXT' && desired.pending === undefined) {
    const { text } = desired.data;
    const found = behind?.some((data) => data.type === 'TXT' && isSameDkimKey(data.text, text));
    if (found === true) {
      b.keep('dkim', [cname], 'Our key stands behind the CNAME.');
      return false;
    }
  }
  refuse(b, desired, {
    code: desired.role === 'dkim' ? 'E_DKIM_SELECTOR_TAKEN' : 'E_DNS_CNAME',
    what: `${desired.name} is a CNAME; nothing else may stand beside it (RFC 1034 section 3.6.2).`,
    found: [cname],
    fix:
      desired.role === 'dkim'
        ? 'Use a new selector.'
        : desired.stage === 'host'
          ? 'Choose another host name, or delete the CNAME at the DNS provider.'
          : 'Delete the CNAME at the DNS provider, or replace it by A and AAAA records.',
  });
  return false;
}

/** Whether a record can be published at its name at all (R3 and zone cuts). What cannot is reported here. */
export function passGate(b: PlanBuilder, desired: DesiredRecord): boolean {
  const names = ancestorsWithin(desired.name, b.input.zone.name);
  for (const name of names) {
    const delegation = name === b.input.zone.name ? [] : b.set(name, 'NS');
    if (delegation.length > 0) {
      refuse(b, desired, {
        code: 'E_DNS_DELEGATED',
        what: `${name} is delegated to other name servers; a record at ${desired.name} would never be seen in this zone.`,
        found: delegation,
        fix: `Give access to the provider that serves ${name}.`,
      });
      return false;
    }
    const dname = name === desired.name ? [] : b.set(name, 'DNAME');
    if (dname.length > 0) {
      refuse(b, desired, {
        code: 'E_DNS_DNAME',
        what: `A DNAME at ${name} redirects everything below it (RFC 6672), ${desired.name} included.`,
        found: dname,
        fix: 'Use a name outside of it.',
      });
      return false;
    }
  }
  const cname = b.set(desired.name, 'CNAME')[0];
  return cname === undefined || passCname(b, desired, cname);
}
