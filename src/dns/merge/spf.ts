import { formatRecord } from '../canonical.js';
import type { DesiredRecord, LiveRecord } from '../record.js';
import { isSpfRecord } from '../spf/parse.js';
import { mergeSpf, type SpfMerge, spfSizeWarning } from '../spf-merge.js';
import type { PlanBuilder } from './builder.js';

const textOf = (record: LiveRecord): string => (record.data.type === 'TXT' ? record.data.text : '');

/** One record out of several: the first becomes the merged text, the others go, in one batch (R5). */
function replaceSeveral(
  b: PlanBuilder,
  desired: DesiredRecord,
  existing: LiveRecord[],
  merged: string,
): void {
  const why = { role: desired.role, stage: desired.stage, reason: 'One SPF record instead of several.' };
  const survivor = existing.find((record) => textOf(record) === merged) ?? existing[0];
  if (survivor === undefined) return;
  if (textOf(survivor) !== merged) {
    b.update(survivor, { ...plain(survivor), data: { type: 'TXT', text: merged } }, why);
  }
  for (const record of existing) if (record !== survivor) b.remove(record, why);
}

const plain = ({ name, ttl, data }: LiveRecord) => ({ name, ttl, data });

function reasonOf({ added, removed = [] }: Extract<SpfMerge, { action: 'edit' }>): string {
  return [
    ...(added.length === 0
      ? []
      : [
          `SPF does not let everything through yet that sends for it: ${added.join(' ')} is added, the rest stays.`,
        ]),
    ...(removed.length === 0 ? [] : [`${removed.join(' ')} goes with the relay it was added for.`]),
  ].join(' ');
}

/** SPF of a domain or of a host name, merged with what stands there (R5–R7). */
export function mergeSpfRecord(b: PlanBuilder, desired: DesiredRecord): void {
  if (desired.data.type !== 'TXT') throw new TypeError('TXT record expected');
  const { input, evidence, consents } = b.input;
  const domain = desired.role === 'spf' ? input.domains.find(({ name }) => name === desired.name) : undefined;
  const host = input.hosts.find(({ name }) => name === (domain?.host ?? desired.name));
  const existing = b.set(desired.name, 'TXT').filter((record) => isSpfRecord(textOf(record)));
  const evaluation = evidence?.spf?.[desired.name];
  const merge = mergeSpf({
    name: desired.name,
    existing: existing.map(textOf),
    host: host?.name ?? domain?.host ?? desired.name,
    addresses: [host?.ipv4, host?.ipv6].filter((address) => address !== undefined),
    fresh: desired.data.text,
    ...(evaluation === undefined ? {} : { evaluation }),
    includes: domain?.spfIncludes ?? [],
    withdrawn: domain?.withdrawnIncludes ?? [],
    includeCosts: evidence?.spfIncludeCosts ?? {},
  });
  switch (merge.action) {
    case 'create':
      b.create(desired, { data: { type: 'TXT', text: merge.text } });
      return;
    case 'keep':
      b.keep(desired.role, existing, merge.reason);
      return;
    case 'edit': {
      const before = existing[0];
      if (before === undefined) return;
      const warning = spfSizeWarning(merge.text);
      if (warning !== undefined) b.note('warn', warning);
      b.update(
        before,
        { ...plain(before), data: { type: 'TXT', text: merge.text } },
        {
          role: desired.role,
          stage: desired.stage,
          reason: reasonOf(merge),
        },
      );
      return;
    }
    case 'conflict':
      if (merge.merged !== undefined && consents.update && consents.delete) {
        replaceSeveral(b, desired, existing, merge.merged);
        return;
      }
      if (merge.code === 'E_SPF_PERMERROR' && existing[0] !== undefined && b.isOurs(existing[0])) {
        b.update(
          existing[0],
          { ...plain(existing[0]), data: desired.data },
          { role: desired.role, stage: desired.stage, reason: `Our own record was spoilt. ${merge.what}` },
        );
        return;
      }
      b.conflict({
        code: merge.code,
        role: desired.role,
        what: merge.what,
        evidence: existing.map(formatRecord).concat(merge.evidence.slice(existing.length)),
        fix: merge.fix,
        ...(merge.merged === undefined ? {} : { consent: consents.update ? 'delete' : 'update' }),
      });
  }
}
