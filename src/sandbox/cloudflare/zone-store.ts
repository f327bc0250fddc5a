import { randomBytes } from 'node:crypto';
import { apiErrors } from './api-error.js';
import { readRecordFields } from './record-input.js';
import { publishName, type RecordFields, type StoredRecord } from './stored-record.js';
import type { ZoneBackend } from './zone-backend.js';

export interface ZoneSettings {
  name: string;
  id?: string;
  nameServers?: readonly string[];
  vanityNameServers?: readonly string[] | null;
  status?: 'active' | 'pending' | 'initializing' | 'moved';
  type?: 'full' | 'partial' | 'secondary';
  paused?: boolean;
  /** Most records in the zone; unlimited when absent. */
  quota?: number;
}

export type Body = Readonly<Record<string, unknown>>;
export type WriteOperation =
  | { kind: 'delete'; id: string }
  | { kind: 'patch' | 'put'; id: string; body: Body }
  | { kind: 'post'; body: Body };

export interface StoreOptions {
  backend: ZoneBackend;
  now: () => Date;
  proxyAddresses: readonly string[];
  maxComment: number;
}

const makeId = (): string => randomBytes(16).toString('hex');

/** One zone with its records; every write is a transaction over the records and the backend. */
export class ZoneStore {
  readonly id: string;
  readonly settings: ZoneSettings;
  readonly createdOn: string;
  private readonly options: StoreOptions;
  private records: ReadonlyMap<string, StoredRecord> = new Map();
  private tail: Promise<unknown> = Promise.resolve();

  constructor(settings: ZoneSettings, options: StoreOptions) {
    this.settings = settings;
    this.options = options;
    this.id = settings.id ?? makeId();
    this.createdOn = options.now().toISOString();
  }

  get name(): string {
    return this.settings.name;
  }

  list(): StoredRecord[] {
    return [...this.records.values()];
  }

  get(id: string): StoredRecord {
    const record = this.records.get(id);
    if (!record) throw apiErrors.noRecord();
    return record;
  }

  /** All operations or none, in the order given; resolves to what each one left (or removed). */
  write(operations: readonly WriteOperation[]): Promise<StoredRecord[]> {
    return this.transact((draft) => operations.map((operation) => this.perform(draft, operation)));
  }

  /** A record as another user, or Cloudflare itself (`meta.read_only`), would have made it. */
  async seed(body: Body, meta: Readonly<Record<string, boolean>> = {}): Promise<StoredRecord> {
    const [seeded] = await this.transact((draft) => [this.insert(draft, this.read(body), meta)]);
    return seeded as StoredRecord;
  }

  /** Several seeds in one transaction. */
  seedAll(bodies: readonly Body[]): Promise<StoredRecord[]> {
    return this.transact((draft) => bodies.map((body) => this.insert(draft, this.read(body), {})));
  }

  /** Removes everything, Cloudflare's own records too. */
  async clear(): Promise<void> {
    await this.transact((draft) => {
      draft.clear();
      return [];
    });
  }

  private async transact(
    change: (draft: Map<string, StoredRecord>) => StoredRecord[],
  ): Promise<StoredRecord[]> {
    const run = this.tail.then(async () => {
      const draft = new Map(this.records);
      const result = change(draft);
      await this.publish(draft);
      this.records = draft;
      return result;
    });
    this.tail = run.catch(() => undefined);
    return run;
  }

  private async publish(draft: ReadonlyMap<string, StoredRecord>): Promise<void> {
    const before = this.view(this.records);
    const after = this.view(draft);
    const remove = [...before].filter(([key]) => !after.has(key)).map(([, record]) => record);
    const add = [...after].filter(([key]) => !before.has(key)).map(([, record]) => record);
    if (remove.length + add.length > 0) await this.options.backend.update(this.name, { add, remove });
  }

  private view(records: ReadonlyMap<string, StoredRecord>) {
    const published = [...groupByName(records.values()).values()].flatMap((group) =>
      publishName(group, this.options.proxyAddresses),
    );
    return new Map(published.map((r) => [`${r.name} ${r.ttl} ${r.type} ${r.rdata}`, r] as const));
  }

  private read(body: Body): RecordFields {
    return readRecordFields(body, { zone: this.name, maxComment: this.options.maxComment });
  }

  private perform(draft: Map<string, StoredRecord>, operation: WriteOperation): StoredRecord {
    if (operation.kind === 'post') return this.insert(draft, this.read(operation.body), {});
    const current = draft.get(operation.id);
    if (!current) throw apiErrors.noRecord();
    if (current.meta.read_only) throw apiErrors.readOnly();
    if (operation.kind === 'delete') {
      draft.delete(current.id);
      return current;
    }
    const body = operation.kind === 'put' ? operation.body : { ...settable(current), ...operation.body };
    const fields = this.read(body);
    const next: StoredRecord = { ...current, ...fields, modifiedOn: this.options.now().toISOString() };
    checkConflicts(draft, next);
    draft.set(next.id, next);
    return next;
  }

  private insert(
    draft: Map<string, StoredRecord>,
    fields: RecordFields,
    meta: StoredRecord['meta'],
  ): StoredRecord {
    const at = this.options.now().toISOString();
    const record: StoredRecord = { ...fields, id: makeId(), createdOn: at, modifiedOn: at, meta };
    checkConflicts(draft, record);
    if (draft.size >= (this.settings.quota ?? Number.POSITIVE_INFINITY)) throw apiErrors.quota();
    draft.set(record.id, record);
    return record;
  }
}

function groupByName(records: Iterable<StoredRecord>): Map<string, StoredRecord[]> {
  const names = new Map<string, StoredRecord[]>();
  for (const record of records) {
    const group = names.get(record.name);
    if (group) group.push(record);
    else names.set(record.name, [record]);
  }
  return names;
}

/** The current record as a request body, so that PATCH can lay its fields over it. */
function settable(record: StoredRecord): Body {
  const { name, type, ttl, proxied, comment, tags, content, priority, data } = record;
  const common = { name, type, ttl, proxied, comment, tags };
  if (data) return { ...common, data };
  return { ...common, content, ...(priority === undefined ? {} : { priority }) };
}

const addressTypes = new Set(['A', 'AAAA', 'CNAME']);

/** https://developers.cloudflare.com/dns/manage-dns-records/troubleshooting/records-with-same-name/ */
function checkConflicts(draft: ReadonlyMap<string, StoredRecord>, next: StoredRecord): void {
  for (const other of draft.values()) {
    if (other.id === next.id || other.name !== next.name) continue;
    const identical =
      other.type === next.type && other.content === next.content && other.priority === next.priority;
    if (identical) throw apiErrors.identical();
    if (next.type === 'CNAME' && addressTypes.has(other.type)) throw apiErrors.hostTaken();
    if (other.type === 'CNAME' && addressTypes.has(next.type)) throw apiErrors.cnameTaken();
  }
  if (next.type === 'TXT') checkTxtSum(draft, next);
}

/** https://developers.cloudflare.com/dns/manage-dns-records/reference/dns-record-types/#txt: 8,192 characters for one name. */
function checkTxtSum(draft: ReadonlyMap<string, StoredRecord>, next: StoredRecord): void {
  const others = [...draft.values()].filter(
    ({ id, name, type }) => id !== next.id && name === next.name && type === 'TXT',
  );
  const sum = [...others, next].reduce((total, { content }) => total + content.length, 0);
  if (sum > 8192)
    throw apiErrors.content(9005, 'Content of all TXT records of a name must be 8192 characters or less.');
}
