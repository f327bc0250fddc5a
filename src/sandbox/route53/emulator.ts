import type { RawAnswer, RawRequest } from '../cloudflare/emulator.js';
import { createMemoryBackend, type ZoneBackend } from '../cloudflare/zone-backend.js';
import { type HostedSet, HostedZone, InvalidBatch, type SetChange } from './hosted-zone.js';
import { isSignedWith, readKeyId } from './signature.js';

export interface Route53Options {
  /** Where records become visible; in memory when absent. */
  backend?: ZoneBackend;
  keys: readonly { id: string; secret: string; readOnly?: boolean }[];
  /** Of every hosted zone. */
  nameServers?: readonly string[];
}

const awsNameServers = [
  'ns-1.awsdns-00.com',
  'ns-513.awsdns-00.net',
  'ns-1025.awsdns-00.org',
  'ns-1537.awsdns-00.co.uk',
];

class AwsError extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

const version = '/2013-04-01';
const namespace = 'https://route53.amazonaws.com/doc/2013-04-01/';

/** Hosted zones of an account: https://docs.aws.amazon.com/Route53/latest/APIReference/API_Operations_Amazon_Route_53.html */
export class Route53Emulator {
  private readonly options: Required<Route53Options>;
  private readonly zones: HostedZone[] = [];

  constructor(options: Route53Options) {
    this.options = { backend: createMemoryBackend(), nameServers: awsNameServers, ...options };
  }

  addZone(name: string, isPrivate = false): HostedZone {
    const id = `Z0000000000000${this.zones.length}`;
    const zone = new HostedZone(id, `${name}.`, this.options.backend, isPrivate);
    this.zones.push(zone);
    return zone;
  }

  async answer(request: RawRequest): Promise<RawAnswer> {
    try {
      this.authenticate(request);
      return xml(200, await this.dispatch(request, new URL(request.url, 'http://emulator')));
    } catch (error) {
      if (error instanceof InvalidBatch) {
        const messages = error.messages.map((text) => tag('Message', toEntities(text))).join('');
        return xml(
          400,
          `<InvalidChangeBatch xmlns="${namespace}"><Messages>${messages}</Messages></InvalidChangeBatch>`,
        );
      }
      const { status, code, message } =
        error instanceof AwsError ? error : new AwsError(500, 'InternalFailure', 'internal failure');
      const body = `<Error><Type>Sender</Type>${tag('Code', code)}${tag('Message', toEntities(message))}</Error>`;
      return xml(
        status,
        `<ErrorResponse xmlns="${namespace}">${body}<RequestId>1</RequestId></ErrorResponse>`,
      );
    }
  }

  private authenticate(request: RawRequest): void {
    const id = readKeyId(request);
    if (id === undefined)
      throw new AwsError(403, 'MissingAuthenticationToken', 'Missing Authentication Token');
    const key = this.options.keys.find((known) => known.id === id);
    if (!key)
      throw new AwsError(
        403,
        'InvalidClientTokenId',
        'The security token included in the request is invalid.',
      );
    if (!isSignedWith(request, key.secret)) {
      throw new AwsError(403, 'SignatureDoesNotMatch', 'The request signature we calculated does not match.');
    }
    if (key.readOnly && request.method !== 'GET') {
      throw new AwsError(
        403,
        'AccessDenied',
        'User is not authorized to perform: route53:ChangeResourceRecordSets',
      );
    }
  }

  private async dispatch(request: RawRequest, { pathname, searchParams }: URL): Promise<string> {
    const { method } = request;
    const path = pathname.startsWith(`${version}/`) ? pathname.slice(version.length) : '';
    if (path === '/hostedzonesbyname' && method === 'GET') return this.listZones(searchParams);
    const [, id, sets] = /^\/hostedzone\/([A-Z0-9]+)(\/rrset\/?)?$/.exec(path) ?? [];
    if (id === undefined) throw new AwsError(404, 'UnknownOperationException', pathname);
    const zone = this.zones.find((candidate) => candidate.id === id);
    if (!zone) throw new AwsError(404, 'NoSuchHostedZone', `No hosted zone found with ID: ${id}`);
    if (sets === undefined && method === 'GET') return renderHostedZone(zone, this.options.nameServers);
    if (sets !== undefined && method === 'GET') return listSets(zone, searchParams);
    if (sets !== undefined && method === 'POST') return changeSets(zone, request.body.toString('utf8'));
    throw new AwsError(405, 'MethodNotAllowed', method);
  }

  private listZones(query: URLSearchParams): string {
    requireKnown(query, ['dnsname', 'hostedzoneid', 'maxitems']);
    const most = readCount(query, 100);
    const from = query.get('dnsname');
    const order = (name: string): string => name.split('.').reverse().join('.');
    const found = [...this.zones]
      .sort((a, b) => (order(a.name) < order(b.name) ? -1 : 1))
      .filter(({ name }) => from === null || order(name) >= order(from));
    const zones = found.slice(0, most).map(renderZone).join('');
    const truncated = tag('IsTruncated', String(found.length > most));
    return `<ListHostedZonesByNameResponse xmlns="${namespace}"><HostedZones>${zones}</HostedZones>${truncated}<MaxItems>${most}</MaxItems></ListHostedZonesByNameResponse>`;
  }
}

