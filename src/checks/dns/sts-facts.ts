import { isStsRecord, parseStsPolicy, type StsPolicyParse } from '../../dns/parse/mta-sts.js';
import type { DesiredRecord } from '../../dns/record.js';
import { type Answer, isUnknown } from '../../dns/resolver/types.js';
import type { PinnedResponse } from '../pinned-fetch.js';
import { addressesOf, type DnsContext, textsOf } from './context.js';
import { splitReachable } from './reachable.js';

/** RFC 8461 3.3 suggests a cap; 64 kB is what big senders take. */
export const maxBytes = 65_536;
const timeoutMs = 10_000;

interface StsRecordFacts {
  answer: Answer;
  texts: readonly string[];
}

export function readRecord(ctx: DnsContext): Promise<StsRecordFacts> {
  return ctx.once('sts', async () => {
    const answer = await ctx.ask(`_mta-sts.${ctx.target.domain}`, 'TXT');
    return { answer, texts: textsOf(answer).filter(isStsRecord) };
  });
}

export function wantedRecord(ctx: DnsContext): DesiredRecord | undefined {
  return ctx.expected('mta-sts').find((record) => record.name === `_mta-sts.${ctx.target.domain}`);
}

export type PolicyFacts =
  | { kind: 'none' }
  | { kind: 'lookup'; answer: Answer }
  | { kind: 'refused'; addresses: readonly string[] }
  | { kind: 'fetched'; response: PinnedResponse; parsed?: StsPolicyParse; text?: string };

/** The policy, fetched only where a record invites to it. */
export function readPolicy(ctx: DnsContext): Promise<PolicyFacts> {
  return ctx.once('sts policy', async (): Promise<PolicyFacts> => {
    const host = `mta-sts.${ctx.target.domain}`;
    const [record, v4, v6] = await Promise.all([readRecord(ctx), ctx.ask(host, 'A'), ctx.ask(host, 'AAAA')]);
    const { fetch } = ctx.deps;
    if (record.texts.length !== 1 || !fetch) return { kind: 'none' };
    const addresses = addressesOf(v4, v6);
    if (addresses.length === 0) {
      const alias = v4.chain.at(-1)?.data;
      // Our own host without an address is HOST-A's business.
      const ours = alias?.type === 'CNAME' && alias.target === ctx.target.host && !isUnknown(v4.status);
      return ours ? { kind: 'none' } : { kind: 'lookup', answer: isUnknown(v6.status) ? v6 : v4 };
    }
    const { allowed, refused } = splitReachable(
      addresses,
      ctx.deps.connectPrivate ?? ctx.deps.privateNetwork,
    );
    if (allowed.length === 0) return { kind: 'refused', addresses: refused };
    const url = new URL(`https://${host}/.well-known/mta-sts.txt`);
    const response = await fetch({ url, addresses: allowed.slice(0, 4), maxBytes, timeoutMs });
    if (!response.ok || response.status !== 200 || response.tooLong) return { kind: 'fetched', response };
    return { kind: 'fetched', response, text: response.body, parsed: parseStsPolicy(response.body) };
  });
}
