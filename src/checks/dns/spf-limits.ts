import { isWithin } from '../../dns/canonical.js';
import type { Resolver } from '../../dns/resolver/types.js';
import {
  countSpfLookups,
  lookupFrom,
  type SpfBudget,
  type SpfLookup,
  type SpfTermPlace,
} from '../../dns/spf/index.js';
import type { Verdict } from '../check.js';
import type { DnsCheck, DnsContext } from './context.js';
import { readSpf, type SpfFacts } from './facts.js';
import { fail, pass, warn } from './verdict.js';

const group = 'SPF';
const limit = 10;
const near = 8;

/** Own names from the zone's servers with our addresses as planned, foreign ones from the resolver. */
export function spfLookup(ctx: DnsContext): SpfLookup {
  const { domain, host } = ctx.target;
  const resolver: Resolver = {
    resolve: (name, type) =>
      isWithin(name, domain) || name === host ? ctx.assume.resolve(name, type) : ctx.askResolver(name, type),
  };
  return lookupFrom(resolver);
}

async function readBudget(ctx: DnsContext): Promise<{ facts: SpfFacts; budget?: SpfBudget }> {
  const facts = await readSpf(ctx);
  const { record } = facts;
  if (!record) return { facts };
  const budget = await ctx.once('spf budget', () =>
    countSpfLookups(ctx.target.domain, record, spfLookup(ctx)),
  );
  return { facts, budget };
}

function where(place: SpfTermPlace): string {
  return place.path.length > 1 ? `"${place.term}" in the record of ${place.domain}` : `"${place.term}"`;
}

function lostLookups(facts: SpfFacts, budget: SpfBudget): Verdict[] {
  return budget.unknown.map((place) => ({
    status: 'unknown',
    name: facts.answer.name,
    type: 'TXT',
    subject: `${facts.answer.name} TXT`,
    message: `The lookup for ${where(place)} failed, so the record cannot be judged to the end.`,
    observed: facts.texts[0] ?? '',
  }));
}

export const spfLookupsCheck: DnsCheck = {
  id: 'SPF-LOOKUPS',
  group,
  severity: 'fail',
  title: 'The record needs at most ten DNS lookups',
  ref: 'RFC 7208 section 4.6.4',
  needs: [],
  async run(ctx) {
    const { facts, budget } = await readBudget(ctx);
    if (!budget) return [];
    const { answer } = facts;
    const used = budget.lookups.length;
    const observed = `${used}${budget.truncated ? ' or more' : ''} lookups: ${budget.lookups
      .slice(0, 14)
      .map((place) => place.term)
      .join(' ')}`;
    const details = { observed, expected: `at most ${limit}` };
    const text =
      'Replace includes that are not used any more, or a: terms by ip4:/ip6:, which need no lookup.';
    if (budget.guilty || budget.truncated)
      return [
        fail(
          answer,
          `Too many DNS lookups (permerror): ${budget.guilty ? `${where(budget.guilty)} is one too many` : 'the includes go too deep'}.`,
          { ...details, fix: { text } },
        ),
      ];
    const [crowded] = budget.crowded;
    if (crowded)
      return [
        fail(answer, `${where(crowded)} leads to ${crowded.hosts} MX hosts; more than ten are a permerror.`, {
          ...details,
          fix: { text: `Replace "${crowded.term}" by ip4: and ip6: terms.` },
        }),
      ];
    // A loop or a failing lookup makes the count a lower bound only.
    if (budget.unknown.length > 0) return lostLookups(facts, budget);
    if (used >= near)
      return [
        warn(
          answer,
          `${used} of ${limit} lookups are used; a change at an included provider may break the record.`,
          { ...details, fix: { text } },
        ),
      ];
    return [pass(answer, `${used} of ${limit} lookups.`, details)];
  },
};

export const spfVoidCheck: DnsCheck = {
  id: 'SPF-VOID',
  group,
  severity: 'fail',
  title: 'At most two terms point to nothing',
  ref: 'RFC 7208 section 4.6.4',
  needs: [],
  async run(ctx) {
    const { facts, budget } = await readBudget(ctx);
    if (!budget) return [];
    const observed = budget.voids.length === 0 ? 'none' : budget.voids.map((place) => place.term).join(' ');
    const details = { observed, expected: 'at most 2 terms that find nothing' };
    const fix = { text: `Remove or correct: ${budget.voids.map(where).join(', ')}` };
    if (budget.voids.length > 2)
      return [
        fail(facts.answer, `${budget.voids.length} terms find nothing; more than two are a permerror.`, {
          ...details,
          fix,
        }),
      ];
    if (budget.voids.length > 0)
      return [
        warn(
          facts.answer,
          'A term points to a name without addresses; it lets nobody in, and a third one breaks the record.',
          { ...details, fix },
        ),
      ];
    return budget.unknown.length > 0
      ? lostLookups(facts, budget)
      : [pass(facts.answer, 'Every term finds something.', details)];
  },
};

export const spfLoopCheck: DnsCheck = {
  id: 'SPF-LOOP',
  group,
  severity: 'fail',
  title: 'No include or redirect leads back',
  ref: 'RFC 7208 section 5.2',
  needs: [],
  async run(ctx) {
    const { facts, budget } = await readBudget(ctx);
    if (!budget) return [];
    if (budget.loops.length === 0)
      return [pass(facts.answer, 'No loop.', { observed: facts.texts[0] ?? '' })];
    return budget.loops.map((place) =>
      fail(facts.answer, `${where(place)} leads back to a record on the way (permerror).`, {
        observed: [...place.path, place.term].join(' → '),
        fix: { text: `Remove ${where(place)}.` },
      }),
    );
  },
};

export const spfIncludeCheck: DnsCheck = {
  id: 'SPF-INCLUDE',
  group,
  severity: 'fail',
  title: 'Every include and redirect has a record',
  ref: 'RFC 7208 section 5.2',
  needs: [],
  async run(ctx) {
    const { facts, budget } = await readBudget(ctx);
    if (!budget) return [];
    if (budget.broken.length > 0)
      return budget.broken.map((place) =>
        fail(facts.answer, `${where(place)}: ${place.reason} (permerror).`, {
          observed:
            place.errors?.map((error) => `${error.term}: ${error.message}`).join('; ') ?? place.reason,
          fix: { text: `Remove "${place.term}", or ask its owner to repair the record.` },
        }),
      );
    return budget.unknown.length > 0
      ? lostLookups(facts, budget)
      : [pass(facts.answer, 'All included records are there.', { observed: facts.texts[0] ?? '' })];
  },
};
