import { sanitizeLine } from '../../lib/sanitize.js';
import type { AnswerSummary, MailReport } from '../../logs/summarize.js';
import { createStyle, type Style } from '../colors.js';
import type { Io } from '../io.js';
import { alignColumns, count, wrapText } from '../text.js';

const shown = 15;

/** What went out, what came in, what went wrong and what to do. */
export function renderMailReport(io: Io, report: MailReport): string {
  const style = createStyle(io.out);
  const { chalk } = style;
  const { out } = report;
  const lines = [
    chalk.bold(
      `Mail${report.domain === undefined ? '' : ` of ${report.domain}`} from ${day(report.since)} to ${day(report.until)} (UTC)`,
    ),
    '',
    ...alignColumns([
      ['Sent', `${out.sent} delivered, ${out.deferred} waiting, ${out.bounced} bounced`],
      [
        'Received',
        `${report.in.sent} delivered, ${report.in.deferred} waiting, ${report.in.bounced} bounced, ${report.in.refused} refused`,
      ],
      ['Logins', count(report.failedLogins.count, 'failed login')],
    ]),
    ...table(
      style,
      'To',
      out.byDomain.map(({ domain, ...counts }) => [domain, ...numbers(counts)]),
    ),
    ...table(
      style,
      'From',
      report.bySender.map(({ sender, ...counts }) => [sender, ...numbers(counts)]),
    ),
    ...days(style, report),
  ];
  if (report.answers.length > 0) lines.push('', chalk.bold('What other servers said'));
  for (const answer of report.answers.slice(0, shown)) lines.push(...renderAnswer(io, style, answer));
  if (report.in.refusals.length > 0) {
    lines.push('', chalk.bold('What this server refused'));
    const rows = report.in.refusals
      .slice(0, shown)
      .map((row) => [`  ${row.count}`, sanitizeLine(row.reason, 200)]);
    lines.push(...alignColumns(rows));
  }
  return lines.join('\n');
}

/** The same as plain data, for `--json`. */
export function mailReportDocument(report: MailReport): Record<string, unknown> {
  return { ...report };
}

const unexplained: Readonly<Record<AnswerSummary['outcome'], string>> = {
  deferred: 'Postfix goes on trying for five days; these words are all that is known.',
  bounced: 'Its sender was told. These words are all that is known; their postmaster knows more.',
};

function renderAnswer(io: Io, { chalk, mark }: Style, answer: AnswerSummary): string[] {
  const sign = answer.outcome === 'bounced' ? mark.fail : mark.wait;
  const { explanation } = answer;
  const width = io.out.width;
  const title = explanation?.title ?? `status ${answer.dsn}`;
  return [
    `  ${sign} ${chalk.bold(title)}  ${count(answer.recipients, 'recipient')} at ${sanitizeLine(answer.domains.slice(0, 5).join(', '), 200)}`,
    ...wrapText(sanitizeLine(answer.example, 400), width, '      ').map((line) => chalk.dim(line)),
    ...(explanation === undefined
      ? wrapText(unexplained[answer.outcome], width, '      -> ')
      : [
          ...wrapText(explanation.meaning, width, '      '),
          ...explanation.todo.map((todo) => `      -> ${todo}`),
        ]),
  ];
}

function table({ chalk }: Style, name: string, rows: readonly string[][]): string[] {
  if (rows.length === 0) return [];
  const head = [name, 'delivered', 'waiting', 'bounced'];
  const cells = [
    head,
    ...rows.slice(0, shown).map(([first = '', ...rest]) => [sanitizeLine(first, 80), ...rest]),
  ];
  const [heading = '', ...body] = alignColumns(cells);
  const more = rows.length > shown ? [chalk.dim(`  … and ${rows.length - shown} more`)] : [];
  return ['', chalk.bold(heading), ...body, ...more];
}

function days(style: Style, { byDay }: MailReport): string[] {
  if (byDay.length === 0) return [];
  const rows = byDay.map(({ day: name, received, ...counts }) => [
    name,
    ...numbers(counts),
    String(received),
  ]);
  const [heading = '', ...body] = alignColumns([
    ['Day', 'delivered', 'waiting', 'bounced', 'received'],
    ...rows,
  ]);
  return ['', style.chalk.bold(heading), ...body];
}

function numbers(counts: { sent: number; deferred: number; bounced: number }): string[] {
  return [String(counts.sent), String(counts.deferred), String(counts.bounced)];
}

function day(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 16).replace('T', ' ');
}