function listSets(zone: HostedZone, query: URLSearchParams): string {
  requireKnown(query, ['name', 'type', 'identifier', 'maxitems']);
  const most = readCount(query, 300);
  const all = zone.list();
  const [name, type] = [query.get('name'), query.get('type')];
  const order = (set: { name: string; type: string }): string =>
    `${set.name.split('.').reverse().join('.')} ${set.type}`;
  const start = name === null ? 0 : all.findIndex((set) => order(set) >= order({ name, type: type ?? '' }));
  const page = all.slice(start < 0 ? all.length : start);
  const next = page[most];
  const more = next ? tag('NextRecordName', toEntities(next.name)) + tag('NextRecordType', next.type) : '';
  const sets = page.slice(0, most).map(renderSet).join('');
  return `<ListResourceRecordSetsResponse xmlns="${namespace}"><ResourceRecordSets>${sets}</ResourceRecordSets>${tag('IsTruncated', String(next !== undefined))}${more}<MaxItems>${most}</MaxItems></ListResourceRecordSetsResponse>`;
}

/** Of a request: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html */
function checkLimits(changes: readonly SetChange[]): void {
  // What an UPSERT replaces counts, too.
  const values = changes.flatMap(({ action, set }) =>
    action === 'UPSERT' ? [...set.values, ...set.values] : set.values,
  );
  if (values.length > 1000) throw new InvalidBatch(['Number of records limit of 1000 exceeded.']);
  if (values.reduce((sum, value) => sum + value.length, 0) > 32_000)
    throw new InvalidBatch(['Request data limit of 32000 characters exceeded.']);
}

async function changeSets(zone: HostedZone, body: string): Promise<string> {
  if (!body.includes(`<ChangeResourceRecordSetsRequest xmlns="${namespace}">`)) {
    throw new AwsError(400, 'InvalidInput', 'Invalid XML: another root element or namespace');
  }
  const changes = [...body.matchAll(/<Change>([\s\S]*?)<\/Change>/g)].map(([, change]) =>
    readChange(change ?? ''),
  );
  if (changes.length === 0) throw new AwsError(400, 'InvalidInput', 'Invalid XML: no Change');
  checkLimits(changes);
  await zone.change(changes);
  const info = `<Id>/change/C1</Id><Status>PENDING</Status><SubmittedAt>2026-11-24T00:00:00.000Z</SubmittedAt>`;
  return `<ChangeResourceRecordSetsResponse xmlns="${namespace}"><ChangeInfo>${info}</ChangeInfo></ChangeResourceRecordSetsResponse>`;
}

function readChange(change: string): SetChange {
  const read = (name: string): string => {
    const found = new RegExp(`<${name}>([^<]*)</${name}>`).exec(change)?.[1];
    if (found === undefined) throw new AwsError(400, 'InvalidInput', `Invalid XML: ${name} is missing`);
    return readEntities(found);
  };
  const values = [...change.matchAll(/<Value>([^<]*)<\/Value>/g)].map(([, value]) =>
    readEntities(value ?? ''),
  );
  const name = read('Name').toLowerCase().replace(/^\*/, '\\052');
  const set: HostedSet = {
    name: name.endsWith('.') ? name : `${name}.`,
    type: read('Type'),
    ttl: Number(read('TTL')),
    values,
  };
  return { action: read('Action'), set };
}

function requireKnown(query: URLSearchParams, known: readonly string[]): void {
  const unknown = [...query.keys()].find((key) => !known.includes(key));
  if (unknown !== undefined) throw new AwsError(400, 'InvalidInput', `unknown parameter ${unknown}`);
}

function readCount(query: URLSearchParams, most: number): number {
  const text = query.get('maxitems') ?? String(most);
  if (!/^[1-9]\d{0,3}$/.test(text) || Number(text) > most)
    throw new AwsError(400, 'InvalidInput', 'maxitems is out of range');
  return Number(text);
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const toEntities = (text: string): string => text.replace(/[&<>"]/g, (c) => entities[c] ?? c);
const readEntities = (text: string): string =>
  text
    .replaceAll('&quot;', '"')
    .replaceAll('&apos;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replace(/&#x([0-9A-Fa-f]+);/g, (_all, hex) => String.fromCodePoint(Number.parseInt(hex, 16)))
    .replaceAll('&amp;', '&');
const tag = (name: string, inside: string): string => `<${name}>${inside}</${name}>`;

function renderZone({ id, name, isPrivate }: HostedZone): string {
  const config = tag('Config', tag('PrivateZone', String(isPrivate)));
  return tag(
    'HostedZone',
    `<Id>/hostedzone/${id}</Id>${tag('Name', name)}<CallerReference>r</CallerReference>${config}`,
  );
}

function renderHostedZone(zone: HostedZone, servers: readonly string[]): string {
  const set = tag(
    'DelegationSet',
    tag('NameServers', servers.map((server) => tag('NameServer', server)).join('')),
  );
  return `<GetHostedZoneResponse xmlns="${namespace}">${renderZone(zone)}${set}</GetHostedZoneResponse>`;
}

function renderSet({ name, type, ttl, values, alias }: HostedSet): string {
  const head = tag('Name', toEntities(name)) + tag('Type', type);
  if (alias !== undefined) {
    const target = `<HostedZoneId>Z2</HostedZoneId>${tag('DNSName', alias)}<EvaluateTargetHealth>false</EvaluateTargetHealth>`;
    return tag('ResourceRecordSet', head + tag('AliasTarget', target));
  }
  const records = values.map((value) => tag('ResourceRecord', tag('Value', toEntities(value)))).join('');
  return tag('ResourceRecordSet', head + tag('TTL', String(ttl)) + tag('ResourceRecords', records));
}

function xml(status: number, body: string): RawAnswer {
  return {
    status,
    headers: { 'content-type': 'text/xml' },
    body: `<?xml version="1.0" encoding="UTF-8"?>\n${body}`,
  };
}
