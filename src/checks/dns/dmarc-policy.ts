import { type DmarcPolicy, type DmarcRecord, effectivePolicy, parseDmarc } from '../../dns/dmarc.js';
import { isUnknown } from '../../dns/resolver/types.js';
import type { Verdict } from '../check.js';
import type { DnsCheck, DnsContext } from './context.js';
import { findDmarc, wantedDmarc } from './dmarc-record.js';
import { type DmarcStep, readDkim, readSpf } from './facts.js';
import { fail, info, pass, setRecord, unknown, warn } from './verdict.js';

const group = 'DMARC';
const strength: Readonly<Record<DmarcPolicy, number>> = { none: 0, quarantine: 1, reject: 2 };
const patienceMs = 30 * 24 * 3600 * 1000;

export const dmarcPolicyCheck: DnsCheck = {
  id: 'DMARC-P',
  group,
  severity: 'fail',
  title: 'The policy asks receivers to act on forged mail',
  ref: 'RFC 9989 section 4.7',
  needs: [],
  async run(ctx) {
    const found = await findDmarc(ctx);
    if (!found) return [];
    const { step, record } = found;
    const inherited = step.domain !== ctx.target.domain;
    const policy = inherited ? (record.sp ?? record.p) : record.p;
    const effective = effectivePolicy(record, policy);
    const observed = record.text;
    const weaker = inherited ? undefined : judgeAgainstPlan(ctx, record, step);
    if (weaker) return [weaker];
    if (record.effect === 'ignored')
      return [
        fail(step.answer, 'The record has no valid p=, sp= or np= and no rua=: receivers ignore it.', {
          observed,
          expected: 'p=none, p=quarantine or p=reject',
          fix: { text: 'Add p=none (or a stricter policy) right after v=DMARC1.' },
        }),
      ];
    if (policy === undefined || record.effect === 'none')
      return [
        warn(step.answer, 'The policy is missing or invalid; receivers take it as p=none.', {
          observed,
          fix: { text: 'Write p=none, p=quarantine or p=reject right after v=DMARC1.' },
        }),
      ];
    if (record.testing && policy !== 'none')
      return [
        warn(step.answer, `t=y: the policy is only tested and counts as p=${effective}.`, {
          observed,
          fix: { text: 'Remove t=y once the reports look right.' },
        }),
      ];
    if (policy === 'none') return [judgeNone(ctx, step, observed)];
    return [pass(step.answer, `The policy is ${policy}.`, { observed })];
  },
};

/**
 * In the first weeks p=none is right: one watches the reports. A plan that says none is the user's will, until it is known
 * to have stood for longer.
 */
function judgeNone(ctx: DnsContext, step: DmarcStep, observed: string): Verdict {
  const text = 'When the reports show that all of your mail passes, change p=none to p=quarantine.';
  const message = 'p=none only watches: forged mail is delivered.';
  const since = ctx.target.dmarcSince;
  const young = since !== undefined && ctx.deps.now() - since < patienceMs;
  const data = wantedDmarc(ctx)?.data;
  const planned = data?.type === 'TXT' && parseDmarc(data.text)?.p === 'none';
  return young || (planned && since === undefined)
    ? info(step.answer, message, { observed, fix: { text } })
    : warn(step.answer, message, { observed, expected: 'p=quarantine or p=reject', fix: { text } });
}

function judgeAgainstPlan(ctx: DnsContext, record: DmarcRecord, step: DmarcStep): Verdict | undefined {
  const wanted = wantedDmarc(ctx);
  const planned = wanted?.data.type === 'TXT' ? parseDmarc(wanted.data.text) : undefined;
  if (!wanted || !planned) return undefined;
  const stronger = effectivePolicy(planned);
  const live = effectivePolicy(record);
  if (strength[live] >= strength[stronger]) return undefined;
  return fail(step.answer, `The published policy (${live}) is weaker than the planned one (${stronger}).`, {
    observed: record.text,
    expected: planned.text,
    fix: setRecord(wanted, 'Replace'),
  });
}

export const dmarcSubCheck: DnsCheck = {
  id: 'DMARC-SUB',
  group,
  severity: 'warn',
  title: 'Subdomains are protected like the domain',
  ref: 'RFC 9989 section 4.7',
  needs: [],
  async run(ctx) {
    const found = await findDmarc(ctx);
    if (!found?.record.p) return [];
    const { step, record } = found;
    const { p, sp, np } = record;
    if (p === undefined) return [];
    const observed = record.text;
    const weaker = [
      sp && strength[sp] < strength[p] ? `sp=${sp}` : '',
      np && strength[np] < strength[sp ?? p] ? `np=${np}` : '',
    ].filter((one) => one !== '');
    if (weaker.length > 0)
      return [
        warn(step.answer, `Weaker than p=${p}: ${weaker.join(', ')}. Forgers then use subdomains.`, {
          observed,
          fix: { text: `Remove ${weaker.join(' and ')} from the record.` },
        }),
      ];
    const host = ctx.target.host;
    if (record.aspf === 's' && host !== undefined && host !== ctx.target.domain)
      return [
        info(step.answer, 'aspf=s: bounces from the host name do not align; DKIM must carry them.', {
          observed,
        }),
      ];
    return [pass(step.answer, 'No weaker policy below the domain.', { observed })];
  },
};

export const dmarcAlignCheck: DnsCheck = {
  id: 'DMARC-ALIGN',
  group,
  severity: 'fail',
  title: 'SPF or DKIM of the domain itself can make DMARC pass',
  ref: 'RFC 9989 section 4.4',
  needs: [],
  async run(ctx) {
    const found = await findDmarc(ctx);
    if (!found) return [];
    const { step } = found;
    const [spf, dkim] = await Promise.all([readSpf(ctx), readDkim(ctx)]);
    const signs = dkim.filter(({ key }) => key?.usable);
    const sends =
      spf.record?.mechanisms.some((term) => term.name !== 'all' && term.qualifier === '+') ||
      spf.record?.redirect !== undefined;
    const means = [
      ...(sends ? ['SPF of the domain'] : []),
      ...signs.map(({ selector }) => `DKIM key ${selector}`),
    ];
    if (means.length > 0)
      return [pass(step.answer, 'Mail of the domain can align.', { observed: means.join(', ') })];
    if (isUnknown(spf.answer.status)) return [unknown(spf.answer)];
    // A domain that sends nothing wants to fail; missing parts of a planned one have their own checks.
    const parked = spf.record?.mechanisms.length === 1 && spf.record.mechanisms[0]?.name === 'all';
    if (parked || ctx.target.expected.length > 0) return [];
    const guessing = dkim.length === 0 && ctx.target.selectors.length === 0;
    return guessing
      ? [
          info(
            step.answer,
            'No SPF term and no DKIM key at the usual selectors: unless a key stands elsewhere, DMARC cannot pass.',
          ),
        ]
      : [
          fail(step.answer, 'Neither SPF nor DKIM can align with the domain: all of its mail fails DMARC.', {
            fix: { text: 'Publish an SPF record or a DKIM key of the domain itself.' },
          }),
        ];
  },
};
