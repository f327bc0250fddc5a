import type { IncomingHttpHeaders } from 'node:http';
import { apiErrors } from './api-error.js';
import { importRecords } from './import-records.js';
import { cutPage, filterRecords, type ResultInfo, readPage } from './list-query.js';
import { account, renderZone } from './render-zone.js';
import { renderBindLine, renderRecord } from './stored-record.js';
import { reaches, type Token } from './token-store.js';
import type { Body, WriteOperation, ZoneStore } from './zone-store.js';

export interface ApiRequest {
  method: string;
  /** Below `/client/v4`. */
  path: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  body: Buffer;
  token: Token;
}

export type ApiAnswer = { result: unknown; info?: ResultInfo; messages?: unknown[] } | { text: string };

export interface Account {
  zones: readonly ZoneStore[];
  maxBatch: number;
}

const id = '([0-9a-f]{32})';
const verifyPath = /^\/user\/tokens\/verify$/;
const accountVerifyPath = new RegExp(`^/accounts/${id}/tokens/verify$`);
const zonesPath = /^\/zones$/;
const zonePath = new RegExp(`^/zones/${id}$`);
const recordsPath = new RegExp(`^/zones/${id}/dns_records(?:/(batch|export|import))?$`);
const recordPath = new RegExp(`^/zones/${id}/dns_records/${id}$`);

/**
 * The part of https://developers.cloudflare.com/api/ that serves DNS: zones, records, token verification.
 * Anything else is answered as the API answers an unknown path.
 */
export async function dispatch(request: ApiRequest, { zones, maxBatch }: Account): Promise<ApiAnswer> {
  const { path, method, token } = request;
  if (verifyPath.test(path)) return allow(request, 'GET', () => verifyToken(token, false));
  const accountId = accountVerifyPath.exec(path)?.[1];
  if (accountId === account.id) return allow(request, 'GET', () => verifyToken(token, true));
  if (zonesPath.test(path)) return allow(request, 'GET', () => listZones(request, zones));
  const zoneId = zonePath.exec(path)?.[1];
  if (zoneId !== undefined) {
    return allow(request, 'GET', () => ({ result: renderZone(readableZone(zones, zoneId, token)) }));
  }
  const collection = recordsPath.exec(path);
  if (collection) {
    const zone = recordZone(zones, collection[1] ?? '', request);
    return serveCollection(request, zone, collection[2], maxBatch);
  }
  const single = recordPath.exec(path);
  if (!single) throw apiErrors.noRoute(`/client/v4${path}`);
  const zone = recordZone(zones, single[1] ?? '', request);
  const recordId = single[2] ?? '';
  if (method === 'GET') return { result: renderRecord(zone.get(recordId)) };
  if (method === 'DELETE') {
    await zone.write([{ kind: 'delete', id: recordId }]);
    return { result: { id: recordId } };
  }
  if (method !== 'PUT' && method !== 'PATCH') throw apiErrors.method();
  const kind = method === 'PUT' ? 'put' : 'patch';
  const [written] = await zone.write([{ kind, id: recordId, body: readJson(request) }]);
  return { result: written && renderRecord(written) };
}

async function serveCollection(
  request: ApiRequest,
  zone: ZoneStore,
  part: string | undefined,
  maxBatch: number,
): Promise<ApiAnswer> {
  if (part === 'batch') return allow(request, 'POST', () => runBatch(zone, readJson(request), maxBatch));
  if (part === 'import') {
    return allow(request, 'POST', async () => ({
      result: await importRecords(zone, request.headers, request.body),
    }));
  }
  if (part === 'export') {
    const lines = zone.list().map(renderBindLine);
    return allow(request, 'GET', () => ({ text: `;; Domain: ${zone.name}.\n${lines.join('\n')}\n` }));
  }
  if (request.method === 'GET') {
    const page = readPage(request.query, { min: 1, max: 5_000_000, usual: 100 });
    const { items, info } = cutPage(filterRecords(zone.list(), request.query), page);
    return { result: items.map(renderRecord), info };
  }
  if (request.method !== 'POST') throw apiErrors.method();
  const [written] = await zone.write([{ kind: 'post', body: readJson(request) }]);
  return { result: written && renderRecord(written) };
}

async function allow(
  request: ApiRequest,
  method: string,
  serve: () => ApiAnswer | Promise<ApiAnswer>,
): Promise<ApiAnswer> {
  if (request.method !== method) throw apiErrors.method();
  return serve();
}

