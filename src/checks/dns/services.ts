import { isUnknown, type QueryType } from '../../dns/resolver/types.js';
import type { Verdict } from '../check.js';
import type { DnsCheck } from './context.js';
import { readAddresses } from './facts.js';
import { fail, info, pass, setRecord, unknown, unknowns, warn } from './verdict.js';

const group = 'Client settings';
const mostTargets = 10;
const services = [
  { label: '_submissions._tcp', port: 465 },
  { label: '_submission._tcp', port: 587 },
  { label: '_imaps._tcp', port: 993 },
] as const;

export const srvCheck: DnsCheck = {
  id: 'SRV',
  group,
  severity: 'fail',
  title: 'Mail programs find the servers (SRV)',
  ref: 'RFC 6186, RFC 8314 section 5.1',
  needs: [],
  async run(ctx) {
    const { domain } = ctx.target;
    const verdicts = await Promise.all(
      services.map(async ({ label, port }): Promise<Verdict[]> => {
        const answer = await ctx.ask(`${label}.${domain}`, 'SRV');
        if (isUnknown(answer.status)) return [unknown(answer)];
        const wanted = ctx.expected('srv').find((record) => record.name === answer.name);
        const entries = answer.records
          .flatMap(({ data }) => (data.type === 'SRV' ? [data] : []))
          .slice(0, mostTargets);
        if (entries.length === 0)
          return wanted
            ? [fail(answer, 'The SRV record is missing.', { fix: setRecord(wanted, 'Add') })]
            : [];
        const verdictsHere = await Promise.all(
          entries.map(async ({ target, port: given }): Promise<Verdict[]> => {
            // "0 0 0 ." says that the service is not offered.
            if (target === '') return [];
            const { v4, v6, addresses } = await readAddresses(ctx, target);
            if (v4.chain.length > 0 || v6.chain.length > 0)
              return [
                warn(answer, `The SRV target ${target} is an alias.`, {
                  fix: { text: `Point the SRV record to the alias’s target.` },
                }),
              ];
            const [lost] = unknowns(v4, v6);
            if (lost) return [lost];
            if (addresses.length === 0)
              return [
                warn(answer, `The SRV target ${target} has no address.`, {
                  fix: { text: `Correct the SRV record at ${answer.name}.` },
                }),
              ];
            return given === port
              ? []
              : [info(answer, `Port ${given} is unusual for this service.`, { expected: `port ${port}` })];
          }),
        );
        const found = verdictsHere.flat();
        return found.length > 0 ? found : [pass(answer, 'The record is in order.')];
      }),
    );
    return verdicts.flat();
  },
};

export const autoconfigCheck: DnsCheck = {
  id: 'AUTOCFG',
  group,
  severity: 'fail',
  title: 'Mail programs find their settings (autoconfig, autodiscover)',
  ref: 'Mozilla autoconfiguration; Microsoft Autodiscover',
  needs: ['expected'],
  async run(ctx) {
    const wanted = [...ctx.expected('autoconfig'), ...ctx.expected('autodiscover')];
    const verdicts = await Promise.all(
      wanted.map(async (record): Promise<Verdict[]> => {
        if (record.data.type === 'OTHER') return [];
        const type: QueryType = record.data.type === 'CNAME' ? 'A' : record.data.type;
        const answer = await ctx.ask(record.name, type);
        if (isUnknown(answer.status)) return [unknown(answer)];
        const alias = answer.chain[0]?.data;
        const there =
          record.data.type === 'CNAME'
            ? alias?.type === 'CNAME' && alias.target === record.data.target
            : answer.status === 'ok';
        if (there) return [pass(answer, 'The name leads to the server.')];
        return [
          fail(answer, `${record.name} does not lead to the server.`, {
            fix: setRecord(record, answer.status === 'ok' ? 'Change' : 'Add'),
          }),
        ];
      }),
    );
    return verdicts.flat();
  },
};
