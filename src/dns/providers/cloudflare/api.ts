import { Exit, SetupError } from '../../../errors.js';
import { sanitizeLine } from '../../../lib/sanitize.js';
import { ancestorsWithin, canonicalName, isWithin } from '../../canonical.js';
import type { ProviderContext, Zone } from '../provider.js';
import { cancelled, retryRead } from '../retry.js';
import { asTransient, failWith, readFailure } from './api-failure.js';
import type { CloudflareClient } from './open-client.js';
import { type CloudflareRecord, readId, readRecord } from './record-codec.js';

/** A free zone holds at most this many records, so one page shows it in one moment. */
const perPage = 1000;
const mostPages = 200;

type Loose = Readonly<Record<string, unknown>>;
const asObject = (value: unknown): Loose =>
  typeof value === 'object' && value !== null ? (value as Loose) : {};

interface Listing {
  items: readonly unknown[];
  /** How many there are in all pages, if the API said so. */
  total?: number;
  /** How many pages there are, if the API said so. */
  pages?: number;
}

/** Reads of the API, complete and repeated when they fail in passing; every failure leaves as a SetupError. */
export class CloudflareApi {
  readonly client: CloudflareClient;
  readonly context: ProviderContext;

  constructor(client: CloudflareClient, context: ProviderContext) {
    this.client = client;
    this.context = context;
  }

  /** Runs a read; `doing` completes "Cloudflare could not …". */
  async read<T>(doing: string, run: () => Promise<T>): Promise<T> {
    try {
      return await retryRead(this.context, run, (error) => {
        if (this.context.signal.aborted) return undefined;
        return asTransient(readFailure(error));
      });
    } catch (error) {
      if (this.context.signal.aborted) throw cancelled(error);
      throw error instanceof SetupError ? error : failWith(readFailure(error), doing, error);
    }
  }

  /** Options of one request. A signal of its own, because the SDK never takes its listeners off again. */
  get options(): { signal: AbortSignal } {
    return { signal: AbortSignal.any([this.context.signal]) };
  }

  /** How many zones the token reaches. */
  async countZones(): Promise<number> {
    const page = await this.read('list the zones', () =>
      this.client.zones.list({ page: 1, per_page: 5 }, this.options),
    );
    return readListing(page).total ?? page.result.length;
  }

  /**
   * R1: asks for each suffix of `name`, the longest first; not the public suffix list, delegated sub-zones exist. Nobody
   * has a top-level domain there.
   */
  async findZone(name: string): Promise<Zone | null> {
    const full = canonicalName(name);
    for (const candidate of ancestorsWithin(full, '').filter((suffix) => suffix.includes('.'))) {
      const page = await this.read(`look up the zone ${candidate}`, () =>
        this.client.zones.list({ name: candidate }, this.options),
      );
      const zones = readListing(page).items.flatMap((item) => readZone(item) ?? []);
      const matching = zones.filter((zone) => zone.name === candidate);
      const best = matching.find((zone) => zone.state === 'active') ?? matching[0];
      if (best) return best;
    }
    return null;
  }

  /** Every record of the zone. Starts again when the zone changed between two pages. */
  async listRecords(zone: Zone): Promise<CloudflareRecord[]> {
    for (let round = 0; round < 3; round++) {
      const records = await this.listOnce(zone);
      if (records) return records;
      this.context.log(`the zone ${zone.name} changed while it was read; reading it again`);
    }
    throw new SetupError({
      code: 'E_DNS_LIST_INCOMPLETE',
      exit: Exit.failed,
      what: `The records of ${zone.name} could not be read completely, so nothing was decided on them.`,
      evidence: ['The number of records differed from what the API announced, three times.'],
      fix: ['Run the command again when nobody else is changing the zone.'],
    });
  }

  private async listOnce(zone: Zone): Promise<CloudflareRecord[] | undefined> {
    const records = new Map<string, CloudflareRecord>();
    let seen = 0;
    let announced: number | undefined;
    for (let page = 1; page <= mostPages; page++) {
      const { items, total, pages } = readListing(
        await this.read(`list the records of ${zone.name}`, () =>
          this.client.dns.records.list({ zone_id: zone.id, page, per_page: perPage }, this.options),
        ),
      );
      const known = records.size;
      for (const item of items) {
        const record = readRecord(item);
        if (!record) return undefined;
        if (!isWithin(record.name, zone.name)) throw strangeName(record.name, zone.name);
        records.set(record.id, record);
      }
      seen += items.length;
      // A record that went between two pages moves the next one over the edge, unseen.
      if (page > 1 && total !== announced) return undefined;
      announced = total;
      if (total !== undefined) {
        if (seen < total && items.length > 0) continue;
        return records.size === total ? [...records.values()] : undefined;
      }
      // Without a count the end is the last page that was announced, else one that brings nothing new.
      if (pages === undefined ? records.size === known : page >= pages) return [...records.values()];
    }
    return undefined;
  }
}

/** Names are absolute in this API; taken for others, records would be written that are there already. */
function strangeName(name: string, zone: string): SetupError {
  return new SetupError({
    code: 'E_DNS_API',
    exit: Exit.failed,
    what: `The records of ${zone} cannot be read: one of them has a name that is not in the zone.`,
    evidence: [sanitizeLine(name, 120)],
    fix: ['Report it: what answers is not the Cloudflare API, or has changed.'],
  });
}

function readListing(page: unknown): Listing {
  const { result, result_info: info } = asObject(page);
  const { total_count: total, total_pages: pages } = asObject(info);
  const items = Array.isArray(result) ? result : [];
  // Several pages, and no more records than are on this one: it counts the page, and would hide the others.
  const countsPage = isCount(pages) && pages > 1 && total === items.length;
  return {
    items,
    ...(isCount(total) && !countsPage ? { total } : {}),
    ...(isCount(pages) ? { pages } : {}),
  };
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function readZone(value: unknown): Zone | undefined {
  const zone = asObject(value);
  const id = readId(zone.id);
  if (id === '' || typeof zone.name !== 'string') return undefined;
  const custom = readNames(zone.vanity_name_servers);
  return {
    id,
    name: canonicalName(zone.name),
    nameServers: readNames(zone.name_servers),
    ...(custom.length === 0 ? {} : { customNameServers: custom }),
    ...readState(zone),
  };
}

function readNames(value: unknown): string[] {
  const names: readonly unknown[] = Array.isArray(value) ? value : [];
  return names
    .filter((name) => typeof name === 'string' && name !== '')
    .map((name) => canonicalName(String(name)));
}

/** Only `active` full zones serve what is written; a paused one serves it too, without the proxy. */
function readState({ status, type, paused }: Loose): Pick<Zone, 'state' | 'note'> {
  if (type === 'partial') {
    return {
      state: 'unknown',
      note: 'The zone is a partial (CNAME) setup: its records are served by another provider.',
    };
  }
  if (type === 'secondary') {
    return { state: 'unknown', note: 'The zone is a secondary one: its records come from another server.' };
  }
  if (status === 'moved') {
    return {
      state: 'unknown',
      note: 'The domain no longer points to the name servers of this zone (moved).',
    };
  }
  if (typeof status === 'string' && status.toLowerCase() !== 'active') {
    return {
      state: 'pending',
      note: 'The zone is pending: the domain does not point to its name servers yet.',
    };
  }
  if (paused !== true) return { state: 'active' };
  return {
    state: 'active',
    note: 'The zone is paused: records are served, proxied ones with their own address.',
  };
}
