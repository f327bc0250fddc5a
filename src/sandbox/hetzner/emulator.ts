import type { RawAnswer, RawRequest } from '../cloudflare/emulator.js';
import { createMemoryBackend, type ZoneBackend } from '../cloudflare/zone-backend.js';
import { HetznerError, hetznerErrors } from './api-error.js';
import {
  HetznerZone,
  type HetznerZoneSettings,
  type RecordSet,
  type SetMember,
  setTypes,
} from './zone-store.js';

export interface HetznerOptions {
  /** Where records become visible; in memory when absent. */
  backend?: ZoneBackend;
  tokens: readonly { value: string; readOnly?: boolean }[];
  /** How often an action is seen running before it has ended. Default 1. */
  polls?: number;
}

type Json = Readonly<Record<string, unknown>>;
interface Action {
  id: number;
  command: string;
  pollsLeft: number;
  error?: { code: string; message: string };
}

const basePath = '/v1';
const setPath = /^\/zones\/([^/]+)\/rrsets\/([^/]+)\/([^/]+)(?:\/actions\/([a-z_]+))?$/;

/** A project of the Cloud API with DNS zones: https://docs.hetzner.cloud/reference/cloud#zones and #zone-rrsets */
export class HetznerEmulator {
  private readonly options: Required<HetznerOptions>;
  private readonly zones: HetznerZone[] = [];
  private readonly actions = new Map<number, Action>();
  private nextFailure: Action['error'];

  constructor(options: HetznerOptions) {
    this.options = { backend: createMemoryBackend(), polls: 1, ...options };
  }

  addZone(settings: HetznerZoneSettings): HetznerZone {
    const zone = new HetznerZone(42 + this.zones.length, settings, this.options.backend);
    this.zones.push(zone);
    return zone;
  }

  /** The next action is accepted, and then ends with this error. */
  failNextAction(code: string, message: string): void {
    this.nextFailure = { code, message };
  }

  async answer(request: RawRequest): Promise<RawAnswer> {
    try {
      const url = new URL(request.url, 'http://emulator');
      if (!url.pathname.startsWith(`${basePath}/`)) throw hetznerErrors.notFound('route');
      const body = await this.dispatch(request, url.pathname.slice(basePath.length), url.searchParams);
      return render(request.method === 'GET' ? 200 : 201, body);
    } catch (error) {
      const { status, code, message, details } =
        error instanceof HetznerError ? error : hetznerErrors.internal();
      return render(status, { error: { code, message, details } });
    }
  }

  private async dispatch(request: RawRequest, path: string, query: URLSearchParams): Promise<Json> {
    this.authenticate(request);
    const { method } = request;
    if (path === '/zones') return only(method, 'GET', () => this.listZones(query));
    const actionId = /^\/actions\/(\d+)$/.exec(path)?.[1];
    if (actionId !== undefined) return only(method, 'GET', () => this.readAction(Number(actionId)));
    const zoneId = /^\/zones\/([^/]+)$/.exec(path)?.[1];
    if (zoneId !== undefined) return only(method, 'GET', () => ({ zone: renderZone(this.zone(zoneId)) }));
    const listed = /^\/zones\/([^/]+)\/rrsets$/.exec(path)?.[1];
    if (listed !== undefined) return this.serveSets(request, this.zone(listed), query);
    const [, zone, name, type, action] = setPath.exec(path) ?? [];
    if (zone === undefined || name === undefined || type === undefined) throw hetznerErrors.notFound('route');
    return this.serveSet(request, this.zone(zone), decodeURIComponent(name), type, action);
  }

  private authenticate({ headers, method }: RawRequest): void {
    const given = /^Bearer (\S+)$/.exec(headers.authorization ?? '')?.[1];
    if (given === undefined) throw hetznerErrors.unauthorized('token is required');
    const token = this.options.tokens.find(({ value }) => value === given);
    if (!token) throw hetznerErrors.unauthorized();
    if (token.readOnly && method !== 'GET') throw hetznerErrors.readOnlyToken();
  }

