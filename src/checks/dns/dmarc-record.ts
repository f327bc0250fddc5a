import {
  applicableRecord,
  type DmarcPolicy,
  type DmarcRecord,
  effectivePolicy,
  organizationalDomain,
  parseDmarc,
} from '../../dns/dmarc.js';
import { isUnknown } from '../../dns/resolver/types.js';
import type { Verdict } from '../check.js';
import { type DnsCheck, type DnsContext, textsOf } from './context.js';
import { type DmarcStep, readDkim, readSpf, walkDmarc } from './facts.js';
import { fail, info, pass, setRecord, unknown, warn } from './verdict.js';

const group = 'DMARC';
const strength: Readonly<Record<DmarcPolicy, number>> = { none: 0, quarantine: 1, reject: 2 };
const patienceMs = 30 * 24 * 3600 * 1000;

function wantedDmarc(ctx: DnsContext) {
  return ctx.expected('dmarc').find((record) => record.name === `_dmarc.${ctx.target.domain}`);
}

/** The record that receivers apply to the domain, and where it stands. */
export async function findDmarc(
  ctx: DnsContext,
): Promise<{ step: DmarcStep; record: DmarcRecord } | undefined> {
  const steps = await walkDmarc(ctx);
  const found = applicableRecord(steps);
  const step = steps.find((one) => one.domain === found?.domain);
  return step?.record ? { step, record: step.record } : undefined;
}

export const dmarcOneCheck: DnsCheck = {
  id: 'DMARC-ONE',
  group,
  severity: 'fail',
  title: 'One DMARC record applies to the domain',
  ref: 'RFC 9989 section 4.10',
  needs: [],
  async run(ctx) {
    const steps = await walkDmarc(ctx);
    const [own] = steps;
    if (!own) return [];
    const wanted = wantedDmarc(ctx);
    if (own.count > 1)
      return [
        fail(own.answer, `${own.count} DMARC records stand at one name; receivers then use none of them.`, {
          expected: 'one record',
          fix: wanted
            ? setRecord(wanted, 'Replace')
            : { text: `Leave one TXT record at ${own.answer.name}.` },
        }),
      ];
    const found = await findDmarc(ctx);
    if (!found) return missing(ctx, steps);
    const { step } = found;
    if (step === own) return [pass(own.answer, 'One record.'), ...strays(own)];
    if (isUnknown(own.answer.status)) return [unknown(own.answer)];
    if (wanted)
      return [
        fail(
          own.answer,
          `The domain’s own DMARC record is missing; that of ${step.domain} applies instead.`,
          { expected: showWanted(ctx), fix: setRecord(wanted, 'Add') },
        ),
      ];
    return [
      pass(
        step.answer,
        `The record of ${step.domain} applies (organizational domain ${organizationalDomain(steps)}).`,
      ),
    ];
  },
};

function showWanted(ctx: DnsContext): string {
  const data = wantedDmarc(ctx)?.data;
  return data?.type === 'TXT' ? data.text : 'v=DMARC1; p=…';
}

function missing(ctx: DnsContext, steps: readonly DmarcStep[]): Verdict[] {
  const [own] = steps;
  const lost = steps.find((step) => isUnknown(step.answer.status));
  if (lost) return [unknown(lost.answer)];
  if (!own) return [];
  const wanted = wantedDmarc(ctx);
  const mangled = textsOf(own.answer).find((text) => /v\s*=\s*DMARC/i.test(text));
  const fix = wanted
    ? setRecord(wanted, mangled === undefined ? 'Add' : 'Replace')
    : {
        text: `Add a TXT record at ${own.answer.name}, for example: v=DMARC1; p=none; rua=mailto:postmaster@${ctx.target.domain}`,
      };
  return [
    fail(
      own.answer,
      mangled === undefined
        ? 'The domain has no DMARC record.'
        : 'The record at this name does not begin with "v=DMARC1", so nobody reads it as DMARC.',
      {
        expected: showWanted(ctx),
        fix,
      },
    ),
  ];
}

function strays(own: DmarcStep): Verdict[] {
  const others = textsOf(own.answer).filter((text) => text !== own.record?.text);
  if (others.length === 0) return [];
  return [
    warn(own.answer, 'Other TXT records stand beside the DMARC record.', {
      observed: others.join(' | ').slice(0, 300),
      fix: { text: `Remove every other TXT record at ${own.answer.name}.` },
    }),
  ];
}

export const dmarcSyntaxCheck: DnsCheck = {
  id: 'DMARC-SYNTAX',
  group,
  severity: 'fail',
  title: 'The DMARC record has no errors',
  ref: 'RFC 9989 section 4.7',
  needs: [],
  async run(ctx) {
    const found = await findDmarc(ctx);
    if (!found) return [];
    const { step, record } = found;
    const errors = record.problems.filter((problem) => problem.kind === 'syntax');
    const unknownTags = record.problems.filter((problem) => problem.kind === 'unknown');
    const wanted = step.domain === ctx.target.domain ? wantedDmarc(ctx) : undefined;
    if (errors.length > 0)
      return [
        fail(step.answer, `${errors.map((problem) => problem.message).join('; ')}.`, {
          observed: record.text,
          fix: wanted
            ? setRecord(wanted, 'Replace')
            : { text: `Correct: ${errors.map((problem) => problem.tag || 'the record').join(', ')}` },
        }),
      ];
    if (unknownTags.length > 0)
      return [
        info(step.answer, `${unknownTags.map((problem) => problem.message).join('; ')}.`, {
          observed: record.text,
        }),
      ];
    return [pass(step.answer, 'No errors.', { observed: record.text })];
  },
};

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

/** In the first weeks p=none is right: one watches the reports. A plan that says none is the user's will. */
function judgeNone(ctx: DnsContext, step: DmarcStep, observed: string): Verdict {
  const text = 'When the reports show that all of your mail passes, change p=none to p=quarantine.';
  const message = 'p=none only watches: forged mail is delivered.';
  const since = ctx.target.dmarcSince;
  const young = since !== undefined && ctx.deps.now() - since < patienceMs;
  const data = wantedDmarc(ctx)?.data;
  const planned = data?.type === 'TXT' && parseDmarc(data.text)?.p === 'none';
  return young || planned
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

export const dmarcOldCheck: DnsCheck = {
  id: 'DMARC-OLD',
  group,
  severity: 'info',
  title: 'No tags of the old DMARC',
  ref: 'RFC 9989 appendix C',
  needs: [],
  async run(ctx) {
    const found = await findDmarc(ctx);
    if (!found) return [];
    const { step, record } = found;
    const tags = record.problems
      .filter((problem) => problem.kind === 'removed')
      .map((problem) => problem.tag);
    if ([...record.rua, ...record.ruf].some((uri) => uri.obsoleteSize !== undefined))
      tags.push('the size limit after "!"');
    if (tags.length === 0) return [pass(step.answer, 'Only current tags.', { observed: record.text })];
    return [
      info(
        step.answer,
        `Removed from the standard in 2026: ${tags.join(', ')}. New receivers ignore them, old ones may obey.`,
        {
          observed: record.text,
          fix: { text: `Remove ${tags.join(', ')} from the record.` },
        },
      ),
    ];
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
