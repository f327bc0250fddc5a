import type { Finding, Status } from '../../checks/check.js';
import type { CheckReport } from '../../checks/run.js';
import { sanitizeLine } from '../../lib/sanitize.js';
import type { Style } from '../colors.js';
import { alignColumns, count, wrapText } from '../text.js';
import {
  countedFindings,
  type FindingGroup,
  fixRecordLine,
  groupFindings,
  sortByWeight,
  summaryWords,
  verdictSentence,
} from './checks-view.js';

export interface TextOptions {
  style: Style;
  /** Columns. */
  width: number;
  /** Notes and passed checks one by one, with what was seen. */
  verbose?: boolean;
}

/** For people: one line a group, then only what needs a look, each with a fix to copy; the verdict at the end. */
export function renderChecksText(report: CheckReport, options: TextOptions): string {
  const { style } = options;
  const { chalk } = style;
  const findings = countedFindings(report);
  const groups = groupFindings(findings);
  const lines = [
    chalk.bold(sanitizeLine(report.target.domains.join(', '))) +
      chalk.dim(`  asked through ${sanitizeLine(report.resolver)}`),
    '',
    ...alignColumns(groups.map((group) => groupRow(style, group))),
  ];
  const shown = sortByWeight(findings.filter((finding) => isShown(finding, options.verbose === true)));
  for (const finding of shown) lines.push('', ...renderFinding(finding, options, findings));
  lines.push(...suppressedLines(report, style), ...profileLines(report, style));
  lines.push(
    '',
    `${markOf(style, groups)} ${chalk.bold(sanitizeLine(verdictSentence(report), 1000))}  ${chalk.dim(summaryWords(report))}`,
  );
  return `${lines.join('\n')}\n`;
}

function isShown(finding: Finding, verbose: boolean): boolean {
  return verbose || (finding.status !== 'pass' && finding.status !== 'info');
}

function marks({ mark }: Style): Readonly<Record<Status, string>> {
  return { pass: mark.done, info: mark.info, unknown: mark.unknown, warn: mark.warn, fail: mark.fail };
}

function markOf(style: Style, groups: readonly FindingGroup[]): string {
  const worst = (['fail', 'unknown', 'warn'] as const).find((status) =>
    groups.some((group) => group.status === status),
  );
  return marks(style)[worst ?? 'pass'];
}

function groupRow(style: Style, group: FindingGroup): string[] {
  const amount = (status: Status) => group.findings.filter((finding) => finding.status === status).length;
  const words = [
    ...(amount('fail') > 0 ? [style.chalk.red(`${amount('fail')} failed`)] : []),
    ...(amount('unknown') > 0 ? [`${amount('unknown')} unknown`] : []),
    ...(amount('warn') > 0 ? [style.chalk.yellow(count(amount('warn'), 'warning'))] : []),
    ...(amount('info') > 0 ? [style.chalk.dim(count(amount('info'), 'note'))] : []),
    ...(amount('pass') > 0 ? [style.chalk.dim(`${amount('pass')} passed`)] : []),
  ];
  // A note is no blemish on a group.
  const mark = marks(style)[group.status === 'info' ? 'pass' : group.status];
  return [`${mark} ${group.name}`, words.join(', ')];
}

function renderFinding(
  finding: Finding,
  { style, width, verbose }: TextOptions,
  all: readonly Finding[],
): string[] {
  const { chalk, bar } = style;
  const lines = [
    `${marks(style)[finding.status]} ${chalk.bold(sanitizeLine(finding.id))}  ${chalk.dim(sanitizeLine(finding.subject))}`,
    ...wrapText(sanitizeLine(finding.message, 1500), width, '  '),
  ];
  if (finding.expected !== undefined && finding.expected !== '')
    lines.push(`  ${bar} expected  ${sanitizeLine(finding.expected, 600)}`);
  if (finding.observed !== undefined && finding.observed !== '')
    lines.push(`  ${bar} found     ${sanitizeLine(finding.observed, 600)}`);
  if (finding.level === 'recursive' && finding.status !== 'unknown')
    lines.push(`  ${bar} ${chalk.dim('as a resolver says; it may be out of date')}`);
  if (finding.fix !== undefined && !isRepeated(finding, all)) {
    const [first = '', ...rest] = wrapText(sanitizeLine(finding.fix.text, 1500), width - 6);
    lines.push(`  ${chalk.green('fix')}  ${first}`, ...rest.map((line) => `       ${line}`));
    const record = fixRecordLine(finding);
    // Never wrapped: people copy it.
    if (record !== undefined) lines.push(chalk.cyan(record));
  }
  if (verbose === true && finding.ref !== undefined) lines.push(`  ${chalk.dim(sanitizeLine(finding.ref))}`);
  return lines;
}

/** The same generic advice once is enough; records are always shown. */
function isRepeated(finding: Finding, all: readonly Finding[]): boolean {
  if (finding.fix === undefined || finding.fix.record !== undefined) return false;
  const same = sortByWeight(
    all.filter((other) => other.fix?.text === finding.fix?.text && other.fix?.record === undefined),
  );
  return same[0] !== finding;
}

function suppressedLines(report: CheckReport, { chalk }: Style): string[] {
  const suppressed = report.results.filter((finding) => finding.suppressed !== undefined);
  if (suppressed.length === 0) return [];
  return [
    '',
    ...suppressed.map(({ id, subject, suppressed: why }) => {
      const until = why?.until === undefined ? '' : ` until ${why.until}`;
      return chalk.dim(
        `  suppressed${until}: ${sanitizeLine(id)} ${sanitizeLine(subject)} (${sanitizeLine(why?.reason ?? '')})`,
      );
    }),
  ];
}

function profileLines(report: CheckReport, { chalk }: Style): string[] {
  if (!report.profile) return [];
  return [
    '',
    chalk.bold(report.profile.title),
    ...report.profile.beyond.map((line) => chalk.dim(`  not checked here: ${line}`)),
  ];
}
