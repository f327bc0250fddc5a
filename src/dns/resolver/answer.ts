import { isWithin } from '../canonical.js';
import type { WireReply } from './decode.js';
import type { Answer, AnswerStatus, QueryType, ResolvedRecord, Soa } from './types.js';
import type { WireFailure } from './wire.js';

const longestChain = 12;

/** A label of 1–63 bytes each, 253 in all, without control characters: what may be asked for. */
export function isAskable(name: string): boolean {
  if (name === '') return true;
  if (name.length > 253 || !/^[ -~]+$/.test(name)) return false;
  return name.split('.').every((label) => label.length >= 1 && label.length <= 63);
}

type Source = Pick<Answer, 'via' | 'level'>;

/** What a reply says about name and type. CNAMEs inside the reply are followed, in bounded steps. */
export function toAnswer(
  name: string,
  type: QueryType,
  reply: WireReply | WireFailure,
  source: Source,
): Answer {
  const empty = { name, type, records: [], chain: [], ad: false, ...source };
  if (!reply.ok) {
    const status = reply.reason === 'malformed' ? 'servfail' : 'timeout';
    return { ...empty, status, detail: reply.detail };
  }
  const chain: ResolvedRecord[] = [];
  let owner = name;
  while (type !== 'CNAME' && chain.length < longestChain) {
    const link = reply.answers.find((record) => record.name === owner && record.data.type === 'CNAME');
    if (link?.data.type !== 'CNAME') break;
    chain.push(link);
    owner = link.data.target;
  }
  const records = reply.answers.filter((record) => record.name === owner && record.data.type === type);
  const status = statusOf(reply.rcode, records.length);
  const soa = readSoa(reply, owner);
  return {
    ...empty,
    status,
    records: status === 'ok' ? records : [],
    chain,
    ad: reply.authenticData,
    ...(soa && { soa }),
    ...(isError(status) && { detail: rcodeText(reply.rcode) }),
  };
}

/** The zone that a negative answer, or the SOA record itself, comes from. */
function readSoa(reply: WireReply, owner: string): Soa | undefined {
  for (const record of [...reply.authority, ...reply.answers]) {
    if (record.data.type !== 'SOA' || !isWithin(owner, record.name)) continue;
    const { mname, serial, minimum } = record.data;
    return { zone: record.name, mname, serial, negativeTtl: Math.min(record.ttl, minimum) };
  }
  return undefined;
}

function statusOf(rcode: number, records: number): AnswerStatus {
  if (rcode === 0) return records > 0 ? 'ok' : 'nodata';
  if (rcode === 3) return 'nxdomain';
  return rcode === 5 ? 'refused' : 'servfail';
}

function isError(status: AnswerStatus): boolean {
  return status === 'servfail' || status === 'refused';
}

const rcodes: Readonly<Record<number, string>> = {
  1: 'FORMERR',
  2: 'SERVFAIL',
  4: 'NOTIMP',
  5: 'REFUSED',
  9: 'NOTAUTH',
  16: 'BADVERS',
};

function rcodeText(rcode: number): string {
  return `the server answered ${rcodes[rcode] ?? `error ${rcode}`}`;
}

/** The answer to a name that DNS cannot hold: nobody is asked, nothing exists. */
export function unaskable(name: string, type: QueryType, source: Source): Answer {
  return {
    name,
    type,
    status: 'nxdomain',
    records: [],
    chain: [],
    ad: false,
    ...source,
    detail: 'not a valid domain name',
  };
}
