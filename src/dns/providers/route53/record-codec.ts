import type { ResourceRecordSet } from '@aws-sdk/client-route-53';
import { canonicalName, formatData } from '../../canonical.js';
import type { DnsRecord, LiveRecord, RecordData } from '../../record.js';
import { bytesToText, splitTxt, textToBytes } from '../../txt.js';
import { readPresentation } from '../presentation.js';

/** A member of a set, and the set as the API showed it. */
export interface Route53Record extends LiveRecord {
  value: string;
}

/**
 * https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/ResourceRecordTypes.html#TXTRecordEscaping: escapes in values
 * and names are **octal**, where zone files have decimal ones.
 */
function quoteOctal(bytes: Uint8Array): string {
  let out = '"';
  for (const byte of bytes) {
    if (byte === 0x22) out += '\\"';
    else if (byte >= 0x20 && byte <= 0x7e && byte !== 0x5c) out += String.fromCharCode(byte);
    else out += `\\${byte.toString(8).padStart(3, '0')}`;
  }
  return `${out}"`;
}

function readOctal(quoted: string): number[] {
  return [...quoted.matchAll(/\\([0-3][0-7]{2})|\\([\s\S])|([\s\S])/gu)].flatMap(
    ([, octal, escaped, plain]) =>
      octal === undefined ? [...textToBytes(escaped ?? plain ?? '')] : [Number.parseInt(octal, 8)],
  );
}

function readTxt(value: string): string {
  const strings = [...value.matchAll(/"((?:[^"\\]|\\[\s\S])*)"/g)].map(([, inside]) => inside ?? '');
  return bytesToText(Uint8Array.from((strings.length > 0 ? strings : [value]).flatMap(readOctal)));
}

export function renderValue(data: RecordData): string {
  return data.type === 'TXT' ? splitTxt(data.text).map(quoteOctal).join(' ') : formatData(data);
}

/** `\052.example.org.` is `*.example.org`. */
export function readName(name: string): string {
  return canonicalName(
    name.replace(/\\([0-3][0-7]{2})/g, (_all, octal) => String.fromCharCode(Number.parseInt(octal, 8))),
  );
}

/** Alias and routing-policy sets have no plain form: they are shown, and never touched. */
export function readRecordSet(set: ResourceRecordSet): LiveRecord[] {
  const { Name = '', Type = '', TTL = 0, AliasTarget, SetIdentifier, ResourceRecords = [] } = set;
  const name = readName(Name);
  if (AliasTarget) {
    const text = `ALIAS ${AliasTarget.DNSName ?? ''}`;
    return [{ name, ttl: 60, data: { type: 'OTHER', rrtype: Type, text }, readOnly: true }];
  }
  const readOnly = Type === 'SOA' || SetIdentifier !== undefined;
  return ResourceRecords.map(({ Value = '' }): Route53Record => {
    const record: DnsRecord =
      Type === 'TXT'
        ? { name, ttl: TTL, data: { type: 'TXT', text: readTxt(Value) } }
        : readPresentation({ name, ttl: TTL, type: Type, content: Value });
    return { ...record, value: Value, ...(readOnly ? { readOnly: true } : {}) };
  });
}
