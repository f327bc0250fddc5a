import { applicableRecord, type DmarcRecord, organizationalDomain } from '../../dns/dmarc.js';
import { isUnknown } from '../../dns/resolver/types.js';
import type { Verdict } from '../check.js';
import { type DnsCheck, type DnsContext, textsOf } from './context.js';
import { type DmarcStep, walkDmarc } from './facts.js';
import { fail, info, pass, setRecord, unknown, warn } from './verdict.js';

const group = 'DMARC';

export function wantedDmarc(ctx: DnsContext) {
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
  const [alias] = own.answer.chain;
  if (alias?.data.type === 'CNAME' && alias.name === own.answer.name)
    return [
      fail(own.answer, `${own.answer.name} is an alias, and what it leads to has no DMARC record.`, {
        observed: `CNAME ${alias.data.target}`,
        expected: showWanted(ctx),
        fix: {
          text: `Have the owner of ${alias.data.target} publish the record there, or remove the CNAME and add a TXT record.`,
        },
      }),
    ];
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
