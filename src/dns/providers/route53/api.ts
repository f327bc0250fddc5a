import type { ListResourceRecordSetsCommandInput } from '@aws-sdk/client-route-53';
import { Exit, SetupError } from '../../../errors.js';
import { sanitizeLine } from '../../../lib/sanitize.js';
import { ancestorsWithin, canonicalName } from '../../canonical.js';
import type { LiveRecord } from '../../record.js';
import { asObject, asText } from '../http-api.js';
import type { ProviderContext, Zone } from '../provider.js';
import { cancelled, retryRead } from '../retry.js';
import { parseRetryAfter } from '../retry-after.js';
import type { WriteFailure } from '../write-changes.js';
import type { OpenClient } from './open-client.js';
import { readName, readRecordSet } from './record-codec.js';

const mostPages = 500;
const tokenErrors =
  /^(AccessDenied|AccessDeniedException|InvalidClientTokenId|UnrecognizedClientException|SignatureDoesNotMatch|ExpiredToken|ExpiredTokenException|InvalidSignatureException|MissingAuthenticationToken|IncompleteSignature)$/;
const busyErrors =
  /^(Throttling|ThrottlingException|PriorRequestNotComplete|ServiceUnavailable|RequestTimeout)$/;
/** How an InvalidChangeBatch says that the zone is not as it was read. */
const conflicts = /but it was not found|but the values provided do not match|but it already exists/;

/** Hosted zones and record sets of https://docs.aws.amazon.com/Route53/latest/APIReference/ */
export class Route53Api {
  readonly context: ProviderContext;
  private readonly open: OpenClient;
  private readonly tokenFix: readonly string[];

  constructor(open: OpenClient, context: ProviderContext, tokenFix: readonly string[]) {
    this.open = open;
    this.context = context;
    this.tokenFix = tokenFix;
  }

  async verify(): Promise<{ detail: string }> {
    const { client, sdk } = this.open;
    const { HostedZones = [] } = await this.read('list the hosted zones', () =>
      client.send(new sdk.ListHostedZonesByNameCommand({ MaxItems: 100 })),
    );
    return {
      detail: `reaches ${HostedZones.length}${HostedZones.length === 100 ? ' or more' : ''} hosted zones`,
    };
  }

