import { isIPv4, isIPv6 } from 'node:net';
import { domainToASCII } from 'node:url';
import { apiErrors } from './api-error.js';
import { proxiableTypes, type RecordData, type RecordFields } from './stored-record.js';
import { normaliseTxtContent } from './txt-content.js';

type Body = Readonly<Record<string, unknown>>;

export interface InputRules {
  zone: string;
  /** 100 on Free zones, 500 on paid ones. */
  maxComment: number;
}

const opaqueTypes = new Set('CERT DNSKEY DS HTTPS LOC NAPTR OPENPGPKEY SMIMEA SSHFP SVCB URI'.split(' '));
const hostTypes = new Set(['CNAME', 'NS', 'PTR']);
const dataTypes = new Set(['SRV', 'CAA', 'TLSA']);
const knownFields = new Set(
  'id type name content ttl proxied comment tags priority data settings private_routing'.split(' '),
);

/**
 * The record that a request body describes, checked and normalised as the API does it.
 * https://developers.cloudflare.com/api/resources/dns/subresources/records/methods/create/
 * Unlike the real API it refuses fields that no documentation names: a misspelt field must not pass a test.
 */
export function readRecordFields(body: Body, rules: InputRules): RecordFields {
  const unknown = Object.keys(body).find((key) => !knownFields.has(key));
  if (unknown !== undefined) throw apiErrors.validation(9999, `Unknown field ${unknown}.`);
  const type = readType(body);
  const name = readName(body.name, rules.zone);
  const proxied = readProxied(body, type);
  const ttl = readTtl(body.ttl, proxied);
  const comment = readComment(body.comment, rules.maxComment);
  return { type, name, ttl, proxied, comment, tags: readTags(body.tags), ...readContent(body, type) };
}

function readType(body: Body): string {
  const type = body.type;
  const known =
    typeof type === 'string' &&
    (proxiableTypes.has(type) ||
      hostTypes.has(type) ||
      dataTypes.has(type) ||
      opaqueTypes.has(type) ||
      type === 'MX' ||
      type === 'TXT');
  if (!known) throw apiErrors.validation(9003, 'DNS record type is invalid.');
  return type;
}

function readName(value: unknown, zone: string): string {
  const invalid = () => apiErrors.validation(9000, 'DNS name is invalid.');
  if (typeof value !== 'string' || value === '') throw invalid();
  const plain = value.replace(/\.$/, '').toLowerCase();
  const ascii = /^[\x21-\x7e]+$/.test(plain) ? plain : domainToASCII(plain);
  const full =
    ascii === '@' || ascii === zone ? zone : ascii.endsWith(`.${zone}`) ? ascii : `${ascii}.${zone}`;
  if (full.length > 253 || !full.split('.').every((label) => /^(\*|[a-z0-9_-]{1,63})$/.test(label))) {
    throw invalid();
  }
  return full;
}

function readProxied(body: Body, type: string): boolean {
  const value = body.proxied;
  if (value === undefined || value === false) return false;
  if (value !== true) throw apiErrors.validation(9003, "Invalid 'proxied' value, must be a boolean.");
  if (!proxiableTypes.has(type)) throw apiErrors.validation(9004, 'This record type cannot be proxied.');
  return true;
}

function readTtl(value: unknown, proxied: boolean): number {
  // The schema asks for a TTL; the API has taken its absence for "automatic" in every version seen.
  const ttl = value === undefined ? 1 : value;
  const fits = typeof ttl === 'number' && Number.isInteger(ttl) && (ttl === 1 || (ttl >= 60 && ttl <= 86400));
  if (!fits) {
    throw apiErrors.validation(9021, 'TTL must be between 60 and 86400 seconds, or 1 for Automatic.');
  }
  return proxied ? 1 : ttl;
}

/** https://developers.cloudflare.com/dns/manage-dns-records/reference/record-attributes/ */
function readComment(value: unknown, max: number): string | null {
  if (value === undefined || value === null || value === '') return null;
  if (typeof value !== 'string' || /[\r\n]/.test(value)) {
    throw apiErrors.validation(9300, 'Comment is invalid.');
  }
  if ([...value].length > max) {
    throw apiErrors.validation(9300, `DNS record comment must be ${max} characters or less.`);
  }
  return value;
}

