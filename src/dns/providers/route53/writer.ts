import type { LiveRecord } from '../../record.js';
import { editRrsets, type RrsetEdit, recordsAfter } from '../edit-rrset.js';
import type { DnsProvider } from '../provider.js';
import type { WriteUnit, ZoneWriter } from '../write-changes.js';
import type { RecordSetChange, Route53Api } from './api.js';
import { type Route53Record, renderValue } from './record-codec.js';

/** Thrown for a set that has no plain form; nothing was sent. */
class UntouchableSet extends Error {}

const isListed = (record: LiveRecord): record is Route53Record => 'value' in record;

/**
 * One change batch is one transaction. A set is replaced by DELETE and CREATE instead of UPSERT, because DELETE must name
 * the set exactly as it stands: a change by someone else in between makes the batch fail instead of being overwritten.
 */
export function createWriter(api: Route53Api, audit: DnsProvider['audit']): ZoneWriter {
  return {
    context: api.context,
    audit,
    list: (zone) => api.list(zone),
    classify: (error) =>
      error instanceof UntouchableSet ? { kind: 'refused', text: error.message } : api.classify(error),
    toUnits: (zone, needed, live) => {
      if (needed.length === 0) return [];
      const edits = editRrsets(needed, live);
      const unit: WriteUnit = {
        needed: edits.flatMap((edit) => edit.needed),
        run: async () => {
          await api.change(zone, edits.flatMap(renderEdit));
          return edits.flatMap(recordsAfter);
        },
      };
      return [unit];
    },
  };
}

function renderEdit({ name, type, ttl, before, after }: RrsetEdit): RecordSetChange[] {
  if (before.some(({ readOnly }) => readOnly)) {
    throw new UntouchableSet(`The ${type} set of ${name} is an alias or has a routing policy.`);
  }
  const set = (records: readonly LiveRecord[], seconds: number): RecordSetChange['ResourceRecordSet'] => ({
    Name: `${name}.`,
    Type: type as RecordSetChange['ResourceRecordSet']['Type'],
    TTL: seconds,
    ResourceRecords: records.map((record) => ({
      Value: isListed(record) ? record.value : renderValue(record.data),
    })),
  });
  const [old] = before;
  return [
    ...(old ? [{ Action: 'DELETE' as const, ResourceRecordSet: set(before, old.ttl) }] : []),
    ...(after.length > 0 ? [{ Action: 'CREATE' as const, ResourceRecordSet: set(after, ttl) }] : []),
  ];
}