/** https://developers.cloudflare.com/api/resources/user/subresources/tokens/methods/verify/ */
function verifyToken(token: Token, accountOwned: boolean): ApiAnswer {
  if ((token.accountOwned ?? false) !== accountOwned) throw apiErrors.invalidApiToken();
  return {
    result: { id: token.id, status: 'active' },
    messages: [{ code: 10000, message: 'This API Token is valid and active', type: null }],
  };
}

/** https://developers.cloudflare.com/api/resources/zones/methods/list/ */
function listZones({ query, token }: ApiRequest, zones: readonly ZoneStore[]): ApiAnswer {
  const known = new Set('name status type page per_page order direction match account.id'.split(' '));
  for (const key of query.keys()) {
    if (!known.has(key)) throw apiErrors.parameter(`Unknown parameter ${key}.`);
  }
  const name = query.get('name')?.replace(/^equal:/, '');
  if (name !== undefined && /^[a-z_]+:/.test(name)) {
    throw apiErrors.parameter('The emulator knows only the equal operator.');
  }
  const wanted = (value: string, key: string): boolean =>
    !query.has(key) || (query.get(key) ?? '').split(',').includes(value);
  const visible = zones.filter(
    (zone) =>
      reaches(token, zone.name) &&
      (name === undefined || zone.name === name) &&
      wanted(zone.settings.status ?? 'active', 'status') &&
      wanted(zone.settings.type ?? 'full', 'type') &&
      wanted(account.id, 'account.id'),
  );
  const { items, info } = cutPage(visible, readPage(query, { min: 5, max: 50, usual: 20 }));
  return { result: items.map(renderZone), info };
}

function readableZone(zones: readonly ZoneStore[], zoneId: string, token: Token): ZoneStore {
  const zone = zones.find((candidate) => candidate.id === zoneId);
  if (!zone || !reaches(token, zone.name)) throw apiErrors.unauthorizedResource();
  return zone;
}

function recordZone(zones: readonly ZoneStore[], zoneId: string, { token, method }: ApiRequest): ZoneStore {
  const zone = zones.find((candidate) => candidate.id === zoneId);
  if (!zone || !reaches(token, zone.name)) throw apiErrors.authentication();
  if (method !== 'GET' && token.access !== 'edit') throw apiErrors.authentication();
  return zone;
}

function readJson({ headers, body }: ApiRequest): Body {
  if (!/^application\/json\b/i.test(headers['content-type'] ?? '')) throw apiErrors.contentType();
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    throw apiErrors.unreadableBody();
  }
  return asObject(value);
}

function asObject(value: unknown): Body {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw apiErrors.unreadableBody();
  return value as Body;
}

const batchParts = ['deletes', 'patches', 'puts', 'posts'] as const;

/** https://developers.cloudflare.com/dns/manage-dns-records/how-to/batch-record-changes/ */
async function runBatch(zone: ZoneStore, body: Body, maxBatch: number): Promise<ApiAnswer> {
  const unknown = Object.keys(body).find((key) => !batchParts.some((part) => part === key));
  if (unknown !== undefined) throw apiErrors.parameter(`Unknown field ${unknown}.`);
  const lists = batchParts.map((part) => readBatchPart(body, part));
  const operations = lists.flat();
  if (operations.length > maxBatch) throw apiErrors.batchLimit(maxBatch);
  const written = (await zone.write(operations)).map(renderRecord);
  const result: Record<string, unknown> = {};
  batchParts.forEach((part, index) => {
    result[part] = written.splice(0, lists[index]?.length ?? 0);
  });
  return { result };
}

function readBatchPart(body: Body, part: (typeof batchParts)[number]): WriteOperation[] {
  const list = body[part];
  if (list === undefined || list === null) return [];
  if (!Array.isArray(list)) throw apiErrors.unreadableBody();
  return list.map((value: unknown): WriteOperation => {
    const entry = asObject(value);
    if (part === 'posts') return { kind: 'post', body: entry };
    if (typeof entry.id !== 'string') throw apiErrors.parameter(`Each of ${part} needs an id.`);
    if (part === 'deletes') return { kind: 'delete', id: entry.id };
    return { kind: part === 'puts' ? 'put' : 'patch', id: entry.id, body: entry };
  });
}
