import { isUnknown } from '../../dns/resolver/types.js';
import { evaluateSpf, type SpfResult } from '../../dns/spf/index.js';
import type { Verdict } from '../check.js';
import type { DnsCheck, DnsContext } from './context.js';
import { readSpf, type SpfFacts } from './facts.js';
import { spfLookup } from './spf-limits.js';
import { fail, pass, setRecord, unknown, warn } from './verdict.js';

/** SPF for each address that sends: once for the domain (MAIL FROM), once for the host (HELO, as in bounces). */
export const spfPassCheck: DnsCheck = {
  id: 'SPF-PASS',
  group: 'SPF',
  severity: 'fail',
  title: 'Mail from the server passes SPF',
  ref: 'RFC 7208 sections 2.3 and 4',
  needs: ['host'],
  async run(ctx) {
    const { domain, addresses } = ctx.target;
    const host = ctx.target.host ?? '';
    const [own, helo] = await Promise.all([readSpf(ctx), readSpf(ctx, host)]);
    const verdicts = await Promise.all(
      addresses.map(async (ip) => [
        ...(await judgeDomain(ctx, own, ip, host, `user@${domain}`)),
        ...(host === domain ? [] : await judgeHelo(ctx, helo, ip, host)),
      ]),
    );
    return verdicts.flat();
  },
};

async function judgeDomain(
  ctx: DnsContext,
  facts: SpfFacts,
  ip: string,
  host: string,
  sender: string,
): Promise<Verdict[]> {
  // No record, several or a broken one have their own checks.
  if (isUnknown(facts.answer.status))
    return [unknown(facts.answer, { subject: `${ip} for ${ctx.target.domain}` })];
  if (!facts.record) return [];
  const result = await evaluateSpf({ ip, helo: host, sender, lookup: spfLookup(ctx), receiver: 'localhost' });
  const wanted = ctx.expected('spf').find((record) => record.name === ctx.target.domain);
  return [judge(facts, result, `${ip} for ${ctx.target.domain}`, wanted && setRecord(wanted, 'Replace'))];
}

async function judgeHelo(ctx: DnsContext, facts: SpfFacts, ip: string, host: string): Promise<Verdict[]> {
  const subject = `${ip} for HELO ${host}`;
  if (isUnknown(facts.answer.status)) return [unknown(facts.answer, { subject })];
  const wanted = ctx.expected('host-spf').find((record) => record.name === host);
  if (facts.texts.length === 0) {
    const message = `${host} has no SPF record of its own; bounces, which are checked by that name, get no pass.`;
    const details = { subject, observed: 'no SPF record', expected: 'v=spf1 a -all' };
    return wanted
      ? [fail(facts.answer, message, { ...details, fix: setRecord(wanted, 'Add') })]
      : [
          warn(facts.answer, message, {
            ...details,
            fix: { text: `Add a TXT record at ${host}: v=spf1 a -all (a different name than the domain’s).` },
          }),
        ];
  }
  const result = await evaluateSpf({
    ip,
    helo: host,
    sender: '',
    lookup: spfLookup(ctx),
    receiver: 'localhost',
  });
  return [judge(facts, result, subject, wanted && setRecord(wanted, 'Replace'))];
}

function judge(
  facts: SpfFacts,
  result: SpfResult,
  subject: string,
  wanted: ReturnType<typeof setRecord> | undefined,
): Verdict {
  const observed = `${result.result}${result.matched ? ` by "${result.matched.term}"` : ''}${result.problem ? `: ${result.problem}` : ''}`;
  const details = { subject, observed, expected: 'pass' };
  if (result.result === 'pass') return pass(facts.answer, 'SPF gives pass.', details);
  if (result.result === 'temperror')
    return unknown({ ...facts.answer, status: 'servfail', detail: result.problem ?? 'temperror' }, details);
  const [ip = ''] = subject.split(' ');
  return fail(facts.answer, `SPF gives ${result.result}, not pass, for mail from ${ip}.`, {
    ...details,
    fix: wanted ?? {
      text: `Insert ip${ip.includes(':') ? '6' : '4'}:${ip} before "all" in the record at ${facts.answer.name}.`,
    },
  });
}
