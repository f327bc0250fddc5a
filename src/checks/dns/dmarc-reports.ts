import { isDmarcRecord, organizationalDomain } from '../../dns/dmarc.js';
import type { ReportUri } from '../../dns/parse/report-uri.js';
import { isUnknown } from '../../dns/resolver/types.js';
import type { Verdict } from '../check.js';
import { type DnsCheck, type DnsContext, textsOf } from './context.js';
import { findDmarc } from './dmarc-record.js';
import { walkDmarc, walkFrom } from './facts.js';
import { pass, unknown, warn } from './verdict.js';

const group = 'DMARC';
/** Reporters must serve two; more may be ignored (RFC 9990). */
const servedUris = 2;
const mostUris = 8;

export const dmarcRuaCheck: DnsCheck = {
  id: 'DMARC-RUA',
  group,
  severity: 'warn',
  title: 'DMARC reports go somewhere',
  ref: 'RFC 9989 section 4.7, RFC 9990',
  needs: [],
  async run(ctx) {
    const found = await findDmarc(ctx);
    if (!found) return [];
    const { step, record } = found;
    const observed = record.text;
    const wrong = record.problems.filter((problem) => problem.kind === 'uri');
    if (wrong.length > 0)
      return [
        warn(step.answer, `${wrong.map((problem) => problem.message).join('; ')}.`, {
          observed,
          fix: { text: 'Write each destination as mailto:ADDRESS, separated by commas.' },
        }),
      ];
    if (record.rua.length === 0)
      return [
        warn(step.answer, 'No rua=: nobody reports who sends in the domain’s name.', {
          observed,
          fix: { text: `Add to the record: rua=mailto:postmaster@${ctx.target.domain}` },
        }),
      ];
    if (record.rua.length > servedUris)
      return [
        warn(step.answer, `${record.rua.length} destinations; reporters need to serve only ${servedUris}.`, {
          observed,
          fix: { text: 'Leave two destinations in rua=.' },
        }),
      ];
    const mail = [...new Set(record.rua.filter((uri) => uri.scheme === 'mailto').map((uri) => uri.domain))];
    const answers = await Promise.all(
      mail.map((domain) =>
        domain === ctx.target.domain ? ctx.ask(domain, 'MX') : ctx.askResolver(domain, 'MX'),
      ),
    );
    // The own domain's missing MX has its own check.
    const dead = answers.filter(
      (answer) =>
        (answer.status === 'nodata' || answer.status === 'nxdomain') && answer.name !== ctx.target.domain,
    );
    if (dead.length > 0)
      return dead.map((answer) =>
        warn(answer, `Reports to ${answer.name} cannot be delivered: it has no MX record.`, {
          fix: { text: `Correct rua= at ${step.answer.name}.` },
        }),
      );
    const lost = answers.find((answer) => isUnknown(answer.status));
    return [lost ? unknown(lost) : pass(step.answer, 'Reports can be delivered.', { observed })];
  },
};

export const dmarcExternalCheck: DnsCheck = {
  id: 'DMARC-EXT',
  group,
  severity: 'warn',
  title: 'Foreign report destinations agree',
  ref: 'RFC 9990',
  needs: [],
  async run(ctx) {
    const found = await findDmarc(ctx);
    if (!found) return [];
    const organization = organizationalDomain(await walkDmarc(ctx));
    const uris = [...found.record.rua, ...found.record.ruf].filter((uri) => uri.scheme === 'mailto');
    const foreign = uniqueDomains(uris).filter(
      (domain) => domain !== ctx.target.domain && domain !== organization,
    );
    const verdicts = await Promise.all(
      foreign.slice(0, mostUris).map((domain) => judgeDestination(ctx, domain, organization)),
    );
    return verdicts.flat();
  },
};

function uniqueDomains(uris: readonly ReportUri[]): string[] {
  return [...new Set(uris.map((uri) => uri.domain))];
}

async function judgeDestination(ctx: DnsContext, domain: string, organization: string): Promise<Verdict[]> {
  const name = `${ctx.target.domain}._report._dmarc.${domain}`;
  const [answer, theirs] = await Promise.all([ctx.askResolver(name, 'TXT'), walkFrom(ctx, domain)]);
  if (organizationalDomain(theirs) === organization) return [];
  if (isUnknown(answer.status)) return [unknown(answer)];
  if (textsOf(answer).some((text) => isDmarcRecord(text)))
    return [pass(answer, `${domain} agrees to receive the reports.`)];
  return [
    warn(
      answer,
      `${domain} does not say that it accepts reports about ${ctx.target.domain}; reporters then send none there.`,
      {
        expected: 'v=DMARC1',
        fix: {
          text: `Have the owner of ${domain} add this TXT record at ${name}.`,
          record: { name, ttl: 3600, data: { type: 'TXT', text: 'v=DMARC1' } },
        },
      },
    ),
  ];
}
