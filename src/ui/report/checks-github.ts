import type { Finding, Status } from '../../checks/check.js';
import type { CheckReport } from '../../checks/run.js';
import {
  escapeMarkdown,
  escapeWorkflowData,
  escapeWorkflowProperty,
  sanitizeLine,
} from '../../lib/sanitize.js';
import {
  countedFindings,
  fixRecordLine,
  groupFindings,
  sortByWeight,
  summaryWords,
  verdictSentence,
} from './checks-view.js';

/** GitHub shows at most this many annotations of a kind for each step, and drops the rest silently. */
const mostPerKind = 10;

const kinds: Readonly<Partial<Record<Status, 'error' | 'warning'>>> = {
  fail: 'error',
  unknown: 'warning',
  warn: 'warning',
};

/** Workflow commands, one a line: errors for fails, warnings for warnings and unknowns; what does not fit is counted. */
export function renderGithubAnnotations(report: CheckReport): string {
  const lines: string[] = [];
  for (const kind of ['error', 'warning'] as const) {
    const findings = sortByWeight(countedFindings(report)).filter(
      (finding) => kinds[finding.status] === kind,
    );
    // The last place is kept for the count, which would otherwise be dropped itself.
    const room = findings.length > mostPerKind ? mostPerKind - 1 : mostPerKind;
    lines.push(...findings.slice(0, room).map((finding) => annotation(kind, finding)));
    const more = findings.length - room;
    if (more > 0) lines.push(`::${kind} title=smtp-setup::+${more} more; see the step summary`);
  }
  return lines.map((line) => `${line}\n`).join('');
}

function annotation(kind: 'error' | 'warning', finding: Finding): string {
  const record = fixRecordLine(finding);
  const message = [
    `${sanitizeLine(finding.subject)}: ${sanitizeLine(finding.message, 1500)}`,
    ...(finding.observed ? [`found: ${sanitizeLine(finding.observed)}`] : []),
    ...(finding.fix ? [`fix: ${sanitizeLine(finding.fix.text, 1000)}`] : []),
    ...(record === undefined ? [] : [record]),
  ].join('\n');
  return `::${kind} title=${escapeWorkflowProperty(`${finding.id} ${finding.title}`)}::${escapeWorkflowData(message)}`;
}

/** Step summaries may have a megabyte; a page that nobody scrolls is no use anyway. */
const mostRows = 200;

/** Markdown for `GITHUB_STEP_SUMMARY`: verdict, what needs a look with the fix, and the table of groups. */
export function renderGithubSummary(report: CheckReport): string {
  const findings = countedFindings(report);
  const trouble = sortByWeight(findings).filter(
    (finding) => finding.status !== 'pass' && finding.status !== 'info',
  );
  const lines = [
    `## ${escapeMarkdown(verdictSentence(report))}`,
    '',
    escapeMarkdown(summaryWords(report)),
    '',
  ];
  if (trouble.length > 0) {
    lines.push('| | Check | About | What | Fix |', '|---|---|---|---|---|');
    for (const finding of trouble.slice(0, mostRows)) lines.push(row(finding));
    if (trouble.length > mostRows) lines.push(`| | | | +${trouble.length - mostRows} more | |`);
    lines.push('');
  }
  lines.push('| Group | Result |', '|---|---|');
  for (const { name, status, findings: members } of groupFindings(findings)) {
    const passed = members.filter((finding) => finding.status === 'pass').length;
    lines.push(`| ${escapeMarkdown(name)} | ${signs[status]} ${passed} of ${members.length} passed |`);
  }
  lines.push('', `Asked through ${escapeMarkdown(report.resolver)} at ${escapeMarkdown(report.startedAt)}.`);
  return `${lines.join('\n')}\n`;
}

const signs: Readonly<Record<Status, string>> = {
  fail: '❌',
  unknown: '❔',
  warn: '⚠️',
  info: 'ℹ️',
  pass: '✅',
};

function row(finding: Finding): string {
  const record = fixRecordLine(finding);
  const fix = [finding.fix?.text ?? '', record ?? '']
    .filter((part) => part !== '')
    .map(escapeMarkdown)
    .join('<br>');
  const cells = [
    signs[finding.status],
    escapeMarkdown(finding.id),
    escapeMarkdown(finding.subject),
    escapeMarkdown(finding.message),
    fix,
  ];
  return `| ${cells.join(' | ')} |`;
}
