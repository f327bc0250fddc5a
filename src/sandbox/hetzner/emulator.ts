import type { RawAnswer, RawRequest } from '../cloudflare/emulator.js';
import { createMemoryBackend, type ZoneBackend } from '../cloudflare/zone-backend.js';
import { ActionLog } from './actions.js';
import { ProjectAddresses, type ReverseSink } from './address-routes.js';
import { HetznerError, hetznerErrors } from './api-error.js';
import { renderZone } from './render.js';
import { cutPage, type Json, only, requireKnown } from './request.js';
import { serveSet, serveSets } from './rrset-routes.js';
import { HetznerZone, type HetznerZoneSettings } from './zone-store.js';

export interface HetznerOptions {
  /** Where records become visible; in memory when absent. */
  backend?: ZoneBackend;
  /** Where reverse names become visible; nowhere when absent. */
  reverse?: ReverseSink;
  tokens: readonly { value: string; readOnly?: boolean }[];
  /** How often an action is seen running before it has ended. Default 1. */
  polls?: number;
}

const basePath = '/v1';
const setPath = /^\/zones\/([^/]+)\/rrsets\/([^/]+)\/([^/]+)(?:\/actions\/([a-z_]+))?$/;
const addressPath = /^\/(primary_ip|floating_ip)s(?:\/(\d+)\/actions\/change_dns_ptr)?$/;

/** A project of the Cloud API with DNS zones and addresses: https://docs.hetzner.cloud/reference/cloud#zones */
export class HetznerEmulator {
  readonly addresses: ProjectAddresses;
  private readonly options: Required<HetznerOptions>;
  private readonly zones: HetznerZone[] = [];
  private readonly actions: ActionLog;

  constructor(options: HetznerOptions) {
    const reverse = { setPtr: async () => undefined };
    this.options = { backend: createMemoryBackend(), reverse, polls: 1, ...options };
    this.actions = new ActionLog(this.options.polls);
    this.addresses = new ProjectAddresses(this.options.reverse, this.actions);
  }

  addZone(settings: HetznerZoneSettings): HetznerZone {
    const zone = new HetznerZone(42 + this.zones.length, settings, this.options.backend);
    this.zones.push(zone);
    return zone;
  }

  /** The next action is accepted, and then ends with this error. */
  failNextAction(code: string, message: string): void {
    this.actions.failNext(code, message);
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
    if (actionId !== undefined) return only(method, 'GET', () => this.actions.read(Number(actionId)));
    const [, kind, addressId] = addressPath.exec(path) ?? [];
    if (kind === 'primary_ip' || kind === 'floating_ip') {
      if (addressId === undefined) return only(method, 'GET', () => this.addresses.list(kind, query));
      if (method !== 'POST') throw hetznerErrors.method();
      return this.addresses.change(kind, Number(addressId), request);
    }
    const zoneId = /^\/zones\/([^/]+)$/.exec(path)?.[1];
    if (zoneId !== undefined) return only(method, 'GET', () => ({ zone: renderZone(this.zone(zoneId)) }));
    const listed = /^\/zones\/([^/]+)\/rrsets$/.exec(path)?.[1];
    if (listed !== undefined) return serveSets(request, this.zone(listed), query, this.actions);
    const [, zone, name, type, action] = setPath.exec(path) ?? [];
    if (zone === undefined || name === undefined || type === undefined) throw hetznerErrors.notFound('route');
    const set = { name: decodeURIComponent(name), type, action };
    return serveSet(request, this.zone(zone), set, this.actions);
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
}

const json = { 'content-type': 'application/json' };

function render(status: number, body: Json): RawAnswer {
  return { status, headers: json, body: JSON.stringify(body) };
}
