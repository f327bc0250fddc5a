import type { ZoneBackend, ZoneRecord } from '../cloudflare/zone-backend.js';
import { checkRdata, readQuotedStrings } from '../emulator/check-rdata.js';
import { publish } from '../emulator/publish.js';

export interface HostedSet {
  /** With the final dot, in lower case. */
  name: string;
  type: string;
  ttl: number;
  values: readonly string[];
  /** An alias or a set with a routing policy. */
  alias?: string;
}

export interface SetChange {
  action: string;
  set: HostedSet;
}

/** The messages of an InvalidChangeBatch; nothing of the batch is carried out. */
export class InvalidBatch extends Error {
  readonly messages: readonly string[];
  constructor(messages: readonly string[]) {
    super(messages.join(' '));
    this.messages = messages;
  }
}

const types = 'A AAAA CAA CNAME DS HTTPS MX NAPTR NS PTR SOA SPF SRV SSHFP SVCB TLSA TXT'.split(' ');
const keyOf = ({ name, type }: HostedSet): string => `${name} ${type}`;
const reversed = (name: string): string => name.split('.').reverse().join('.');

/** One public hosted zone: https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html */
export class HostedZone {
  readonly id: string;
  readonly name: string;
  readonly isPrivate: boolean;
  private readonly backend: ZoneBackend;
  private sets = new Map<string, HostedSet>();

  constructor(id: string, name: string, backend: ZoneBackend, isPrivate = false) {
    this.id = id;
    this.name = name;
    this.backend = backend;
    this.isPrivate = isPrivate;
  }

  /** In the order of the listing: by labels from the right, then by type. */
  list(): HostedSet[] {
    const order = (set: HostedSet): string => `${reversed(set.name)} ${set.type}`;
    return [...this.sets.values()].sort((a, b) => (order(a) < order(b) ? -1 : 1));
  }

  find(name: string, type: string): HostedSet | undefined {
    return this.sets.get(`${name} ${type}`);
  }

  async change(changes: readonly SetChange[]): Promise<void> {
    const next = new Map(this.sets);
    const problems = changes.flatMap(({ action, set }) => this.carryOut(action, set, next));
    for (const { name } of new Set(changes.map(({ set }) => set))) {
      const there = [...next.values()].filter((set) => set.name === name);
      if (there.length > 1 && there.some(({ type }) => type === 'CNAME')) {
        problems.push(
          `RRSet of type CNAME with DNS name ${name} is not permitted as it conflicts with other records with the same DNS name in zone ${this.name}.`,
        );
      }
    }
    if (problems.length > 0) throw new InvalidBatch([...new Set(problems)]);
    const rows = (sets: Map<string, HostedSet>) => [...sets.values()].flatMap(toRows);
    await publish(this.backend, this.name.replace(/\.$/, ''), rows(this.sets), rows(next));
    this.sets = next;
  }

  private carryOut(action: string, set: HostedSet, next: Map<string, HostedSet>): string[] {
    const shown = `[name='${set.name}', type='${set.type}']`;
    const old = next.get(keyOf(set));
    if (action === 'DELETE') {
      if (!old) return [`Tried to delete resource record set ${shown} but it was not found`];
      const same =
        old.ttl === set.ttl && [...old.values].sort().join('\n') === [...set.values].sort().join('\n');
      if (!same) {
        return [
          `Tried to delete resource record set ${shown} but the values provided do not match the current values`,
        ];
      }
      next.delete(keyOf(set));
      return [];
    }
    if (action !== 'CREATE' && action !== 'UPSERT') return [`Invalid action ${action}`];
    if (action === 'CREATE' && old) {
      return [`Tried to create resource record set ${shown} but it already exists`];
    }
    const problem = this.check(set);
    if (problem !== undefined) return [problem];
    next.set(keyOf(set), set);
    return [];
  }

  private check({ name, type, ttl, values, alias }: HostedSet): string | undefined {
    if (alias !== undefined) return undefined;
    if (name !== this.name && !name.endsWith(`.${this.name}`)) {
      return `RRSet with DNS name ${name} is not permitted in zone ${this.name}`;
    }
    if (!types.includes(type)) return `Invalid type ${type}`;
    if (!Number.isInteger(ttl) || ttl < 0 || ttl > 2_147_483_647) return `Invalid TTL ${ttl}`;
    if (values.length > 400) return 'Resource Record Set has more than 400 values';
    if (new Set(values).size !== values.length) return 'Duplicate Resource Record';
    const bad = values.find((value) => checkValue(type, value) !== undefined);
    return bad === undefined
      ? undefined
      : `Invalid Resource Record: '${checkValue(type, bad)} (Value: ${bad})'`;
  }
}

function checkValue(type: string, value: string): string | undefined {
  if (type !== 'TXT') return checkRdata(type, value);
  const strings = readQuotedStrings(value);
  if (!strings) return 'FATAL problem: InvalidCharacterString (Value should be enclosed in quotation marks)';
  if (/[^ -~]/.test(value)) return 'FATAL problem: a character that is not escaped';
  const long = strings.some((inside) => inside.replace(/\\([0-7]{3}|.)/g, 'x').length > 255);
  if (long) return 'FATAL problem: CharacterStringTooLong (Value is too long)';
  return value.length > 4000 ? 'FATAL problem: TXTRDATATooLong' : undefined;
}

function toRows({ name, type, ttl, values, alias }: HostedSet): ZoneRecord[] {
  if (alias !== undefined || type === 'SOA') return [];
  const plain = name.replace(/\.$/, '').replace(/^\\052/, '*');
  // Octal escapes here, decimal ones in a zone file.
  const decimal = (value: string): string =>
    value.replace(/\\(?:([0-3][0-7]{2})|[\s\S])/g, (all, octal?: string) =>
      octal === undefined ? all : `\\${String(Number.parseInt(octal, 8)).padStart(3, '0')}`,
    );
  return values.map((value) => ({ name: plain, ttl, type, rdata: type === 'TXT' ? decimal(value) : value }));
}
