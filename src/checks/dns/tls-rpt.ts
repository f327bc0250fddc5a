import { isTlsRptRecord, parseTlsRpt } from '../../dns/parse/tls-rpt.js';
import { isUnknown } from '../../dns/resolver/types.js';
import { type DnsCheck, textsOf } from './context.js';
import { fail, info, pass, setRecord, unknown, warn } from './verdict.js';

export const tlsRptCheck: DnsCheck = {
  id: 'TLSRPT',
  group: 'MTA-STS',
  severity: 'fail',
  title: 'Reports about TLS trouble go somewhere',
  ref: 'RFC 8460 section 3',
  needs: [],
  async run(ctx) {
    const name = `_smtp._tls.${ctx.target.domain}`;
    const answer = await ctx.ask(name, 'TXT');
    if (isUnknown(answer.status)) return [unknown(answer)];
    const wanted = ctx.expected('tls-rpt').find((record) => record.name === name);
    const texts = textsOf(answer).filter(isTlsRptRecord);
    const [text] = texts;
    const fix = wanted
      ? setRecord(wanted, texts.length === 0 ? 'Add' : 'Replace')
      : { text: `Leave one TXT record at ${name}: v=TLSRPTv1; rua=mailto:ADDRESS` };
    if (text === undefined) {
      if (wanted) return [fail(answer, 'The TLS-RPT record is missing.', { fix })];
      if (textsOf(answer).length > 0)
        return [warn(answer, 'What stands here does not begin with "v=TLSRPTv1;".', { fix })];
      return [info(answer, 'No TLS-RPT: nobody reports when mail cannot be delivered securely.')];
    }
    if (texts.length > 1) return [warn(answer, 'Several TLS-RPT records: reporters use none.', { fix })];
    const problems = parseTlsRpt(text)?.problems ?? [];
    return problems.length > 0
      ? [warn(answer, `${problems.join('; ')}.`, { fix })]
      : [pass(answer, 'The record is valid.')];
  },
};
