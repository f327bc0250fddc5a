import { formatRecord, sameData, typeOf } from '../canonical.js';
import { isDmarcRecord } from '../dmarc.js';
import type { DesiredRecord, LiveRecord } from '../record.js';
import { isSpfRecord } from '../spf/parse.js';
import type { PlanBuilder } from './builder.js';

const textIs =
  (test: (text: string) => boolean) =>
  (record: LiveRecord): boolean =>
    record.data.type === 'TXT' && test(record.data.text);

/** Which records at the name do the same job; for the other roles, those of the same type. */
const kindByRole: Readonly<Record<string, (record: LiveRecord) => boolean>> = {
  'mta-sts': textIs((text) => /^v=STSv1\s*(?:;|$)/i.test(text)),
  'tls-rpt': textIs((text) => /^v=TLSRPTv1\s*(?:;|$)/i.test(text)),
  'dmarc-report': textIs(isDmarcRecord),
  'parked-dmarc': textIs(isDmarcRecord),
  'parked-spf': textIs(isSpfRecord),
};

/** Records of which a name has one: create when there is none, leave any other that does the job. */
export function mergeSingle(b: PlanBuilder, desired: DesiredRecord): void {
  const type = typeOf(desired.data);
  const ofKind = kindByRole[desired.role] ?? ((record: LiveRecord) => typeOf(record.data) === type);
  const existing = b.at(desired.name).filter(ofKind);
  const same = existing.find((record) => sameData(record.data, desired.data));
  if (same !== undefined) {
    b.keep(desired.role, [same], 'It is as it should be.');
    return;
  }
  const rivals = type === 'CNAME' ? b.at(desired.name) : existing;
  const [only] = rivals;
  if (only === undefined) {
    b.create(desired);
    return;
  }
  const former =
    b.input.caps.marks === 'none' && only.data.type === 'TXT' && only.data.text === desired.former;
  if (rivals.length === 1 && desired.firm === true && (b.isOurs(only) || former)) {
    b.update(
      only,
      { name: only.name, ttl: only.ttl, data: desired.data },
      {
        role: desired.role,
        stage: desired.stage,
        reason: desired.reason,
      },
      former,
    );
    return;
  }
  b.keep(desired.role, rivals, 'Something else stands there; it stays.');
  b.note('warn', `${formatRecord(desired)} is left out: ${formatRecord(only)} stands there.`);
}
