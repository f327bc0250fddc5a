import type { RawAnswer, RawRequest } from '../cloudflare/emulator.js';
import { createMemoryBackend, type ZoneBackend } from '../cloudflare/zone-backend.js';
import {
  badRequest,
  DigitalOceanError,
  forbidden,
  methodNotAllowed,
  notFound,
  serverError,
  unauthorized,
  unprocessable,
} from './api-error.js';
import { Domain } from './domain-store.js';

export interface DigitalOceanOptions {
  /** Where records become visible; in memory when absent. */
  backend?: ZoneBackend;
  tokens: readonly { value: string; scopes?: readonly string[] }[];
}

type Json = Readonly<Record<string, unknown>>;

const basePath = '/v2';
const scopes: Readonly<Record<string, string>> = {
  GET: 'domain:read',
  POST: 'domain:create',
  PUT: 'domain:update',
  PATCH: 'domain:update',
  DELETE: 'domain:delete',
};

/** An account with domains: https://docs.digitalocean.com/reference/api/digitalocean/#tag/Domains and #tag/Domain-Records */
export class DigitalOceanEmulator {
  private readonly options: Required<DigitalOceanOptions>;
  private readonly domains: Domain[] = [];

  constructor(options: DigitalOceanOptions) {
    this.options = { backend: createMemoryBackend(), ...options };
  }

  addDomain(name: string): Domain {
    const domain = new Domain(name, this.options.backend);
    this.domains.push(domain);
    return domain;
  }

  async answer(request: RawRequest): Promise<RawAnswer> {
    try {
      const url = new URL(request.url, 'http://emulator');
      if (!url.pathname.startsWith(`${basePath}/`)) throw notFound();
      this.authenticate(request);
      return await this.dispatch(request, url.pathname.slice(basePath.length), url.searchParams);
    } catch (error) {
      const { status, id, message } = error instanceof DigitalOceanError ? error : serverError();
      return render(status, { id, message, request_id: '4d9d8375-3c56-4925-a3e7-eb137fed17e9' });
    }
  }

  private authenticate({ headers, method }: RawRequest): void {
    const given = /^Bearer (\S+)$/.exec(headers.authorization ?? '')?.[1];
    const token = this.options.tokens.find(({ value }) => value === given);
    if (!token) throw unauthorized();
    if (token.scopes && !token.scopes.includes(scopes[method] ?? '')) throw forbidden();
  }

  private async dispatch(request: RawRequest, path: string, query: URLSearchParams): Promise<RawAnswer> {
    const { method } = request;
    if (path === '/domains') {
      if (method !== 'GET') throw methodNotAllowed();
      return render(200, page(this.domains.map(renderDomain), query, 'domains', []));
    }
    const [, name, records, recordId] = /^\/domains\/([^/]+)(\/records)?(?:\/(\d+))?$/.exec(path) ?? [];
    const domain = this.domains.find((candidate) => candidate.name === decodeURIComponent(name ?? ''));
    if (!domain) throw notFound();
    if (records === undefined) {
      if (recordId !== undefined) throw notFound();
      if (method !== 'GET') throw methodNotAllowed();
      return render(200, { domain: renderDomain(domain) });
    }
    return recordId === undefined
      ? serveRecords(request, domain, query)
      : serveRecord(request, domain, Number(recordId));
  }
}

async function serveRecords(request: RawRequest, domain: Domain, query: URLSearchParams): Promise<RawAnswer> {
  if (request.method === 'GET') {
    const [name, type] = [query.get('name'), query.get('type')];
    const found = domain
      .list()
      .filter((record) => type === null || record.type === type)
      // "A fully qualified record name", says the reference.
      .filter(
        (record) =>
          name === null || (record.name === '@' ? domain.name : `${record.name}.${domain.name}`) === name,
      );
    return render(200, page(found, query, 'domain_records', ['name', 'type']));
  }
  if (request.method !== 'POST') throw methodNotAllowed();
  const [created] = await domain.create(readJson(request));
  return render(201, { domain_record: created });
}

async function serveRecord(request: RawRequest, domain: Domain, id: number): Promise<RawAnswer> {
  if (request.method === 'GET') return render(200, { domain_record: domain.get(id) });
  if (domain.get(id).type === 'SOA') throw unprocessable('SOA records cannot be changed.');
  if (request.method === 'DELETE') {
    await domain.remove(id);
    return { status: 204, headers: {}, body: '' };
  }
  if (request.method !== 'PUT' && request.method !== 'PATCH') throw methodNotAllowed();
  const body = readJson(request);
  if (typeof body.type !== 'string') throw unprocessable("Type can't be blank");
  return render(200, { domain_record: await domain.update(id, body) });
}

function readJson({ headers, body }: RawRequest): Json {
  if (!/^application\/json\b/i.test(headers['content-type'] ?? ''))
    throw badRequest('Content-Type must be application/json');
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw badRequest('Malformed JSON');
}

/** https://docs.digitalocean.com/reference/api/digitalocean/#section/Introduction/Links-and-Pagination */
function page(all: readonly unknown[], query: URLSearchParams, key: string, known: readonly string[]): Json {
  for (const name of query.keys()) {
    if (![...known, 'page', 'per_page'].includes(name)) throw badRequest(`Unknown parameter ${name}`);
  }
  const read = (name: string, usual: number, most: number): number => {
    const text = query.get(name) ?? String(usual);
    if (!/^[1-9]\d{0,6}$/.test(text) || Number(text) > most) throw badRequest(`${name} is out of range`);
    return Number(text);
  };
  const [at, perPage] = [read('page', 1, 1_000_000), read('per_page', 20, 200)];
  const last = Math.max(1, Math.ceil(all.length / perPage));
  const to = (number: number): string =>
    `https://api.digitalocean.com/v2/${key}?page=${number}&per_page=${perPage}`;
  const pages = at < last ? { next: to(at + 1), last: to(last) } : {};
  return {
    [key]: all.slice((at - 1) * perPage, at * perPage),
    links: { pages },
    meta: { total: all.length },
  };
}

function renderDomain({ name }: Domain): Json {
  return { name, ttl: 1800, zone_file: `$ORIGIN ${name}.\n$TTL 1800\n` };
}

function render(status: number, body: Json): RawAnswer {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8' },
    body: JSON.stringify(body),
  };
}
