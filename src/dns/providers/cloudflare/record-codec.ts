import type { RecordBatchParams } from 'cloudflare/resources/dns/records';
import { canonicalRecord } from '../../canonical.js';
import type { LiveRecord, RecordData } from '../../record.js';
import { parseTxt, quoteTxt } from '../../txt.js';
import { readPresentation } from '../presentation.js';
import type { WantedRecord } from '../provider.js';

/** A record with what only Cloudflare knows about it. */
export interface CloudflareRecord extends LiveRecord {
  id: string;
  /** The comment as it stands, ours or the user's; `mark` has it only when it is ours. */
  comment: string;
}

export type PostBody = NonNullable<RecordBatchParams['posts']>[number];

/** Seconds that a TTL of 1 ("automatic") means in answers. */
const automaticTtl = 300;
export const markPrefix = 'smtp-setup/';
/** Longest comment on a Free zone. */
export const maxComment = 100;

const structured = new Set(['SRV', 'CAA', 'TLSA']);

type Loose = Readonly<Record<string, unknown>>;
const asObject = (value: unknown): Loose =>
  typeof value === 'object' && value !== null ? (value as Loose) : {};
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
/** Some stand-ins for the API write numbers as text. */
const numberOf = (value: unknown): number =>
  typeof value === 'number' ? value : /^\d{1,10}$/.test(textOf(value)) ? Number(value) : 0;

/** An id is opaque; '' when there is none. */
export const readId = (value: unknown): string => (typeof value === 'number' ? String(value) : textOf(value));

/** A record of an answer; undefined when it has no name, type or id, which no record lacks. */
export function readRecord(value: unknown): CloudflareRecord | undefined {
  const record = asObject(value);
  const [id, name, type] = [readId(record.id), textOf(record.name), textOf(record.type).toUpperCase()];
  if (id === '' || name === '' || type === '') return undefined;
  const comment = textOf(record.comment);
  // Automatic is what a record without a TTL gets.
  const ttl = numberOf(record.ttl) || 1;
  return canonicalRecord({
    id,
    name,
    comment,
    ttl: ttl === 1 ? automaticTtl : ttl,
    ...(ttl === 1 ? { autoTtl: true } : {}),
    data: readData(type, record),
    ...(comment.startsWith(markPrefix) ? { mark: comment } : {}),
    ...(asObject(record.meta).read_only === true ? { readOnly: true } : {}),
    ...(record.proxied === true ? { proxied: true } : {}),
  });
}

function readData(type: string, record: Loose): RecordData {
  const content = textOf(record.content);
  const data = asObject(record.data);
  if (structured.has(type) && Object.keys(data).length === 0) {
    // The API documents `content` beside `data`; in that of SRV the priority stands by itself.
    const whole = type === 'SRV' ? `${numberOf(record.priority)} ${content}` : content;
    return readPresentation({ name: textOf(record.name), ttl: 1, type, content: whole }).data;
  }
  switch (type) {
    case 'A':
    case 'AAAA':
      return { type, address: content };
    case 'CNAME':
    case 'NS':
    case 'PTR':
      return { type, target: content };
    case 'MX':
      return { type, preference: numberOf(record.priority), exchange: content };
    case 'TXT':
      return { type, text: parseTxt(content) };
    case 'SRV':
      return {
        type,
        priority: numberOf(data.priority),
        weight: numberOf(data.weight),
        port: numberOf(data.port),
        target: textOf(data.target),
      };
    case 'CAA':
      return { type, flags: numberOf(data.flags), tag: textOf(data.tag), value: textOf(data.value) };
    case 'TLSA':
      return {
        type,
        usage: numberOf(data.usage),
        selector: numberOf(data.selector),
        matchingType: numberOf(data.matching_type),
        data: textOf(data.certificate),
      };
    default:
      return { type: 'OTHER', rrtype: type, text: content };
  }
}

/** The root as Cloudflare writes it (null MX, "service not offered"). */
const hostOf = (name: string): string => (name === '' ? '.' : name);

/**
 * A record as a request body, comment aside. Addresses and aliases are not proxied unless an undo gives that back: the
 * proxy speaks HTTP only, and a proxied mail host is unreachable for mail (R11). Throws for types that Cloudflare's API
 * does not offer.
 */
export function renderBody({ name, ttl, data, proxied = false, autoTtl }: WantedRecord): PostBody {
  const common = { name, ttl: autoTtl === true ? 1 : ttl };
  switch (data.type) {
    case 'A':
    case 'AAAA':
      return { ...common, type: data.type, content: data.address, proxied };
    case 'CNAME':
      return { ...common, type: data.type, content: data.target, proxied };
    case 'NS':
    case 'PTR':
      return { ...common, type: data.type, content: data.target };
    case 'MX':
      return { ...common, type: data.type, content: hostOf(data.exchange), priority: data.preference };
    case 'TXT':
      return { ...common, type: data.type, content: quoteTxt(data.text) };
    case 'SRV': {
      const { priority, weight, port, target } = data;
      return { ...common, type: data.type, data: { priority, weight, port, target: hostOf(target) } };
    }
    case 'CAA':
      return { ...common, type: data.type, data: { flags: data.flags, tag: data.tag, value: data.value } };
    case 'TLSA':
      return {
        ...common,
        type: data.type,
        data: {
          usage: data.usage,
          selector: data.selector,
          matching_type: data.matchingType,
          certificate: data.data,
        },
      };
    case 'OTHER':
      throw new TypeError(`records of type ${data.rrtype} are not written`);
  }
}