function readTags(value: unknown): readonly string[] {
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return [];
  throw apiErrors.validation(9302, 'Tags are not available on this plan.');
}

type Content = Pick<RecordFields, 'content' | 'priority' | 'data'>;

function readContent(body: Body, type: string): Content {
  if (dataTypes.has(type)) return readStructured(body.data, type);
  const content = body.content;
  if (typeof content !== 'string' || content.trim() === '') {
    throw apiErrors.content(9005, `Content for ${type} record is required.`);
  }
  if (type === 'A') {
    if (!isIPv4(content)) throw apiErrors.content(9005, 'Content for A record must be a valid IPv4 address.');
    return { content };
  }
  if (type === 'AAAA') {
    if (!isIPv6(content))
      throw apiErrors.content(9006, 'Content for AAAA record must be a valid IPv6 address.');
    return { content: new URL(`http://[${content}]`).hostname.slice(1, -1) };
  }
  if (type === 'TXT') return { content: normaliseTxtContent(content) };
  if (type === 'MX') {
    const priority = readNumber(body.priority, 65535);
    if (priority === undefined) {
      throw apiErrors.validation(9008, 'Invalid priority, priority must be set and be between 0 and 65535');
    }
    return { content: readHost(content, type), priority };
  }
  return { content: hostTypes.has(type) ? readHost(content, type) : content };
}

function readHost(value: unknown, type: string): string {
  if ((type === 'MX' || type === 'SRV') && value === '.') return '.';
  const host = typeof value === 'string' ? domainToASCII(value.replace(/\.$/, '').toLowerCase()) : '';
  const valid =
    host !== '' && host.length <= 253 && host.split('.').every((label) => /^[a-z0-9_-]{1,63}$/.test(label));
  if (!valid || isIPv4(host)) {
    throw apiErrors.content(9007, `Content for ${type} record must be a valid host name.`);
  }
  return host;
}

function readNumber(value: unknown, max: number): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max
    ? value
    : undefined;
}

function readStructured(value: unknown, type: string): Content {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw apiErrors.validation(9101, `data is a required field for ${type} records.`);
  }
  const data = value as Body;
  const number = (field: string, max: number): number => {
    const read = readNumber(data[field], max);
    if (read === undefined) throw apiErrors.validation(9101, `${field} is a required data field.`);
    return read;
  };
  const text = (field: string, pattern: RegExp): string => {
    const read = data[field];
    if (typeof read !== 'string' || !pattern.test(read)) {
      throw apiErrors.validation(9101, `${field} is a required data field.`);
    }
    return read;
  };
  const build = (fields: RecordData, content: string, priority?: number): Content => {
    const extra = Object.keys(data).find((key) => !(key in fields));
    if (extra !== undefined) throw apiErrors.validation(9999, `Unknown field data.${extra}.`);
    return { content, data: fields, ...(priority === undefined ? {} : { priority }) };
  };
  if (type === 'SRV') {
    const [priority, weight, port] = [
      number('priority', 65535),
      number('weight', 65535),
      number('port', 65535),
    ];
    const target = readHost(data.target, 'SRV');
    return build({ priority, weight, port, target }, `${weight} ${port} ${target}`, priority);
  }
  if (type === 'CAA') {
    const [flags, tag] = [number('flags', 255), text('tag', /^[a-z0-9]+$/)];
    const content = text('value', /^[\x20\x21\x23-\x7e]*$/);
    return build({ flags, tag, value: content }, `${flags} ${tag} "${content}"`);
  }
  const [usage, selector, matching] = [
    number('usage', 255),
    number('selector', 255),
    number('matching_type', 255),
  ];
  const certificate = text('certificate', /^([0-9a-fA-F]{2})+$/).toLowerCase();
  return build(
    { usage, selector, matching_type: matching, certificate },
    `${usage} ${selector} ${matching} ${certificate}`,
  );
}
