import { formatData } from '../../dns/canonical.js';
import type { DnsRecord } from '../../dns/record.js';
import {
  type Answer,
  isRecordData,
  isUnknown,
  type QueryType,
  type ResolvedRecord,
} from '../../dns/resolver/types.js';
import type { Status, Verdict } from '../check.js';

export type Details = Partial<Omit<Verdict, 'status' | 'message' | 'name' | 'type'>>;

/** What was asked; an answer carries who said it. */
export type Asked = Answer | { name: string; type: QueryType };

function verdict(status: Status, asked: Asked, message: string, details: Details = {}): Verdict {
  const { name, type } = asked;
  const level = 'level' in asked ? { level: asked.level } : {};
  const observed = 'status' in asked ? { observed: describeAnswer(asked) } : {};
  return { status, name, type, subject: `${name} ${type}`, message, ...level, ...observed, ...details };
}

export const pass = (asked: Asked, message: string, details?: Details) =>
  verdict('pass', asked, message, details);
export const fail = (asked: Asked, message: string, details?: Details) =>
  verdict('fail', asked, message, details);
export const warn = (asked: Asked, message: string, details?: Details) =>
  verdict('warn', asked, message, details);
export const info = (asked: Asked, message: string, details?: Details) =>
  verdict('info', asked, message, details);

/** SERVFAIL, refusal and silence: nothing is known, so nothing is called absent (and nothing passes). */
export function unknown(answer: Answer, details?: Details): Verdict {
  return verdict('unknown', answer, `The lookup failed: ${answer.detail ?? answer.status}.`, {
    fix: {
      text: 'Ask again later, through another resolver (--resolver IP) or from another network; if it stays, look at the name servers of the zone.',
    },
    ...details,
  });
}

/** Verdicts for the answers that say nothing; empty when all can be judged. */
export function unknowns(...answers: readonly Answer[]): Verdict[] {
  return answers.filter((answer) => isUnknown(answer.status)).map((answer) => unknown(answer));
}

const mostShown = 6;

/** What stands there, for people: values in zone-file form, or why there is none. */
export function describeAnswer(answer: Answer): string {
  switch (answer.status) {
    case 'ok':
      return describeRecords(answer.records);
    case 'nodata':
      return 'no such record';
    case 'nxdomain':
      return 'the name does not exist';
    default:
      return `no answer (${answer.detail ?? answer.status})`;
  }
}

export function describeRecords(records: readonly ResolvedRecord[]): string {
  const shown = records.slice(0, mostShown).map(({ data }) => (isRecordData(data) ? show(data) : data.type));
  const more = records.length - shown.length;
  return more > 0 ? `${shown.join(', ')}, … (${more} more)` : shown.join(', ');
}

/** One value; TXT without the zone file's quotes, as people compare it. */
export function show(data: DnsRecord['data']): string {
  const text = data.type === 'TXT' ? data.text : formatData(data);
  return text.length > 500 ? `${text.slice(0, 500)}…` : text;
}

/** Fix that sets one record. `action` says what to do with what stands there. */
export function setRecord(
  record: DnsRecord,
  action: 'Add' | 'Change' | 'Replace',
): { text: string; record: DnsRecord } {
  const { name, ttl, data } = record;
  const type = data.type === 'OTHER' ? data.rrtype : data.type;
  const prefix = data.type === 'TXT' ? /^v=[A-Za-z0-9]+/.exec(data.text)?.[0] : undefined;
  // Other people's TXT at the same name (site verifications) must survive whoever follows this advice.
  const replace =
    prefix === undefined
      ? `Leave only this ${type} record at ${name}.`
      : `At ${name}, put this record in the place of every TXT record that begins with ${prefix}; leave the others alone.`;
  const text = {
    Add: `Add this ${type} record at ${name}.`,
    Change: `Change the ${type} record at ${name} to this one.`,
    Replace: replace,
  }[action];
  return { text, record: { name, ttl, data } };
}
