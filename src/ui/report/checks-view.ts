import type { Finding, Status } from '../../checks/check.js';
import type { CheckReport } from '../../checks/run.js';
import { formatRecord } from '../../dns/canonical.js';

/** Worst first: what a reader must see before anything else. */
export const byWeight: readonly Status[] = ['fail', 'unknown', 'warn', 'info', 'pass'];

export const statusWords: Readonly<Record<Status, string>> = {
  fail: 'failed',
  warn: 'warning',
  unknown: 'unknown',
  info: 'note',
  pass: 'passed',
};

/** What counts: suppressed findings stay in the data, but no report raises a voice about them. */
export function countedFindings(report: CheckReport): Finding[] {
  return report.results.filter((finding) => finding.suppressed === undefined);
}

export interface FindingGroup {
  name: string;
  status: Status;
  findings: readonly Finding[];
}

/** Findings by group, in the order in which a mail's way is explained; each with its worst status. */
export function groupFindings(findings: readonly Finding[]): FindingGroup[] {
  const groups = new Map<string, Finding[]>();
  for (const finding of findings) {
    const name = finding.group ?? 'Other';
    groups.set(name, [...(groups.get(name) ?? []), finding]);
  }
  return [...groups]
    .sort(([a], [b]) => rankOf(a) - rankOf(b) || (a < b ? -1 : 1))
    .map(([name, members]) => ({ name, status: worstOf(members), findings: sortByWeight(members) }));
}

const groupOrder = [
  'Plan',
  'Host',
  'MX',
  'SPF',
  'DKIM',
  'DMARC',
  'MTA-STS',
  'TLS',
  'DANE',
  'DNSSEC',
  'Certificates',
  'Client settings',
  'Zone',
  'Server',
  'Delivery',
];

function rankOf(group: string): number {
  const rank = groupOrder.indexOf(group);
  return rank < 0 ? groupOrder.length : rank;
}

export function worstOf(findings: readonly Finding[]): Status {
  return byWeight.find((status) => findings.some((finding) => finding.status === status)) ?? 'pass';
}

export function sortByWeight(findings: readonly Finding[]): Finding[] {
  return [...findings].sort((a, b) => byWeight.indexOf(a.status) - byWeight.indexOf(b.status));
}

/** The record of a fix as a zone-file line, safe for terminals. */
export function fixRecordLine(finding: Finding): string | undefined {
  return finding.fix?.record && formatRecord(finding.fix.record);
}

/** "2 failed, 1 warning, 40 passed": only what there is. */
export function summaryWords(report: CheckReport): string {
  const { summary } = report;
  const part = (count: number, one: string, many: string) =>
    count === 0 ? [] : [`${count} ${count === 1 ? one : many}`];
  const parts = [
    ...part(summary.fail, 'failed', 'failed'),
    ...part(summary.unknown, 'unknown', 'unknown'),
    ...part(summary.warn, 'warning', 'warnings'),
    ...part(summary.info, 'note', 'notes'),
    ...part(summary.suppressed, 'suppressed', 'suppressed'),
    ...part(summary.pass, 'passed', 'passed'),
  ];
  return parts.join(', ') || 'nothing was checked';
}

/** One sentence that answers the question of the whole run. */
export function verdictSentence(report: CheckReport): string {
  const { summary } = report;
  const target = report.target.domains.join(', ');
  if (summary.fail > 0) return `${target}: something is wrong.`;
  const seen = summary.pass + summary.warn + summary.info;
  if (summary.unknown > 0 && seen === 0)
    return `${target}: nothing is known, because nothing could be looked up from here.`;
  if (summary.unknown > 0)
    return `${target}: nothing wrong was found, but not everything could be looked up.`;
  if (summary.warn > 0) return `${target}: works; some things could be better.`;
  return summary.pass > 0 ? `${target}: all is well.` : `${target}: nothing was checked.`;
}
