import type { QueryType } from '../../dns/resolver/types.js';
import { type DnsCheck, type DnsContext, textsOf } from './context.js';
import { readDkim, readMx } from './facts.js';
import { fail, info, pass, unknowns, warn } from './verdict.js';

const group = 'Zone';

/** Names at which this domain needs records of its own, with what is asked there. */
async function neededNames(ctx: DnsContext): Promise<readonly { name: string; type: QueryType }[]> {
  const { domain, host, expected } = ctx.target;
  const names = new Map<string, QueryType>([[domain, 'MX']]);
  if (host !== undefined) names.set(host, 'A');
  for (const { name, data, pending } of expected)
    if (data.type !== 'CNAME' && data.type !== 'OTHER' && pending === undefined) names.set(name, data.type);
  names.set(`_dmarc.${domain}`, 'TXT');
  for (const { name } of await readDkim(ctx)) names.set(name, 'TXT');
  // MX hosts have a check of their own for this.
  for (const { exchange } of (await readMx(ctx)).hosts) names.delete(exchange);
  return [...names].map(([name, type]) => ({ name, type }));
}

/** Vendors take these over by alias; what the alias leads to is checked like a record of our own. */
const delegable = /^(?:_dmarc|_mta-sts|_smtp\._tls|[^.]+\._domainkey)\./;

export const cnameCheck: DnsCheck = {
  id: 'NAME-CNAME',
  group,
  severity: 'fail',
  title: 'No alias stands where records are needed',
  ref: 'RFC 2181 section 10.1',
  needs: [],
  async run(ctx) {
    const names = await neededNames(ctx);
    const answers = await Promise.all(names.map(({ name, type }) => ctx.ask(name, type)));
    const verdicts = answers.flatMap((answer) => {
      const [alias] = answer.chain;
      if (alias?.data.type !== 'CNAME' || alias.name !== answer.name) return [];
      const observed = `CNAME ${alias.data.target}`;
      const asked = { name: answer.name, type: 'CNAME' } as const;
      if (delegable.test(answer.name))
        return [
          info(
            asked,
            `${answer.name} is delegated by alias; the owner of ${alias.data.target} decides what stands there.`,
            { observed },
          ),
        ];
      return [
        fail(
          asked,
          `${answer.name} is an alias: no other record may stand beside it, and mail servers do not accept it.`,
          {
            observed,
            expected: 'no CNAME',
            fix: { text: `Remove the CNAME at ${answer.name} and add address records instead.` },
          },
        ),
      ];
    });
    if (verdicts.length > 0) return verdicts;
    const [lost] = unknowns(...answers);
    if (lost) return [lost];
    return [pass({ name: ctx.target.domain, type: 'CNAME' }, 'No alias is in the way.')];
  },
};

/** A name that nobody has: what answers for it is a wildcard. */
const probeLabel = 'smtp-setup-wildcard-probe';

export const wildcardCheck: DnsCheck = {
  id: 'NAME-WILD',
  group,
  severity: 'warn',
  title: 'No wildcard answers for mail names',
  ref: 'RFC 4592',
  needs: [],
  async run(ctx) {
    const { domain } = ctx.target;
    const types = ['A', 'MX', 'TXT'] as const;
    const answers = await Promise.all(types.map((type) => ctx.ask(`${probeLabel}.${domain}`, type)));
    const lost = unknowns(...answers);
    const wild = answers.filter((answer) => answer.status === 'ok');
    if (wild.length === 0)
      return lost.length > 0
        ? lost.slice(0, 1)
        : [pass({ name: `*.${domain}`, type: 'A' }, 'There is no wildcard.')];
    return wild.map((answer) => {
      const asked = { ...answer, name: `*.${domain}` };
      const text = textsOf(answer).join(' ');
      if (answer.type === 'TXT' && /v=(?:DMARC1|DKIM1|spf1|STSv1)/i.test(text))
        return warn(
          asked,
          'A wildcard TXT answers for every name without records of its own, also for _dmarc and DKIM selectors.',
          {
            fix: { text: `Remove the TXT record at *.${domain} and add it at the names that need it.` },
          },
        );
      return info(
        asked,
        `*.${domain} has ${answer.type} records. A name with any record of its own is no longer covered by it.`,
      );
    });
  },
};

const misplaced = [
  { prefix: /^v=DMARC1\b/i, what: 'DMARC', at: (domain: string) => `_dmarc.${domain}` },
  { prefix: /^v=STSv1\b/i, what: 'MTA-STS', at: (domain: string) => `_mta-sts.${domain}` },
  { prefix: /^v=TLSRPTv1\b/i, what: 'TLS-RPT', at: (domain: string) => `_smtp._tls.${domain}` },
  { prefix: /^v=DKIM1\b/i, what: 'DKIM', at: (domain: string) => `SELECTOR._domainkey.${domain}` },
  { prefix: /^v=BIMI1\b/i, what: 'BIMI', at: (domain: string) => `default._bimi.${domain}` },
] as const;

export const placeCheck: DnsCheck = {
  id: 'TXT-LOC',
  group,
  severity: 'fail',
  title: 'Policy records stand at their own names',
  ref: 'RFC 9989 section 4.5',
  needs: [],
  async run(ctx) {
    const { domain } = ctx.target;
    const apex = await ctx.ask(domain, 'TXT');
    // Panels that append the zone to every name turn a full name into a doubled one.
    const doubled = await Promise.all(
      ['_dmarc', '_mta-sts', '_smtp._tls'].map((label) => ctx.ask(`${label}.${domain}.${domain}`, 'TXT')),
    );
    const verdicts = textsOf(apex).flatMap((text) => {
      const found = misplaced.find(({ prefix }) => prefix.test(text));
      if (!found) return [];
      return [
        fail(apex, `The ${found.what} record stands at the domain itself, where nobody looks for it.`, {
          observed: text.slice(0, 300),
          expected: `at ${found.at(domain)}`,
          fix: { text: `Move the record to ${found.at(domain)}.` },
        }),
      ];
    });
    for (const answer of doubled)
      if (textsOf(answer).some((text) => /^v=(?:DMARC1|STSv1|TLSRPTv1)/i.test(text)))
        verdicts.push(
          fail(answer, `The record stands at ${answer.name}: the domain is in the name twice.`, {
            expected: `at ${answer.name.slice(0, -domain.length - 1)}`,
            fix: { text: 'In the DNS panel, give the name without the domain: the panel appends it.' },
          }),
        );
    if (verdicts.length > 0) return verdicts;
    const [lost] = unknowns(apex, ...doubled);
    if (lost) return [lost];
    const observed = `${apex.records.length} TXT records`;
    return [pass(apex, 'No stray policy record at the domain.', { observed })];
  },
};
