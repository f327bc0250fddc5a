import { isWithin, sameData, zoneOf } from './canonical.js';
import { applyChanges } from './diff.js';
import { mergeAddress, noteStrayAaaa } from './merge/address.js';
import { createPlanBuilder, type PlanBuilder } from './merge/builder.js';
import { mergeCaa } from './merge/caa.js';
import { mergeDkim } from './merge/dkim.js';
import { mergeDmarc } from './merge/dmarc.js';
import { passGate } from './merge/gate.js';
import { keepForeignMx, mergeBackupMx, mergeMx } from './merge/mx.js';
import { toChange } from './merge/sequence.js';
import { mergeSingle } from './merge/single.js';
import { mergeSpfRecord } from './merge/spf.js';
import { mergeTlsa } from './merge/tlsa.js';
import { checkZone, noteSizes, noteWildcards } from './merge/zone-notes.js';
import type { DesiredRecord, LiveRecord, RecordData } from './record.js';
import type { PlannedChange, PlanZoneInput, ZonePlan } from './zone-plan.js';

/** How each role is merged with what stands there; the others have one record per name. */
const rules: Readonly<Record<string, (b: PlanBuilder, desired: DesiredRecord) => void>> = {
  a: mergeAddress,
  aaaa: mergeAddress,
  spf: mergeSpfRecord,
  'host-spf': mergeSpfRecord,
  dkim: mergeDkim,
  dmarc: mergeDmarc,
  mx: mergeMx,
  'mx-backup': mergeBackupMx,
  caa: mergeCaa,
};

/**
 * The merge of what should be with what stands there: pure, additive, record by record. Any conflict in the result
 * means that nothing may be written.
 */
export function planZone(input: PlanZoneInput): ZonePlan {
  const b = createPlanBuilder(input);
  checkZone(b);
  const desired = input.desired.filter(({ name }) => isWithin(name, input.zone.name));
  const tlsa = new Map<string, DesiredRecord[]>();
  for (const record of desired) {
    if (!passGate(b, record)) continue;
    if (record.role === 'tlsa') tlsa.set(record.name, [...(tlsa.get(record.name) ?? []), record]);
    else (rules[record.role] ?? mergeSingle)(b, record);
  }
  for (const records of tlsa.values()) mergeTlsa(b, records);
  noteStrayAaaa(b);
  keepForeignMx(b);
  const plan = b.build();
  noteWildcards(b, plan);
  noteSizes(b, plan);
  return b.build();
}

/**
 * What belongs into `zone`, when `zones` are there to write to: below another one that is among them a zone holds all that is
 * below it, and the other one only delegates to it (R1). Pure.
 */
export function recordsOfZone(
  desired: readonly DesiredRecord[],
  zone: string,
  zones: readonly string[],
): DesiredRecord[] {
  return desired.filter(({ name }) => zoneOf(name, zones) === zone);
}

/** The zone's records once the whole plan is done. */
export function zoneAfter(plan: ZonePlan, live: readonly LiveRecord[]): LiveRecord[] {
  return applyChanges(live, plan.changes.map(toChange));
}

/**
 * Fills in what has become known during the apply; a name that is still unknown stays pending. Several values of one name
 * go to its pending records in their order, those first that are not there yet.
 */
export function fillPending(
  changes: readonly PlannedChange[],
  known: Readonly<Record<string, RecordData | readonly RecordData[]>>,
): PlannedChange[] {
  const there = changes.flatMap(({ pending, after, rrsetBefore }) => [
    ...rrsetBefore,
    ...(pending === undefined && after !== undefined ? [after] : []),
  ]);
  const isThere = (name: string, data: RecordData): boolean =>
    there.some((record) => record.name === name && sameData(record.data, data));
  const left = new Map(
    Object.entries(known).map(([name, values]) => {
      const all = [values].flat();
      return [
        name,
        [...all.filter((data) => !isThere(name, data)), ...all.filter((data) => isThere(name, data))],
      ];
    }),
  );
  return changes.map((change) => {
    if (change.pending === undefined || change.after === undefined) return change;
    const data = left.get(change.after.name)?.shift();
    if (data === undefined) return change;
    const { pending: _pending, ...rest } = change;
    return { ...rest, after: { ...change.after, data } };
  });
}
