import type { Finding, Status } from '../../checks/check.js';
import type { Comparison } from '../../checks/status/compare.js';
import { sanitizeLine } from '../../lib/sanitize.js';
import { createStyle, type Style } from '../colors.js';
import type { Io } from '../io.js';
import { alignColumns, count, wrapText } from '../text.js';

export interface StatusView {
  hostname: string;
  findings: readonly Finding[];
  comparison: Comparison;
  /** Milliseconds since 1970 of the last look; undefined for the first. */
  lastTime: number | undefined;
}

const words: Readonly<Record<Status, string>> = {
  pass: 'well',
  info: 'well',
  warn: 'to be looked at',
  fail: 'failing',
  unknown: 'unknown',
};

/** What changed first, then what is not well, then one line for each group. */
export function renderStatus(io: Io, view: StatusView, changedOnly: boolean): string {
  const style = createStyle(io.out);
  const { chalk, mark } = style;
  const changes = renderChanges(io, style, view);
  if (changedOnly) return changes.length === 0 ? '' : [chalk.bold(view.hostname), ...changes].join('\n');
  const trouble = view.findings.filter(({ status }) => status === 'fail' || status === 'warn');
  const unknown = view.findings.filter(({ status }) => status === 'unknown');
  const sign = view.findings.some(({ status }) => status === 'fail')
    ? mark.fail
    : trouble.length > 0
      ? mark.warn
      : mark.done;
  const headline =
    trouble.length === 0
      ? `${view.hostname}: all is well.`
      : `${view.hostname}: ${count(trouble.length, 'thing')} to look at.`;
  const lines = [`${sign} ${chalk.bold(sanitizeLine(headline))}`];
  if (changes.length > 0) {
    const since =
      view.lastTime === undefined
        ? 'New'
        : `Since ${new Date(view.lastTime).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
    lines.push('', chalk.bold(since), ...changes);
  }
  const shown = new Set(view.comparison.changed.map(({ finding }) => finding));
  const rest = [...trouble, ...unknown].filter((finding) => !shown.has(finding));
  if (rest.length > 0)
    lines.push('', chalk.bold('As before'), ...rest.flatMap((one) => renderFinding(io, style, one)));
  lines.push('', ...renderGroups(io, style, view.findings));
  return lines.join('\n');
}

/** The same as plain data, for `--json`. */
export function statusDocument({
  hostname,
  findings,
  comparison,
  lastTime,
}: StatusView): Record<string, unknown> {
  return {
    hostname,
    last: lastTime === undefined ? null : new Date(lastTime).toISOString(),
    changed: comparison.changed.map(({ finding, before }) => ({ ...finding, before: before ?? null })),
    gone: comparison.gone,
    findings,
  };
}

function renderChanges(io: Io, style: Style, { comparison }: StatusView): string[] {
  const { chalk, mark } = style;
  return [
    ...comparison.changed.flatMap(({ finding, before }) => {
      const [first = '', ...rest] = renderFinding(io, style, finding);
      const was =
        before === undefined || before === finding.status ? '' : chalk.dim(`  (was ${words[before]})`);
      return [first + was, ...rest];
    }),
    ...comparison.gone.map((key) => `${mark.done} No longer: ${sanitizeLine(key)}`),
  ];
}

function renderFinding(io: Io, { chalk, mark }: Style, finding: Finding): string[] {
  const marks = { pass: mark.done, info: mark.info, unknown: mark.unknown, warn: mark.warn, fail: mark.fail };
  const lines = [
    `${marks[finding.status]} ${sanitizeLine(finding.title)}: ${chalk.bold(sanitizeLine(finding.subject, 200))}`,
    ...wrapText(sanitizeLine(finding.message, 600), io.out.width, '    '),
  ];
  if (finding.fix !== undefined && finding.status !== 'pass')
    lines.push(...wrapText(`-> ${sanitizeLine(finding.fix.text, 600)}`, io.out.width, '    '));
  return lines;
}

/** Versions, disk, queue and the pace of a new sender are worth a line when all is well, too. */
function renderGroups(io: Io, { chalk }: Style, findings: readonly Finding[]): string[] {
  const told = new Set(['SRV-DISK', 'SRV-QUEUE', 'SRV-UPDATES', 'SRV-RUN', 'SRV-FILES', 'SRV-WARMUP']);
  const rows = findings
    .filter(({ id, status }) => (told.has(id) && ['pass', 'info'].includes(status)) || io.verbose)
    .map(({ title, subject, message }) => [
      sanitizeLine(title),
      sanitizeLine(subject, 60),
      sanitizeLine(message, 120),
    ]);
  const versions = findings
    .filter(({ id }) => id === 'SRV-VERSION')
    .map(({ subject, message }) => `${subject} ${message}`);
  const passed = findings.filter(({ status }) => status === 'pass').length;
  return [
    ...alignColumns(rows).map((line) => chalk.dim(line)),
    ...(versions.length > 0 ? [chalk.dim(sanitizeLine(versions.join(', '), 400))] : []),
    chalk.dim(`${passed} of ${findings.length} checks passed (--verbose shows them all)`),
  ];
}