  private zone(idOrName: string): HetznerZone {
    const zone = this.zones.find(({ id, settings }) => String(id) === idOrName || settings.name === idOrName);
    if (!zone) throw hetznerErrors.notFound('zone');
    return zone;
  }

  private listZones(query: URLSearchParams): Json {
    const known = ['name', 'mode', 'label_selector', 'sort', 'page', 'per_page'];
    requireKnown(query, known);
    const name = query.get('name');
    const found = this.zones.filter(({ settings }) => name === null || settings.name === name);
    const { items, meta } = cutPage(found, query);
    return { zones: items.map(renderZone), meta };
  }

  private async serveSets(request: RawRequest, zone: HetznerZone, query: URLSearchParams): Promise<Json> {
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
    return { rrset: renderSet(set, zone), action: this.start('create_rrset') };
  }

  private async serveSet(
    request: RawRequest,
    zone: HetznerZone,
    name: string,
    type: string,
    action: string | undefined,
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
      return this.carryOut('delete_rrset', () => zone.put({ ...set, records: [] }));
    }
    if (request.method !== 'POST') throw hetznerErrors.method();
    return this.act(request, zone, { name, type, records: [], protectedFromChange: false }, set, action);
  }

  private act(
    request: RawRequest,
    zone: HetznerZone,
    empty: RecordSet,
    set: RecordSet | undefined,
    action: string,
  ): Promise<Json> {
    if (action === 'add_records') {
      const body = readBody(request, ['records', 'ttl']);
      const added = readMembers(body, true);
      const { ttl } = readTtl(body);
      if (set && ttl !== undefined && ttl !== set.ttl)
        throw hetznerErrors.input('ttl', 'differs from the rrset');
      const next = set ?? { ...empty, ...(ttl === undefined ? {} : { ttl }) };
      const records = [...next.records, ...added];
      return this.carryOut('add_rrset_records', () => zone.put({ ...next, records }));
    }
    if (!set) throw hetznerErrors.notFound('rrset');
    if (action === 'change_ttl') {
      const { ttl: _old, ...rest } = set;
      const body = readBody(request, ['ttl']);
      if (!('ttl' in body)) throw hetznerErrors.input('ttl', 'missing');
      return this.carryOut('change_rrset_ttl', () => zone.put({ ...rest, ...readTtl(body) }));
    }
    const members = readMembers(readBody(request, ['records']), action === 'remove_records');
    if (action === 'set_records') {
      return this.carryOut('set_rrset_records', () => zone.put({ ...set, records: members }));
    }
    if (action !== 'remove_records') throw hetznerErrors.notFound('action');
    const gone = new Set(members.map(({ value }) => value));
    if (members.some(({ value }) => !set.records.some((record) => record.value === value))) {
      throw hetznerErrors.input('records', 'a record does not exist');
    }
    const records = set.records.filter(({ value }) => !gone.has(value));
    return this.carryOut('remove_rrset_records', () => zone.put({ ...set, records }));
  }

  private async carryOut(command: string, write: () => Promise<void>): Promise<Json> {
    if (this.nextFailure === undefined) await write();
    return { action: this.start(command) };
  }

  private start(command: string): Json {
    const id = 1000 + this.actions.size;
    const action: Action = { id, command, pollsLeft: this.options.polls };
    if (this.nextFailure) action.error = this.nextFailure;
    this.nextFailure = undefined;
    this.actions.set(id, action);
    return renderAction(action);
  }

  private readAction(id: number): Json {
    const action = this.actions.get(id);
    if (!action) throw hetznerErrors.notFound('action');
    action.pollsLeft -= 1;
    return { action: renderAction(action) };
  }
}

const json = { 'content-type': 'application/json' };
const now = '2026-11-24T00:00:00Z';

function render(status: number, body: Json): RawAnswer {
  return { status, headers: json, body: JSON.stringify(body) };
}

function only(method: string, wanted: string, serve: () => Json): Json {
  if (method !== wanted) throw hetznerErrors.method();
  return serve();
}

function requireKnown(query: URLSearchParams, known: readonly string[]): void {
  for (const key of query.keys())
    if (!known.includes(key)) throw hetznerErrors.input(key, 'unknown parameter');
}

