import { ancestorsWithin, canonicalName, formatData, typeOf } from '../../canonical.js';
import type { LiveRecord } from '../../record.js';
import type { RrsetEdit } from '../edit-rrset.js';
import { asArray, asNumber, asObject, asText, HttpApi, type Loose } from '../http-api.js';
import { readPresentation } from '../presentation.js';
import type { ProviderContext, Zone } from '../provider.js';

const markPrefix = 'smtp-setup/';

/** A member of the set as listed, with what the API needs when the set is written back. */
export interface PowerDnsRecord extends LiveRecord {
  /** Exactly as it stands; a member that is not ours goes back unchanged. */
  content: string;
  disabled: boolean;
  /** Comments stand on the set, not on its members. */
  commented: boolean;
}

/** The HTTP API of one server: https://doc.powerdns.com/authoritative/http-api/ */
export class PowerDnsApi {
  readonly http: HttpApi;
  private readonly server: string;

  constructor(
    context: ProviderContext,
    url: URL,
    { key = '', server = 'localhost' }: ProviderContext['credentials'],
  ) {
    // People give the address with and without the API's own path; other paths belong to a reverse proxy.
    const path = url.pathname.replace(/\/+$/, '').replace(/\/api\/v1(\/.*)?$/, '');
    this.server = `/servers/${encodeURIComponent(server)}`;
    this.http = new HttpApi(context, {
      title: 'PowerDNS',
      baseUrl: `${url.origin}${path}/api/v1`,
      headers: { 'x-api-key': key },
      tokenFix: [
        'Give the value of api-key in pdns.conf, in PDNS_API_KEY.',
        'A 403 can also come from webserver-allow-from: allow the address of this machine there.',
      ],
      describe: (body) =>
        [asText(asObject(body).error), ...asArray(asObject(body).errors).map(asText)].join(' '),
    });
  }

  async verify(): Promise<{ detail: string }> {
    const server = asObject(await this.http.read('describe the server', this.server));
    return { detail: `PowerDNS ${asText(server.daemon_type)} ${asText(server.version)}`.trim() };
  }

  /** R1: asks for each suffix, the longest first. */
  async findZone(name: string): Promise<Zone | null> {
    for (const candidate of ancestorsWithin(canonicalName(name), '')) {
      const query = `?zone=${encodeURIComponent(`${candidate}.`)}`;
      const found = await this.http.read(`look up the zone ${candidate}`, `${this.server}/zones${query}`);
      const zone = asArray(found)
        .map(asObject)
        .find((entry) => canonicalName(asText(entry.name)) === candidate);
      if (zone) return this.describeZone(zone, candidate);
    }
    return null;
  }

  private async describeZone(zone: Loose, name: string): Promise<Zone> {
    const id = asText(zone.id);
    const query = `?rrset_name=${encodeURIComponent(`${name}.`)}&rrset_type=NS`;
    const full = asObject(await this.http.read(`read the zone ${name}`, `${this.path(id)}${query}`));
    const apex = asArray(full.rrsets)
      .map(asObject)
      .find((set) => set.type === 'NS' && canonicalName(asText(set.name)) === name);
    const servers = asArray(apex?.records).map((record) => canonicalName(asText(asObject(record).content)));
    const secondary = /^(slave|secondary|consumer)$/i.test(asText(zone.kind));
    return {
      id,
      name,
      nameServers: servers,
      ...(secondary
        ? {
            state: 'unknown' as const,
            note: 'The zone is a secondary one: its records come from another server.',
          }
        : { state: 'active' as const }),
    };
  }

  private path(zoneId: string): string {
    return `${this.server}/zones/${encodeURIComponent(zoneId)}`;
  }

  /** The whole zone comes in one answer, with the disabled records, which are not served. */
  async listAll(zone: Zone): Promise<PowerDnsRecord[]> {
    const full = asObject(await this.http.read(`list the records of ${zone.name}`, this.path(zone.id)));
    return asArray(full.rrsets).flatMap((set) => readRrset(asObject(set)));
  }

  async patch(zone: Zone, rrsets: readonly Loose[]): Promise<void> {
    await this.http.send('PATCH', this.path(zone.id), { rrsets });
  }
}

function readRrset(set: Loose): PowerDnsRecord[] {
  const comments = asArray(set.comments).map((comment) => asText(asObject(comment).content));
  const records = asArray(set.records).map(asObject);
  const ours =
    comments.length === 1 && records.length === 1
      ? comments.find((c) => c.startsWith(markPrefix))
      : undefined;
  return records.map((record) => ({
    ...readPresentation({
      name: asText(set.name),
      ttl: asNumber(set.ttl),
      type: asText(set.type),
      content: asText(record.content),
    }),
    content: asText(record.content),
    disabled: record.disabled === true,
    commented: comments.length > 0,
    // The server writes the SOA itself as the zone changes.
    ...(set.type === 'SOA' ? { readOnly: true } : {}),
    ...(ours === undefined ? {} : { mark: ours }),
  }));
}

const isListed = (record: LiveRecord): record is PowerDnsRecord => 'content' in record;

/**
 * One RRset of a PATCH. Comments belong to the whole set and are deleted with it, so ours goes only onto a set of one
 * record that has none; a set that is changed keeps what it has because `comments` is not sent.
 */
export function renderEdit(
  { name, type, ttl, before, after }: RrsetEdit,
  disabled: readonly PowerDnsRecord[],
): Loose {
  const head = { name: `${name}.`, type };
  const hidden = disabled.filter((record) => record.name === name && typeOf(record.data) === type);
  if (after.length + hidden.length === 0) return { ...head, changetype: 'DELETE' };
  const [only] = after;
  const free = before.every((record) => !isListed(record) || !record.commented || record.mark !== undefined);
  const mark = after.length === 1 && hidden.length === 0 && free ? only?.mark : undefined;
  return {
    ...head,
    ttl,
    changetype: 'REPLACE',
    records: [...after, ...hidden].map((record) => ({
      content: isListed(record) ? record.content : formatData(record.data),
      disabled: isListed(record) && record.disabled,
    })),
    ...(mark === undefined ? {} : { comments: [{ content: mark, account: 'smtp-setup' }] }),
  };
}