  /** R1. Several zones may have one name; a private one is not what the world sees. */
  async findZone(name: string): Promise<Zone | null> {
    const { client, sdk } = this.open;
    const wantedId = this.context.credentials.hostedZoneId;
    for (const candidate of ancestorsWithin(canonicalName(name), '')) {
      const { HostedZones = [] } = await this.read(`look up the hosted zone ${candidate}`, () =>
        client.send(new sdk.ListHostedZonesByNameCommand({ DNSName: `${candidate}.`, MaxItems: 100 })),
      );
      const found = HostedZones.filter((zone) => readName(zone.Name ?? '') === candidate)
        .filter((zone) => zone.Config?.PrivateZone !== true)
        .map((zone) => (zone.Id ?? '').replace(/^\/hostedzone\//, ''))
        .filter((id) => !wantedId || id === wantedId);
      const [id] = found;
      if (found.length > 1) throw ambiguous(candidate, found);
      if (id !== undefined) return this.readZone(id, candidate);
    }
    return null;
  }

  private async readZone(id: string, name: string): Promise<Zone> {
    const { client, sdk } = this.open;
    const { DelegationSet } = await this.read(`read the hosted zone ${name}`, () =>
      client.send(new sdk.GetHostedZoneCommand({ Id: id })),
    );
    const servers = (DelegationSet?.NameServers ?? []).map(canonicalName);
    return { id, name, nameServers: servers, state: 'active' };
  }

  /** Each page names where the next begins, so a set that goes meanwhile cannot hide another. */
  async list(zone: Zone): Promise<LiveRecord[]> {
    const { client, sdk } = this.open;
    const records: LiveRecord[] = [];
    let next: Partial<ListResourceRecordSetsCommandInput> = {};
    for (let page = 0; page < mostPages; page++) {
      const input = { HostedZoneId: zone.id, MaxItems: 300, ...next };
      const answer = await this.read(`list the records of ${zone.name}`, () =>
        client.send(new sdk.ListResourceRecordSetsCommand(input)),
      );
      records.push(...(answer.ResourceRecordSets ?? []).flatMap(readRecordSet));
      if (answer.IsTruncated !== true) return records;
      next = {
        StartRecordName: answer.NextRecordName,
        StartRecordType: answer.NextRecordType,
        ...(answer.NextRecordIdentifier ? { StartRecordIdentifier: answer.NextRecordIdentifier } : {}),
      };
    }
    throw new SetupError({
      code: 'E_DNS_LIST_INCOMPLETE',
      exit: Exit.failed,
      what: `The records of ${zone.name} could not be read completely, so nothing was decided on them.`,
      evidence: [`more than ${mostPages} pages`],
    });
  }

  /** One transaction. It is not waited for until all servers have it: whoever needs that asks the servers themselves. */
  async change(zone: Zone, changes: readonly RecordSetChange[]): Promise<void> {
    const { client, sdk } = this.open;
    const batch = { Changes: [...changes], Comment: 'smtp-setup' };
    await client.send(new sdk.ChangeResourceRecordSetsCommand({ HostedZoneId: zone.id, ChangeBatch: batch }));
  }

  classify(error: unknown): WriteFailure {
    if (this.context.signal.aborted) throw cancelled(error);
    if (error instanceof SetupError) throw error;
    const { name, $metadata, $response, message, cause } = asObject(error) as ErrorShape;
    const status = $response?.statusCode ?? $metadata?.httpStatusCode;
    const said = sanitizeLine(message ?? '', 500);
    if (status === undefined) {
      const root = cause instanceof Error ? cause.message : said;
      return { kind: 'transient', text: `no answer from Route 53 (${sanitizeLine(root, 200)})` };
    }
    const text = `HTTP ${status}: ${name ?? ''} ${said}`;
    if (tokenErrors.test(name ?? '') || status === 401 || status === 403) return { kind: 'token', text };
    const retryAfter = parseRetryAfter($response?.headers?.['retry-after'], Date.now());
    if (busyErrors.test(name ?? '') || status === 429 || status >= 500) {
      return { kind: 'transient', text, ...(retryAfter === undefined ? {} : { retryAfter }) };
    }
    return { kind: conflicts.test(said) ? 'conflict' : 'refused', text };
  }

  private async read<T>(doing: string, run: () => Promise<T>): Promise<T> {
    try {
      return await retryRead(this.context, run, (error) => {
        const failure = this.classify(error);
        return failure.kind === 'transient' ? { ...failure, reason: `Route 53: ${failure.text}` } : undefined;
      });
    } catch (error) {
      const { kind, text } = this.classify(error);
      const refused = kind === 'token';
      throw new SetupError({
        code: refused ? 'E_DNS_TOKEN' : kind === 'transient' ? 'E_DNS_UNREACHABLE' : 'E_DNS_API',
        exit: refused ? Exit.usage : Exit.failed,
        what: refused
          ? `Route 53 did not accept the credentials: it could not ${doing}.`
          : `Route 53 could not ${doing}.`,
        evidence: [text],
        fix: refused ? this.tokenFix : ['Check the connection and the endpoint, then run the command again.'],
        cause: error,
      });
    }
  }
}

interface ErrorShape {
  name?: string;
  message?: string;
  cause?: unknown;
  $metadata?: { httpStatusCode?: number };
  $response?: { statusCode?: number; headers?: Readonly<Record<string, string>> };
}

export interface RecordSetChange {
  Action: 'CREATE' | 'DELETE';
  ResourceRecordSet: {
    Name: string;
    Type: 'A' | 'AAAA' | 'CNAME' | 'NS' | 'PTR' | 'MX' | 'TXT' | 'SRV' | 'CAA' | 'TLSA';
    TTL: number;
    ResourceRecords: { Value: string }[];
  };
}

function ambiguous(name: string, ids: readonly string[]): SetupError {
  return new SetupError({
    code: 'E_DNS_ZONES',
    exit: Exit.usage,
    what: `Route 53 has several public hosted zones of the name ${name}.`,
    evidence: ids.map((id) => asText(id)),
    fix: ['Name the one that the domain is delegated to, in AWS_HOSTED_ZONE_ID.'],
  });
}
