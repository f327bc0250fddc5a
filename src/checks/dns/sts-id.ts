import { parseStsRecord } from '../../dns/parse/mta-sts.js';
import { mtaStsId } from '../../dns/records/mta-sts.js';
import { isUnknown } from '../../dns/resolver/types.js';
import type { DnsCheck } from './context.js';
import { type PolicyFacts, readPolicy, readRecord, wantedRecord } from './sts-facts.js';
import { pass, setRecord, warn } from './verdict.js';

/**
 * Senders fetch a policy again only when the id changes, so a policy that changed without it is one that nobody sees. Our
 * ids are hashes of the policy; what other people's ids stand for cannot be told.
 */
export const stsIdCheck: DnsCheck = {
  id: 'STS-ID',
  group: 'MTA-STS',
  severity: 'warn',
  title: 'The record’s id belongs to the policy that is served',
  ref: 'RFC 8461 section 3.1',
  needs: ['expected'],
  async run(ctx) {
    const wanted = wantedRecord(ctx);
    const [{ answer, texts }, policy] = await Promise.all([readRecord(ctx), readPolicy(ctx)]);
    const live = parseStsRecord(texts[0] ?? '');
    const planned = parseStsRecord(wanted?.data.type === 'TXT' ? wanted.data.text : '');
    if (!wanted || texts.length !== 1 || !live.ok || !planned.ok) return [];
    const served = servedId(policy);
    // That it differs from the plan, if it does, is said by RECORD.
    if (served === live.id) return [pass(answer, 'The id is that of the policy that is served.')];
    if (served !== undefined && served !== planned.id)
      return [
        warn(answer, 'The policy that is served is not the one of this id: senders keep the old one.', {
          expected: `a policy with the hash ${live.id}`,
          observed: `a policy with the hash ${served}`,
          fix: { text: 'Run smtp-setup apply: it writes the planned policy, and an id that belongs to it.' },
        }),
      ];
    if (live.id !== planned.id)
      return [
        warn(answer, 'The id is not that of the planned policy: senders keep what they fetched before.', {
          expected: `id=${planned.id}`,
          fix: setRecord(wanted, 'Change'),
        }),
      ];
    // A policy that is served wrongly, or nowhere, is STS-POLICY's business.
    if (!isUnseen(policy)) return [];
    const message = 'The id is the planned one; whether its policy is served could not be seen from here.';
    return [{ ...pass(answer, message), status: 'unknown' }];
  },
};

/** Undefined when the policy was not seen. */
function servedId(policy: PolicyFacts): string | undefined {
  if (policy.kind !== 'fetched' || policy.text === undefined) return undefined;
  // Some servers rewrite the ends of lines; to senders that is the same policy.
  return mtaStsId(policy.text.replace(/\r\n/g, '\n'));
}

function isUnseen(policy: PolicyFacts): boolean {
  switch (policy.kind) {
    case 'none':
      return false;
    case 'refused':
      return true;
    case 'lookup':
      return isUnknown(policy.answer.status);
    case 'fetched':
      return !policy.response.ok && ['timeout', 'network'].includes(policy.response.reason);
  }
}
