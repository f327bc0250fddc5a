import type { RawRequest } from '../cloudflare/emulator.js';
import type { ActionLog } from './actions.js';
import { HetznerError, hetznerErrors } from './api-error.js';
import { renderSet } from './render.js';
import { cutPage, type Json, readBody, readMembers, readTtl, requireKnown } from './request.js';
import { type HetznerZone, type RecordSet, setTypes } from './zone-store.js';

/** The record sets of a zone: https://docs.hetzner.cloud/reference/cloud#zone-rrsets */
export async function serveSets(
  request: RawRequest,
  zone: HetznerZone,
  query: URLSearchParams,
  actions: ActionLog,
): Promise<Json> {
  if (request.method === 'GET') {
    requireKnown(query, ['name', 'type', 'label_selector', 'sort', 'page', 'per_page']);
    const types = query.getAll('type');
    const found = zone
      .list()
      .filter((set) => !query.has('name') || set.name === query.get('name'))
      .filter((set) => types.length === 0 || types.includes(set.type));
    const { items, meta } = cutPage(found, query);
    return { rrsets: items.map((set) => renderSet(set, zone)), meta };
  }
  if (request.method !== 'POST') throw hetznerErrors.method();
  const body = readBody(request, ['name', 'type', 'ttl', 'labels', 'records']);
  const { name, type } = body;
  if (typeof name !== 'string') throw hetznerErrors.input('name', 'missing');
  if (typeof type !== 'string') throw hetznerErrors.input('type', 'missing');
  requirePrimary(zone);
  if (zone.find(name, type)) throw new HetznerError(409, 'uniqueness_error', 'the rrset exists already');
  const set: RecordSet = {
    name,
    type,
    ...readTtl(body),
    records: readMembers(body, true),
    protectedFromChange: false,
  };
  await zone.put(set);
  return { rrset: renderSet(set, zone), action: actions.start('create_rrset') };
}

/** One record set, and the actions on it. */
export async function serveSet(
  request: RawRequest,
  zone: HetznerZone,
  { name, type, action }: { name: string; type: string; action: string | undefined },
  actions: ActionLog,
): Promise<Json> {
  if (!setTypes.includes(type)) throw hetznerErrors.input('rr_type', 'unknown record type');
  const set = zone.find(name, type);
  if (action === undefined && request.method === 'GET') {
    if (!set) throw hetznerErrors.notFound('rrset');
    return { rrset: renderSet(set, zone) };
  }
  requirePrimary(zone);
  if (set?.protectedFromChange) throw hetznerErrors.protectedSet();
  if (action === undefined) {
    if (request.method !== 'DELETE') throw hetznerErrors.method();
    if (!set) throw hetznerErrors.notFound('rrset');
    return actions.carryOut('delete_rrset', () => zone.put({ ...set, records: [] }));
  }
  if (request.method !== 'POST') throw hetznerErrors.method();
  if (action === 'add_records') return addRecords(request, zone, { name, type }, set, actions);
  if (!set) throw hetznerErrors.notFound('rrset');
  return changeSet(request, zone, set, action, actions);
}

async function addRecords(
  request: RawRequest,
  zone: HetznerZone,
  { name, type }: { name: string; type: string },
  set: RecordSet | undefined,
  actions: ActionLog,
): Promise<Json> {
  const body = readBody(request, ['records', 'ttl']);
  const added = readMembers(body, true);
  const { ttl } = readTtl(body);
  if (set && ttl !== undefined && ttl !== set.ttl) throw hetznerErrors.input('ttl', 'differs from the rrset');
  const empty: RecordSet = { name, type, records: [], protectedFromChange: false };
  const next = set ?? { ...empty, ...(ttl === undefined ? {} : { ttl }) };
  const records = [...next.records, ...added];
  return actions.carryOut('add_rrset_records', () => zone.put({ ...next, records }));
}

async function changeSet(
  request: RawRequest,
  zone: HetznerZone,
  set: RecordSet,
  action: string,
  actions: ActionLog,
): Promise<Json> {
  if (action === 'change_ttl') {
    const { ttl: _old, ...rest } = set;
    const body = readBody(request, ['ttl']);
    if (!('ttl' in body)) throw hetznerErrors.input('ttl', 'missing');
    return actions.carryOut('change_rrset_ttl', () => zone.put({ ...rest, ...readTtl(body) }));
  }
  const members = readMembers(readBody(request, ['records']), action === 'remove_records');
  if (action === 'set_records') {
    return actions.carryOut('set_rrset_records', () => zone.put({ ...set, records: members }));
  }
  if (action !== 'remove_records') throw hetznerErrors.notFound('action');
  const gone = new Set(members.map(({ value }) => value));
  if (members.some(({ value }) => !set.records.some((record) => record.value === value))) {
    throw hetznerErrors.input('records', 'a record does not exist');
  }
  const records = set.records.filter(({ value }) => !gone.has(value));
  return actions.carryOut('remove_rrset_records', () => zone.put({ ...set, records }));
}

function requirePrimary(zone: HetznerZone): void {
  if (zone.settings.mode !== 'primary') throw hetznerErrors.mode();
}
