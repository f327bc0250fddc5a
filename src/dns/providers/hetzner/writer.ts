import { formatData, sameRecord } from '../../canonical.js';
import type { LiveRecord } from '../../record.js';
import { editRrsets, type RrsetEdit, recordsAfter } from '../edit-rrset.js';
import type { Loose } from '../http-api.js';
import type { DnsProvider, Zone } from '../provider.js';
import { retryRead } from '../retry.js';
import type { ZoneWriter } from '../write-changes.js';
import { type HetznerApi, type HetznerRecord, markPrefix } from './api.js';

const isListed = (record: LiveRecord): record is HetznerRecord => 'value' in record;

/** One request a set; adding and removing leave the other members out of it altogether. */
export function createWriter(api: HetznerApi, audit: DnsProvider['audit']): ZoneWriter {
  return {
    context: api.http.context,
    audit,
    list: (zone) => api.list(zone),
    classify: (error) => api.http.classify(error),
    toUnits: (zone, needed, live) =>
      editRrsets(needed, live).map((edit) => ({
        needed: edit.needed,
        run: async () => {
          await writeEdit(api, zone, edit);
          return recordsAfter(edit);
        },
      })),
  };
}

async function writeEdit(api: HetznerApi, zone: Zone, edit: RrsetEdit): Promise<void> {
  const { name, type, ttl, before, after } = edit;
  const act = (action: string, body: Loose): Promise<void> => api.act(zone, name, type, action, body);
  const added = after.filter((record) => !before.some((old) => sameRecord(old, record)));
  const removed = before.filter((record) => !after.some((left) => sameRecord(left, record)));
  const retimed = before.length > 0 && after.length > 0 && before.some((record) => record.ttl !== ttl);
  const render = (record: LiveRecord): Loose => renderMember(record, edit);
  if (before.length === 0) {
    await act('add_records', { records: added.map(render), ttl });
  } else if (removed.length === 0 && added.length > 0) {
    await act('add_records', { records: added.map(render) });
  } else if (added.length === 0 && removed.length > 0) {
    await act('remove_records', { records: removed.map((record) => ({ value: valueText(record) })) });
  } else if (removed.length > 0) {
    await act('set_records', { records: after.map(render) });
  }
  if (!retimed) return;
  const changeTtl = (): Promise<void> => act('change_ttl', { ttl });
  if (added.length + removed.length === 0) await changeTtl();
  else {
    // The set is written already, and setting a TTL twice does no harm, so this one is repeated here.
    await retryRead(api.http.context, changeTtl, (error) => {
      const failure = api.http.classify(error);
      return failure.kind === 'transient' ? { ...failure, reason: failure.text } : undefined;
    });
  }
}

const valueText = (record: LiveRecord): string => (isListed(record) ? record.value : formatData(record.data));

/** A comment of the user's stays (R22), also on a value that is updated. */
function renderMember(record: LiveRecord, { needed }: RrsetEdit): Loose {
  const old = needed.find(
    ({ change }) => change.op === 'update' && sameRecord(change.after, record),
  )?.current;
  const standing = isListed(record) ? record.comment : old && isListed(old) ? old.comment : '';
  const free = standing === '' || standing.startsWith(markPrefix);
  const comment = free ? (record.mark ?? standing) : standing;
  return { value: valueText(record), ...(comment === '' ? {} : { comment }) };
}
