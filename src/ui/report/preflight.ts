import type { Finding, Status } from '../../checks/check.js';
import { sanitizeLine } from '../../lib/sanitize.js';
import { createStyle, type Style } from '../colors.js';
import type { Io } from '../io.js';
import { wrapText } from '../text.js';

const order: readonly Status[] = ['pass', 'info', 'unknown', 'warn', 'fail'];

/**
 * What was found out before anything is changed: good news in a line each, trouble with evidence and remedy; the worst
 * comes last, where the eye is.
 */
export function renderPreflight(io: Io, findings: readonly Finding[]): string {
  const style = createStyle(io.err);
  const sorted = order.flatMap((status) => findings.filter((finding) => finding.status === status));
  return sorted.flatMap((finding) => renderFinding(io, style, finding)).join('\n');
}

/** The findings as plain data, for `--json`. */
export function preflightDocument(findings: readonly Finding[]): Record<string, unknown> {
  return { preflight: findings };
}

function renderFinding(io: Io, { chalk, mark, bar }: Style, finding: Finding): string[] {
  const marks: Readonly<Record<Status, string>> = {
    pass: mark.done,
    info: mark.info,
    unknown: mark.unknown,
    warn: mark.warn,
    fail: mark.fail,
  };
  const title = sanitizeLine(finding.title);
  const message = sanitizeLine(finding.message, 1000);
  if (finding.status === 'pass' || finding.status === 'info') {
    return [`${marks[finding.status]} ${title}  ${chalk.dim(message)}`];
  }
  const lines = [`${marks[finding.status]} ${chalk.bold(title)}`, ...wrapText(message, io.err.width, '  ')];
  if (finding.expected !== undefined) lines.push(`  ${bar} expected: ${sanitizeLine(finding.expected)}`);
  if (finding.observed !== undefined) lines.push(`  ${bar} found:    ${sanitizeLine(finding.observed)}`);
  if (finding.fix !== undefined)
    lines.push(...wrapText(sanitizeLine(finding.fix.text, 1000), io.err.width, '  '));
  return lines;
}
