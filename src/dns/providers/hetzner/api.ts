import { ancestorsWithin, canonicalName } from '../../canonical.js';
import type { LiveRecord } from '../../record.js';
import { collectPages } from '../collect-pages.js';
import { asArray, asNumber, asObject, asText, type HttpApi, type Loose } from '../http-api.js';
import { readPresentation } from '../presentation.js';
import type { ProviderContext, Zone } from '../provider.js';
import { readTotal, runAction } from './cloud-http.js';

export const markPrefix = 'smtp-setup/';

/** The API's page size limit (https://docs.hetzner.cloud/reference/cloud#pagination). */
const perPage = 50;

/** A member of a set, with what goes back unchanged when the set is written. */
export interface HetznerRecord extends LiveRecord {
  value: string;
  comment: string;
}

/** Zones, record sets and actions of https://docs.hetzner.cloud/reference/cloud */
export class HetznerApi {
  readonly http: HttpApi;
  private readonly context: ProviderContext;
  /** Default TTL by zone id: a set without a TTL of its own has the zone's. */
  private readonly defaultTtls = new Map<string, number>();

  constructor(http: HttpApi) {
    this.context = http.context;
    this.http = http;
  }

  async verify(): Promise<{ detail: string }> {
    const answer = asObject(await this.http.read('list the zones', '/zones?per_page=1'));
    const total = readTotal(answer);
    return { detail: `reaches ${total} ${total === 1 ? 'zone' : 'zones'}` };
  }

  /** R1: asks for each suffix, the longest first. */
  async findZone(name: string): Promise<Zone | null> {
    for (const candidate of ancestorsWithin(canonicalName(name), '')) {
      const path = `/zones?name=${encodeURIComponent(candidate)}`;
      const answer = asObject(await this.http.read(`look up the zone ${candidate}`, path));
      const found = asArray(answer.zones)
        .map(asObject)
        .find((zone) => canonicalName(asText(zone.name)) === candidate);
      if (found) return this.readZone(found);
    }
    return null;
  }

  private readZone(zone: Loose): Zone {
    const id = String(asNumber(zone.id));
    this.defaultTtls.set(id, asNumber(zone.ttl));
    const servers = asObject(zone.authoritative_nameservers);
    return {
      id,
      name: canonicalName(asText(zone.name)),
      nameServers: asArray(servers.assigned).map((server) => canonicalName(asText(server))),
      ...readState(zone, asText(servers.delegation_status)),
    };
  }

  async list(zone: Zone): Promise<HetznerRecord[]> {
    const doing = `list the records of ${zone.name}`;
    const defaultTtl = await this.defaultTtl(zone);
    const sets = await collectPages(
      this.context,
      zone.name,
      async (page) => {
        const path = `/zones/${zone.id}/rrsets?page=${page}&per_page=${perPage}`;
        const answer = asObject(await this.http.read(doing, path));
        return { items: asArray(answer.rrsets), total: readTotal(answer) };
      },
      (set) => asText(asObject(set).id),
    );
    return sets.flatMap((set) => readRrset(asObject(set), zone, defaultTtl));
  }

  private async defaultTtl(zone: Zone): Promise<number> {
    const known = this.defaultTtls.get(zone.id);
    if (known !== undefined) return known;
    const answer = asObject(await this.http.read(`read the zone ${zone.name}`, `/zones/${zone.id}`));
    this.readZone(asObject(answer.zone));
    return this.defaultTtls.get(zone.id) ?? 0;
  }

  /** Starts an action of a record set and waits until it has ended. */
  async act(zone: Zone, name: string, type: string, action: string, body: Loose): Promise<void> {
    const label = name === zone.name ? '@' : name.slice(0, -zone.name.length - 1);
    const path = `/zones/${zone.id}/rrsets/${encodeURIComponent(label)}/${type}/actions/${action}`;
    await runAction(this.http, path, body);
  }
}

function readState(zone: Loose, delegation: string): Pick<Zone, 'state' | 'note'> {
  if (zone.mode !== 'primary') {
    return { state: 'unknown', note: 'The zone is a secondary one: its records come from another server.' };
  }
  if (['invalid', 'lame', 'unregistered'].includes(delegation)) {
    return { state: 'pending', note: `The domain does not point to Hetzner's name servers (${delegation}).` };
  }
  return { state: 'active' };
}

function readRrset(set: Loose, zone: Zone, defaultTtl: number): HetznerRecord[] {
  const label = asText(set.name);
  const type = asText(set.type);
  const name = label === '@' ? zone.name : `${label}.${zone.name}`;
  const ttl = typeof set.ttl === 'number' ? set.ttl : defaultTtl;
  // The SOA is Hetzner's; a protected set refuses every change.
  const readOnly = type === 'SOA' || asObject(set.protection).change === true;
  return asArray(set.records).map((entry) => {
    const record = asObject(entry);
    const value = asText(record.value);
    const comment = asText(record.comment);
    return {
      ...readPresentation({ name, ttl, type, content: value }, zone.name),
      value,
      comment,
      ...(comment.startsWith(markPrefix) ? { mark: comment } : {}),
      ...(readOnly ? { readOnly: true } : {}),
    };
  });
}
