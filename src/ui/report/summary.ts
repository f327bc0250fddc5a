import type { Status } from '../../checks/check.js';
import type { Secret } from '../../config/secret.js';
import { formatData, typeOf } from '../../dns/canonical.js';
import type { DnsRecord } from '../../dns/record.js';
import { sanitizeLine } from '../../lib/sanitize.js';
import type { FeedbackProgram } from '../../mail/feedback.js';
import type { ManualStep } from '../../plan/step.js';
import { createStyle, type Style } from '../colors.js';
import type { Io } from '../io.js';
import { alignColumns, cutToWidth } from '../text.js';
import { renderManual } from './plan.js';

/** What a mail program needs; the same for every mailbox of the server but for the user name. */
export interface ClientSettings {
  username: string;
  imap: { host: string; port: number; security: 'TLS' };
  submission: readonly { host: string; port: number; security: 'TLS' | 'STARTTLS' }[];
  /** Programs that find all this from the address alone. */
  automatic: readonly ('Thunderbird' | 'Outlook')[];
  /** Where Apple's devices load a profile with all this. */
  profile?: string;
}

/** What stands at the end of `init` and `apply`. */
export interface SummaryView {
  headline: string;
  installed: readonly string[];
  records: readonly { op: 'created' | 'changed' | 'deleted'; record: DnsRecord }[];
  /** One line a proof: "SPF", "pass", … */
  proof: readonly { title: string; status: Status; detail: string }[];
  client?: ClientSettings;
  /** Shown here, once, and nowhere else. */
  generatedPassword?: Secret;
  manual: readonly ManualStep[];
  /** Where large receivers tell how they see this sender. */
  feedback?: readonly FeedbackProgram[];
  /** Commands to go on with, each with what it does. */
  next: readonly { command: string; does: string }[];
}

/** The summary as text. */
export function renderSummary(io: Io, view: SummaryView): string {
  const style = createStyle(io.out);
  const { chalk, mark } = style;
  const lines = ['', chalk.bold(`${mark.done} ${sanitizeLine(view.headline)}`)];
  if (view.installed.length > 0) lines.push(...section(style, 'Installed'), `  ${view.installed.join(', ')}`);
  if (view.records.length > 0) lines.push(...section(style, 'DNS records'), ...renderRecords(view.records));
  if (view.proof.length > 0) lines.push(...section(style, 'Proof'), ...renderProof(style, view.proof));
  if (view.client !== undefined) {
    lines.push(
      ...section(style, 'Mail program'),
      ...renderClient(style, view.client, view.generatedPassword),
    );
  }
  if (view.manual.length > 0) lines.push(...renderManual(io, style, view.manual));
  if (view.feedback !== undefined && view.feedback.length > 0) {
    lines.push(...section(style, 'How large receivers see you'));
    for (const { title, url, todo } of view.feedback)
      lines.push(`  ${title}  ${chalk.cyan(url)}`, `    ${chalk.dim(sanitizeLine(todo))}`);
  }
  if (view.next.length > 0) {
    const rows = view.next.map(({ command, does }) => [chalk.cyan(command), chalk.dim(does)]);
    lines.push(...section(style, 'Next'), ...alignColumns(rows).map((line) => `  ${line}`));
  }
  return lines.join('\n');
}

/** The summary as plain data; a generated password is not in it. */
export function summaryDocument(view: SummaryView): Record<string, unknown> {
  const { generatedPassword: _shownOnce, records, ...rest } = view;
  return {
    ...rest,
    records: records.map(({ op, record: { name, ttl, data } }) => {
      return { op, name, ttl, type: typeOf(data), value: formatData(data) };
    }),
  };
}

function section({ chalk }: Style, title: string): string[] {
  return ['', chalk.bold(title)];
}

function renderRecords(records: SummaryView['records']): string[] {
  const rows = records.map(({ op, record }) => [
    op,
    typeOf(record.data),
    sanitizeLine(record.name),
    // Nobody reads a key's 400 characters; `--json` has them.
    cutToWidth(sanitizeLine(formatData(record.data), 5000), 80),
  ]);
  return alignColumns(rows).map((line) => `  ${line}`);
}

function renderProof({ mark }: Style, proof: SummaryView['proof']): string[] {
  const marks = { pass: mark.done, info: mark.info, unknown: mark.unknown, warn: mark.warn, fail: mark.fail };
  return alignColumns(
    proof.map(({ title, status, detail }) => [marks[status], sanitizeLine(title), sanitizeLine(detail)]),
  ).map((line) => `  ${line}`);
}

function renderClient({ chalk }: Style, client: ClientSettings, password: Secret | undefined): string[] {
  const place = ({ host, port, security }: { host: string; port: number; security: string }): string =>
    `${host}, port ${port}, ${security}`;
  const rows = [
    ['User name', client.username],
    ...(password === undefined
      ? []
      : [['Password', `${password.reveal()}  ${chalk.dim('shown this once')}`]]),
    ['IMAP', place(client.imap)],
    ...client.submission.map((server, index) => [index === 0 ? 'SMTP' : 'or', place(server)]),
    ...(client.automatic.length === 0
      ? []
      : [[client.automatic.join(', '), 'find this by themselves from address and password']]),
    ...(client.profile === undefined ? [] : [['iPhone, Mac', client.profile]]),
  ];
  return alignColumns(rows).map((line) => `  ${line}`);
}
