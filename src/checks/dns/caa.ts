import { type CaaRecord, caaAllows } from '../../dns/parse/caa.js';
import { type Answer, isUnknown } from '../../dns/resolver/types.js';
import type { Verdict } from '../check.js';
import type { DnsCheck, DnsContext } from './context.js';
import { findOwnHosts } from './facts.js';
import { fail, info, pass, setRecord, unknown } from './verdict.js';

const deepest = 8;

export const caaCheck: DnsCheck = {
  id: 'CAA',
  group: 'Certificates',
  severity: 'fail',
  title: 'The certificate authority may issue for the host',
  ref: 'RFC 8659, RFC 8657',
  needs: [],
  async run(ctx) {
    const hosts = await findOwnHosts(ctx);
    const verdicts = await Promise.all(hosts.map((host) => judgeHost(ctx, host)));
    return verdicts.flat();
  },
};

/** The first set on the way up counts (RFC 8659 3); a failing lookup below it stops every CA. */
async function judgeHost(ctx: DnsContext, host: string): Promise<Verdict[]> {
  const labels = host.split('.');
  const names = labels.map((_, index) => labels.slice(index).join('.')).slice(0, deepest);
  const answers = await Promise.all(
    names.map((name) =>
      name === host || name.endsWith(ctx.target.domain) ? ctx.ask(name, 'CAA') : ctx.askResolver(name, 'CAA'),
    ),
  );
  const { issuer } = ctx.target;
  const [own] = answers;
  if (!own) return [];
  for (const answer of answers) {
    if (isUnknown(answer.status))
      return [
        unknown(answer, {
          fix: { text: 'While CAA lookups fail, no CA issues a certificate: look at the name servers.' },
        }),
      ];
    if (answer.status === 'ok') return [judgeSet(ctx, answer, host, issuer)];
  }
  return [pass(own, 'No CAA records: every CA may issue.', { observed: 'no CAA records' })];
}

function judgeSet(ctx: DnsContext, answer: Answer, host: string, issuer: string | undefined): Verdict {
  const records: CaaRecord[] = answer.records.flatMap(({ data }) => (data.type === 'CAA' ? [data] : []));
  if (issuer === undefined) return info(answer, `Certificates for ${host} are restricted by CAA records.`);
  const verdict = caaAllows(records, issuer);
  if (verdict.allowed)
    return verdict.reasons.length > 0
      ? info(answer, `${issuer} may issue, ${verdict.reasons.join(', ')}.`)
      : pass(answer, `${issuer} may issue for ${host}.`);
  const wanted = ctx.expected('caa')[0];
  const record = wanted ?? {
    name: answer.name,
    ttl: 3600,
    data: { type: 'CAA', flags: 0, tag: 'issue', value: issuer } as const,
  };
  return fail(answer, `${issuer} may not issue for ${host}: ${verdict.reasons.join('; ')}.`, {
    expected: `0 issue "${issuer}"`,
    fix: setRecord(record, 'Add'),
  });
}