function requirePrimary(zone: HetznerZone): void {
  if (zone.settings.mode !== 'primary') throw hetznerErrors.mode();
}

/** https://docs.hetzner.cloud/reference/cloud#pagination */
function cutPage<T>(all: readonly T[], query: URLSearchParams): { items: readonly T[]; meta: Json } {
  const read = (key: string, usual: number, most: number): number => {
    const text = query.get(key) ?? String(usual);
    if (!/^[1-9]\d{0,6}$/.test(text) || Number(text) > most) throw hetznerErrors.input(key, 'out of range');
    return Number(text);
  };
  const [page, perPage] = [read('page', 1, 1_000_000), read('per_page', 25, 50)];
  const last = Math.max(1, Math.ceil(all.length / perPage));
  const pagination = {
    page,
    per_page: perPage,
    previous_page: page > 1 ? page - 1 : null,
    next_page: page < last ? page + 1 : null,
    last_page: last,
    total_entries: all.length,
  };
  return { items: all.slice((page - 1) * perPage, page * perPage), meta: { pagination } };
}

function readBody({ headers, body }: RawRequest, fields: readonly string[]): Json {
  if (!/^application\/json\b/i.test(headers['content-type'] ?? '')) throw hetznerErrors.json();
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) throw hetznerErrors.json();
    throw error;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw hetznerErrors.json();
  const unknown = Object.keys(value).find((key) => !fields.includes(key));
  if (unknown !== undefined) throw hetznerErrors.input(unknown, 'unknown field');
  return value as Json;
}

function readTtl({ ttl }: Json): { ttl?: number } {
  if (ttl === undefined || ttl === null) return {};
  if (typeof ttl !== 'number') throw hetznerErrors.input('ttl', 'must be a number');
  return { ttl };
}

function readMembers({ records }: Json, needed: boolean): SetMember[] {
  if (!Array.isArray(records)) throw hetznerErrors.input('records', 'missing');
  if (needed && records.length === 0) throw hetznerErrors.input('records', 'must not be empty');
  return records.map((entry: unknown, index): SetMember => {
    const at = `records[${index}]`;
    if (typeof entry !== 'object' || entry === null) throw hetznerErrors.input(at, 'must be an object');
    const { value, comment, ...rest } = entry as Json;
    if (typeof value !== 'string' || value === '') throw hetznerErrors.input(`${at}.value`, 'missing');
    if (comment !== undefined && typeof comment !== 'string')
      throw hetznerErrors.input(`${at}.comment`, 'no text');
    if (Object.keys(rest).length > 0) throw hetznerErrors.input(at, 'unknown field');
    return { value, ...(comment === undefined ? {} : { comment }) };
  });
}

function renderSet({ name, type, ttl, records, protectedFromChange }: RecordSet, zone: HetznerZone): Json {
  return {
    id: `${name}/${type}`,
    name,
    type,
    ttl: ttl ?? null,
    labels: {},
    protection: { change: protectedFromChange },
    records: records.map(({ value, comment }) => ({ value, comment: comment ?? '' })),
    zone: zone.id,
  };
}

function renderZone(zone: HetznerZone): Json {
  const { name, mode, delegation, nameServers, ttl } = zone.settings;
  return {
    id: zone.id,
    name,
    created: now,
    mode,
    ttl,
    labels: {},
    primary_nameservers: [],
    protection: { delete: false },
    status: 'ok',
    registrar: 'other',
    record_count: zone.list().length,
    authoritative_nameservers: {
      assigned: nameServers,
      delegated: delegation === 'valid' ? nameServers : [],
      delegation_last_check: now,
      delegation_status: delegation,
    },
  };
}

function renderAction({ id, command, pollsLeft, error }: Action): Json {
  const ended = pollsLeft <= 0;
  return {
    id,
    command,
    status: ended ? (error ? 'error' : 'success') : 'running',
    progress: ended ? 100 : 50,
    started: now,
    finished: ended ? now : null,
    resources: [],
    error: ended ? (error ?? null) : null,
  };
}
