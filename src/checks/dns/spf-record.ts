import { isUnknown } from '../../dns/resolver/types.js';
import { hasMacros, type SpfMechanism } from '../../dns/spf/index.js';
import { toQueryName } from '../../dns/spf/macro.js';
import type { Verdict } from '../check.js';
import { type DnsCheck, type DnsContext, textsOf } from './context.js';
import { readMx, readSpf } from './facts.js';
import { fail, info, pass, setRecord, unknown, warn } from './verdict.js';

const group = 'SPF';

function wantedSpf(ctx: DnsContext) {
  return ctx.expected('spf').find((record) => record.name === ctx.target.domain);
}

/** Meant as SPF, but no receiver takes it for one: a blank, a quote or a missing space at the start. */
function findMangled(texts: readonly string[]): string | undefined {
  return texts.find((text) => /^[\s"'\\]+v=spf1/i.test(text) || /^v=spf1(?![ 0-9]|$)/i.test(text));
}

export const spfMissingCheck: DnsCheck = {
  id: 'SPF-MISSING',
  group,
  severity: 'fail',
  title: 'The domain has an SPF record',
  ref: 'RFC 7208 section 3',
  needs: [],
  async run(ctx) {
    const { answer, texts } = await readSpf(ctx);
    if (isUnknown(answer.status)) return [unknown(answer)];
    if (texts.length > 0)
      return [pass(answer, 'There is an SPF record.', { observed: texts[0]?.slice(0, 500) ?? '' })];
    if (findMangled(textsOf(answer)) !== undefined) return [];
    const wanted = wantedSpf(ctx);
    const text = wanted?.data.type === 'TXT' ? wanted.data.text : undefined;
    const parked = (await readMx(ctx)).hasNull;
    return [
      fail(answer, 'No SPF record: receivers cannot tell which servers may send for the domain.', {
        observed: 'no TXT record that begins with v=spf1',
        expected: text ?? (parked ? 'v=spf1 -all' : 'v=spf1 …'),
        fix: wanted
          ? setRecord(wanted, 'Add')
          : {
              text: parked
                ? `Add a TXT record at ${ctx.target.domain}: v=spf1 -all`
                : `Add a TXT record at ${ctx.target.domain} that lists the domain’s senders, for example: v=spf1 a:MAILHOST -all`,
            },
      }),
    ];
  },
};

export const spfOneCheck: DnsCheck = {
  id: 'SPF-ONE',
  group,
  severity: 'fail',
  title: 'There is only one SPF record',
  ref: 'RFC 7208 sections 3.2 and 4.5',
  needs: [],
  async run(ctx) {
    const { answer, texts } = await readSpf(ctx);
    if (texts.length === 0) return [];
    if (texts.length === 1) return [pass(answer, 'One record.', { observed: texts[0] ?? '' })];
    const wanted = wantedSpf(ctx);
    return [
      fail(answer, `There are ${texts.length} SPF records; receivers then take none of them (permerror).`, {
        observed: texts.map((text) => text.slice(0, 300)).join(' | '),
        expected: 'one record',
        fix: wanted
          ? setRecord(wanted, 'Replace')
          : {
              text: 'Put the terms of all records into one, with a single "all" at the end, and delete the others.',
            },
      }),
    ];
  },
};

export const spfSyntaxCheck: DnsCheck = {
  id: 'SPF-SYNTAX',
  group,
  severity: 'fail',
  title: 'The SPF record has no errors',
  ref: 'RFC 7208 section 4.6.1',
  needs: [],
  async run(ctx) {
    const { answer, texts, errors, record } = await readSpf(ctx);
    const wanted = wantedSpf(ctx);
    const fixed = wanted ? { fix: setRecord(wanted, 'Replace') } : {};
    const mangled = texts.length === 0 ? findMangled(textsOf(answer)) : undefined;
    if (mangled !== undefined)
      return [
        fail(answer, 'A record is meant as SPF but does not begin with "v=spf1 ", so nobody reads it.', {
          observed: mangled.slice(0, 300),
          expected: 'v=spf1 and a space at the very start',
          ...(wanted
            ? fixed
            : { fix: { text: 'Remove what stands before v=spf1, and put a space after it.' } }),
        }),
      ];
    if (errors.length > 0)
      return [
        fail(
          answer,
          `Syntax error; receivers ignore the whole record (permerror): ${errors.map((error) => `${error.term}: ${error.message}`).join('; ')}.`,
          {
            observed: texts[0] ?? '',
            ...(wanted
              ? fixed
              : { fix: { text: `Correct or remove: ${errors.map((error) => error.term).join(', ')}` } }),
          },
        ),
      ];
    if (!record) return [];
    const verdicts: Verdict[] = [pass(answer, 'No syntax errors.', { observed: record.text })];
    const old = textsOf(answer).find((text) => /^spf2\.0\//i.test(text));
    if (old !== undefined)
      verdicts.push(
        info(answer, 'A record of the dead "Sender ID" (spf2.0) is left over.', {
          observed: old.slice(0, 300),
          fix: { text: 'Remove the TXT record that begins with spf2.0/.' },
        }),
      );
    return verdicts;
  },
};

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

/** Room in a UDP answer that leaves place for the rest of the message. */
const comfortable = 450;
const udpClassic = 512;

export const spfSizeCheck: DnsCheck = {
  id: 'SPF-SIZE',
  group,
  severity: 'warn',
  title: 'The answer with the record is small',
  ref: 'RFC 7208 section 3.4',
  needs: [],
  async run(ctx) {
    const { answer, texts } = await readSpf(ctx);
    const [text] = texts;
    if (text === undefined || texts.length > 1) return [];
    const size = new TextEncoder().encode(text).length;
    const whole = answer.records.reduce(
      (sum, record) => sum + 12 + (record.strings ?? []).reduce((total, part) => total + part.length + 1, 0),
      0,
    );
    const observed = `${size} bytes; all TXT records of the name together ${whole}`;
    const fix = { text: 'Shorten the record, or move terms to a name of its own and include it.' };
    if (size > udpClassic)
      return [
        warn(answer, 'The record does not fit into a classic UDP answer.', {
          observed,
          expected: `at most ${comfortable} bytes`,
          fix,
        }),
      ];
    if (size > comfortable)
      return [
        info(answer, 'The record is close to the size of a classic UDP answer.', {
          observed,
          expected: `at most ${comfortable} bytes`,
          fix,
        }),
      ];
    if (whole > udpClassic)
      return [
        info(
          answer,
          'The TXT records of the name together exceed a classic UDP answer; old resolvers need TCP.',
          { observed },
        ),
      ];
    return [pass(answer, 'Small enough.', { observed })];
  },
};
