import type { DesiredRecord } from '../../dns/record.js';
import {
  type Answer,
  isAbsent,
  isRecordData,
  isUnknown,
  type ResolvedRecord,
} from '../../dns/resolver/types.js';
import { sameMeaning } from '../../dns/same-meaning.js';
import { isSpfRecord } from '../../dns/spf/index.js';
import type { Finding, Verdict } from '../check.js';
import type { DnsCheck, DnsContext } from './context.js';
import { fail, info, pass, setRecord, show, unknown, warn } from './verdict.js';

const group = 'Plan';

/** A record of the plan can be compared by looking at one name and type. */
function comparable(ctx: DnsContext): DesiredRecord[] {
  return ctx.target.expected.filter((record) => record.pending === undefined && record.data.type !== 'OTHER');
}

/** Live records that play the planned one's part: all of the set, or the one TXT of its kind. */
function sameKind(record: DesiredRecord, live: readonly ResolvedRecord[]): ResolvedRecord[] {
  const { data } = record;
  if (data.type !== 'TXT') return live.filter((one) => one.data.type === data.type);
  const kind = kindOf(data.text);
  return live.filter((one) => one.data.type === 'TXT' && kindOf(one.data.text) === kind);
}

function kindOf(text: string): string {
  if (isSpfRecord(text)) return 'spf';
  return /^v\s*=\s*([A-Za-z0-9]+)/.exec(text)?.[1]?.toLowerCase() ?? text;
}

function isServed(record: DesiredRecord, live: readonly ResolvedRecord[]): boolean {
  return live.some(({ data }) => isRecordData(data) && sameMeaning(record.data, data));
}

async function askFor(ctx: DnsContext, record: DesiredRecord): Promise<Answer | undefined> {
  return record.data.type === 'OTHER' ? undefined : ctx.ask(record.name, record.data.type);
}

/** Checks that already judge a record of the plan, by the name they ask. Their verdicts come first. */
export interface RecordsCheckContext {
  ctx: DnsContext;
  findings: readonly Finding[];
}

/**
 * Live DNS against the plan, record by record. Runs after all other checks: a record that one of them already calls
 * wrong is not named twice, and one that merely differs from the plan without harm is a warning.
 */
export async function compareRecords({ ctx, findings }: RecordsCheckContext): Promise<Verdict[]> {
  const verdicts = await Promise.all(
    comparable(ctx).map(async (record): Promise<Verdict[]> => {
      const answer = await askFor(ctx, record);
      if (!answer) return [];
      const expected = show(record.data);
      if (isUnknown(answer.status)) return [unknown(answer, { expected })];
      if (isServed(record, answer.records)) return [await judgeServers(ctx, record, answer, expected)];
      const named = findings.some(
        (finding) => (finding.status === 'fail' || finding.status === 'warn') && speaksOf(finding, record),
      );
      if (named) return [];
      const rivals = sameKind(record, answer.records);
      if (rivals.length === 0)
        return [
          fail(answer, `The planned ${record.data.type} record is missing.`, {
            expected,
            fix: setRecord(record, 'Add'),
          }),
        ];
      const details = {
        expected,
        observed: rivals.map(({ data }) => (isRecordData(data) ? show(data) : '')).join(', '),
        fix: setRecord(record, 'Change'),
      };
      // Somebody's own policy text may be as good as ours; anything else must be as planned.
      return judgedByMeaning.has(record.role)
        ? [warn(answer, 'The record works, but differs from the plan.', details)]
        : [fail(answer, 'The record differs from the plan.', details)];
    }),
  );
  return verdicts.flat();
}

/** Roles whose content other checks evaluate, so that a difference without a verdict there is harmless. */
const judgedByMeaning = new Set([
  'a',
  'aaaa',
  'mx',
  'spf',
  'host-spf',
  'dkim',
  'dmarc',
  'tls-rpt',
  'mta-sts',
  'srv',
  'caa',
]);

function speaksOf(finding: Finding, record: DesiredRecord): boolean {
  if (finding.fix?.record?.name === record.name && finding.fix.record.data.type === record.data.type)
    return true;
  return finding.name === record.name && finding.type === record.data.type && finding.id !== 'NS-SYNC';
}

/** Written, but not yet served everywhere. */
async function judgeServers(
  ctx: DnsContext,
  record: DesiredRecord,
  answer: Answer,
  expected: string,
): Promise<Verdict> {
  // Behind an alias that leaves the zone other servers answer.
  const [alias] = answer.chain;
  if (alias !== undefined && record.data.type !== 'CNAME')
    return pass(answer, 'As planned, behind an alias.', { expected });
  const each = record.data.type === 'OTHER' ? [] : await ctx.askEach(record.name, record.data.type);
  const behind = each.filter((one) => !isUnknown(one.status) && !isServed(record, one.records));
  if (behind.length === 0) return pass(answer, 'As planned.', { expected });
  return warn(answer, `Written, but not yet served by ${behind.map((one) => one.server.host).join(', ')}.`, {
    expected,
    fix: { text: 'Wait some minutes for the name servers to catch up.' },
  });
}

export const recordsCheck: Omit<DnsCheck, 'run'> = {
  id: 'RECORD',
  group,
  severity: 'fail',
  title: 'DNS holds what was planned',
  ref: 'RFC 1034',
  needs: ['expected'],
};

export const propagationCheck: DnsCheck = {
  id: 'CACHED',
  group,
  severity: 'info',
  title: 'Resolvers have the current records',
  ref: 'RFC 2308 section 5',
  needs: ['expected'],
  async run(ctx) {
    const verdicts = await Promise.all(
      comparable(ctx).map(async (record): Promise<Verdict[]> => {
        const answer = await askFor(ctx, record);
        // R21: a resolver is asked only about names that exist, or it would remember that they do not.
        if (answer?.level !== 'authoritative' || !isServed(record, answer.records)) return [];
        if (record.data.type === 'OTHER') return [];
        const cached = await ctx.askResolver(record.name, record.data.type);
        if (isUnknown(cached.status)) return [unknown(cached)];
        if (isServed(record, cached.records)) return [pass(cached, 'The resolver has the current record.')];
        const seconds = isAbsent(cached.status)
          ? cached.soa?.negativeTtl
          : Math.max(0, ...cached.records.map((one) => one.ttl));
        const until = seconds === undefined ? '' : ` for at most ${seconds} s`;
        const message = `The name servers have it, but ${cached.via} still remembers the old state${until}.`;
        return [info(cached, message, { expected: show(record.data) })];
      }),
    );
    const found = verdicts.flat();
    const notable = found.filter(({ status }) => status !== 'pass');
    return notable.length > 0 ? notable : found.slice(0, 1);
  },
};
