import { hasMacros, type SpfMechanism } from '../../dns/spf/index.js';
import { toQueryName } from '../../dns/spf/macro.js';
import type { Verdict } from '../check.js';
import type { DnsCheck } from './context.js';
import { readSpf } from './facts.js';
import { fail, info, pass, warn } from './verdict.js';

const group = 'SPF';

export const spfAllCheck: DnsCheck = {
  id: 'SPF-ALL',
  group,
  severity: 'fail',
  title: 'The record ends with ~all or -all',
  ref: 'RFC 7208 sections 5.1 and 6.1',
  needs: [],
  async run(ctx) {
    const { answer, record } = await readSpf(ctx);
    if (!record) return [];
    const observed = record.text;
    const all = record.mechanisms.find((term) => term.name === 'all');
    const expected = '-all or ~all at the end';
    if (!all)
      return record.redirect
        ? [pass(answer, `The policy is that of ${record.redirect.value}.`, { observed })]
        : [
            warn(answer, 'No "all" at the end: mail from anywhere else is neutral.', {
              observed,
              expected,
              fix: { text: 'Add -all (or ~all) at the end of the record.' },
            }),
          ];
    if (all.qualifier === '+')
      return [
        fail(answer, `"${all.raw}" lets the whole Internet send for the domain.`, {
          observed,
          expected,
          fix: { text: `Change "${all.raw}" to -all.` },
        }),
      ];
    if (all.qualifier === '?')
      return [
        warn(answer, '"?all" says nothing about other senders, as if there were no SPF.', {
          observed,
          expected,
          fix: { text: 'Change "?all" to ~all or -all.' },
        }),
      ];
    const dead = record.terms.filter((term) =>
      term.kind === 'mechanism' ? term.start > all.start : term === record.redirect,
    );
    if (dead.length > 0)
      return [
        warn(
          answer,
          `Never looked at, because "all" decides first: ${dead.map((term) => term.raw).join(' ')}`,
          {
            observed,
            fix: { text: 'Put "all" at the very end, and drop redirect= beside it.' },
          },
        ),
      ];
    return [pass(answer, `Ends with ${all.raw}.`, { observed })];
  },
};

export const spfPtrCheck: DnsCheck = {
  id: 'SPF-PTR',
  group,
  severity: 'warn',
  title: 'The record does not use ptr',
  ref: 'RFC 7208 section 5.5',
  needs: [],
  async run(ctx) {
    const { answer, record } = await readSpf(ctx);
    if (!record) return [];
    const found = record.mechanisms.find((term) => term.name === 'ptr');
    return found
      ? [
          warn(answer, `"${found.raw}" is slow and unreliable, and some receivers skip it.`, {
            observed: record.text,
            fix: { text: `Replace "${found.raw}" by ip4:, ip6: or a: terms.` },
          }),
        ]
      : [pass(answer, 'No ptr.', { observed: record.text })];
  },
};

const widest = { v4: 16, v6: 32 };

export const spfWideCheck: DnsCheck = {
  id: 'SPF-WIDE',
  group,
  severity: 'warn',
  title: 'No term allows huge networks, none stands twice',
  ref: 'M3AAWG Email Authentication Best Practices',
  needs: [],
  async run(ctx) {
    const { answer, record } = await readSpf(ctx);
    if (!record) return [];
    const observed = record.text;
    const verdicts: Verdict[] = [];
    for (const term of record.mechanisms.filter(isWide))
      verdicts.push(
        warn(answer, `"${term.raw}" lets a huge network send for the domain.`, {
          observed,
          fix: { text: `Narrow "${term.raw}" to the addresses that really send.` },
        }),
      );
    const raws = record.mechanisms.map((term) => term.raw.toLowerCase().replace(/^\+/, ''));
    const twice = record.mechanisms.filter((_, index) => raws.indexOf(raws[index] ?? '') !== index);
    if (twice.length > 0)
      verdicts.push(
        warn(answer, `Stands twice: ${twice.map((term) => term.raw).join(' ')}`, {
          observed,
          fix: { text: 'Remove the second one.' },
        }),
      );
    return verdicts.length > 0 ? verdicts : [pass(answer, 'All terms are narrow.', { observed })];
  },
};

function isWide(term: SpfMechanism): boolean {
  if (term.qualifier === '-') return false;
  if (term.domainSpec?.startsWith('*')) return true;
  const v4 = term.name === 'ip4' || term.name === 'a' || term.name === 'mx';
  const v6 = term.name === 'ip6' || term.name === 'a' || term.name === 'mx';
  return (v4 && term.prefix4 < widest.v4) || (v6 && term.prefix6 < widest.v6);
}

export const spfMacroCheck: DnsCheck = {
  id: 'SPF-MACRO',
  group,
  severity: 'info',
  title: 'Terms that depend on the mail, and the explanation',
  ref: 'RFC 7208 section 7',
  needs: [],
  async run(ctx) {
    const { answer, record } = await readSpf(ctx);
    if (!record) return [];
    const dynamic = record.terms.filter((term) =>
      hasMacros(term.kind === 'mechanism' ? (term.domainSpec ?? '') : term.value),
    );
    const verdicts: Verdict[] = [];
    const judged = dynamic.filter((term) => term !== record.exp);
    if (judged.length > 0)
      verdicts.push(
        info(
          answer,
          `Depends on sender or address, so it cannot be judged in advance: ${judged.map((term) => term.raw).join(' ')}`,
          { observed: record.text },
        ),
      );
    const target = record.exp && !dynamic.includes(record.exp) ? toQueryName(record.exp.value) : undefined;
    if (target !== undefined) {
      const text = await ctx.askResolver(target, 'TXT');
      if (text.status === 'nodata' || text.status === 'nxdomain')
        verdicts.push(
          info(text, 'exp= points to a name without text; refused senders get no explanation.', {
            fix: { text: `Add the text as a TXT record at ${target}, or remove exp=.` },
          }),
        );
    }
    return verdicts;
  },
};
