import type { Finding } from '../../checks/check.js';
import type { CheckReport } from '../../checks/run.js';
import { escapeXml } from '../../lib/sanitize.js';
import { fixRecordLine, groupFindings } from './checks-view.js';

/**
 * JUnit XML by the schema of Jenkins' xUnit plugin (junit-10.xsd), where `testsuites` counts nothing as skipped: a suite is
 * a group, a case is a finding. Only `fail` is a failure; `unknown` and suppressed findings are skipped, so that no
 * dashboard takes them for passed.
 */
export function renderChecksJunit(report: CheckReport): string {
  const groups = groupFindings(report.results);
  const failures = report.results.filter(isFailure).length;
  const totals = `tests="${report.results.length}" failures="${failures}" errors="0"`;
  const lines = ['<?xml version="1.0" encoding="UTF-8"?>', `<testsuites name="smtp-setup check" ${totals}>`];
  for (const { name, findings } of groups) {
    const numbers = `tests="${findings.length}" failures="${findings.filter(isFailure).length}" errors="0" skipped="${findings.filter(isSkipped).length}"`;
    lines.push(
      `  <testsuite name="${escapeXml(name)}" ${numbers} timestamp="${escapeXml(report.startedAt)}">`,
    );
    for (const finding of findings) lines.push(...renderCase(finding, name));
    lines.push('  </testsuite>');
  }
  lines.push('</testsuites>');
  return `${lines.join('\n')}\n`;
}

function isFailure(finding: Finding): boolean {
  return finding.status === 'fail' && finding.suppressed === undefined;
}

function isSkipped(finding: Finding): boolean {
  return finding.status === 'unknown' || finding.suppressed !== undefined;
}

function renderCase(finding: Finding, group: string): string[] {
  const open = `    <testcase classname="${escapeXml(group)}" name="${escapeXml(`${finding.id} ${finding.subject}`)}">`;
  const lines = [open];
  if (isFailure(finding))
    lines.push(
      `      <failure type="${escapeXml(finding.id)}" message="${escapeXml(finding.message)}">${escapeXml(details(finding))}</failure>`,
    );
  else if (finding.suppressed)
    lines.push(`      <skipped message="${escapeXml(`suppressed: ${finding.suppressed.reason}`)}"/>`);
  else if (finding.status === 'unknown')
    lines.push(`      <skipped message="${escapeXml(finding.message)}"/>`);
  const output = [`${finding.status}: ${finding.message}`, details(finding)]
    .filter((line) => line !== '')
    .join('\n');
  lines.push(`      <system-out>${escapeXml(output)}</system-out>`, '    </testcase>');
  return lines;
}

function details(finding: Finding): string {
  const record = fixRecordLine(finding);
  return [
    finding.expected === undefined ? '' : `expected: ${finding.expected}`,
    finding.observed === undefined ? '' : `found: ${finding.observed}`,
    finding.fix === undefined ? '' : `fix: ${finding.fix.text}`,
    record ?? '',
    finding.ref ?? '',
  ]
    .filter((line) => line !== '')
    .join('\n');
}
