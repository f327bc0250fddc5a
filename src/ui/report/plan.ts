import { formatData, typeOf } from '../../dns/canonical.js';
import { renderInstructions, toInstructionRows } from '../../dns/instructions.js';
import { toChange } from '../../dns/merge/sequence.js';
import type { Conflict, PlannedChange, ZonePlan } from '../../dns/zone-plan.js';
import { sanitizeLine } from '../../lib/sanitize.js';
import type { ManualStep, ServerStep } from '../../plan/step.js';
import { createStyle, type Style } from '../colors.js';
import type { Io } from '../io.js';
import { alignColumns, count, wrapText } from '../text.js';

/** One plan over server and DNS, as it is shown before the one question. */
export interface PlanView {
  hostname: string;
  server: readonly ServerStep[];
  zones: readonly ZonePlan[];
  /** Files that somebody else changed, and that are not written therefore; kept as one said, or the end of the plan. */
  edited?: readonly { path: string; reason: string; kept: boolean }[];
  /** Reverse names (PTR) that the hosting provider's API sets. */
  reverse?: readonly { address: string; before?: string; after: string; at: string }[];
  manual: readonly ManualStep[];
}

const runTitles = { install: 'Install', certify: 'Certify', golive: 'Go live' } as const;
const signs = { create: '+', update: '~', delete: '-' } as const;

/** Nothing would change, on the server or in DNS. */
export function isEmptyPlan(plan: PlanView): boolean {
  const { server, zones, reverse = [] } = plan;
  return server.length + reverse.length === 0 && zones.every(({ changes }) => changes.length === 0);
}

/** The plan as text. Diffs are counts, and whole under `--verbose`; record values are never wrapped or cut. */
export function renderPlan(io: Io, plan: PlanView): string {
  const style = createStyle(io.out);
  const lines = [renderHeadline(style, plan), ...renderServer(io, style, plan)];
  for (const zone of plan.zones) lines.push(...renderZone(io, style, zone));
  lines.push(...renderReverse(style, plan.reverse ?? []));
  if (plan.manual.length > 0) lines.push(...renderManual(io, style, plan.manual));
  for (const zone of plan.zones) lines.push(...renderHandWork(zone));
  return lines.join('\n');
}

/** What it all comes to, in one line. */
export function renderHeadline({ chalk, mark }: Style, plan: PlanView): string {
  const stopped =
    plan.zones.some(({ conflicts }) => conflicts.length > 0) || plan.edited?.some(({ kept }) => !kept);
  if (stopped) return chalk.bold(`Plan for ${plan.hostname}: it cannot be carried out as things stand`);
  if (isEmptyPlan(plan)) return `${mark.done} Nothing to change on ${plan.hostname} or in DNS.`;
  return chalk.bold(`Plan for ${plan.hostname}: ${countPlan(plan)}`);
}

/** The plan as plain data, for `--json`. */
export function planDocument(plan: PlanView): Record<string, unknown> {
  return {
    hostname: plan.hostname,
    pending: !isEmptyPlan(plan),
    server: plan.server.map(({ id, run, title, reason, files, preview }) => ({
      id,
      run,
      title,
      reason,
      files: (files ?? []).map(({ path, mode, owner }) => ({ path, mode, owner })),
      preview: preview ?? [],
    })),
    edited: plan.edited ?? [],
    zones: plan.zones.map(({ zone, changes, kept, conflicts, notes, waits, manual }) => ({
      zone: zone.name,
      changes: changes.map(({ id, stage, op, role, before, after, reason, pending }) => ({
        id,
        stage,
        op,
        role,
        ...(before === undefined ? {} : { before: describeRecord(before) }),
        ...(after === undefined || pending !== undefined ? {} : { after: describeRecord(after) }),
        reason,
        ...(pending === undefined ? {} : { pending }),
      })),
      kept: kept.map(({ role, name, live, reason }) => ({
        role,
        name,
        reason,
        live: live.map(describeRecord),
      })),
      conflicts,
      notes,
      waits,
      ...(manual === true
        ? {
            byHand: toInstructionRows(
              zone.name,
              changes.filter(({ pending }) => pending === undefined).map(toChange),
            ),
          }
        : {}),
    })),
    reverse: plan.reverse ?? [],
    manual: plan.manual,
  };
}

function describeRecord({ name, ttl, data }: PlannedChange['rrsetBefore'][number]): Record<string, unknown> {
  return { name, ttl, type: typeOf(data), value: formatData(data) };
}

function countPlan({ server, zones, reverse = [] }: PlanView): string {
  const records = zones.reduce((sum, { changes }) => sum + changes.length, 0);
  const names = reverse.length === 0 ? '' : `, ${count(reverse.length, 'reverse name')}`;
  return `${count(server.length, 'step')} on the server, ${count(records, 'DNS record')}${names}`;
}

function renderReverse({ chalk }: Style, changes: NonNullable<PlanView['reverse']>): string[] {
  const places = [...new Set(changes.map(({ at }) => at))];
  return places.flatMap((place) => {
    const rows = changes
      .filter(({ at }) => at === place)
      .map(({ address, before, after }) => [
        before === undefined ? chalk.green('+') : chalk.yellow('~'),
        'PTR',
        address,
        sanitizeLine(before === undefined ? after : `${before} -> ${after}`, 600),
      ]);
    return ['', chalk.bold(`Reverse names: ${place}`), ...alignColumns(rows).map((line) => `  ${line}`)];
  });
}

export function renderServer(
  io: Io,
  { chalk, bar, mark }: Style,
  { server, edited = [] }: PlanView,
): string[] {
  const lines: string[] = [];
  let run: string | undefined;
  for (const step of server) {
    if (step.run !== run) lines.push('', chalk.bold(`Server: ${runTitles[step.run]}`));
    run = step.run;
    const diff = step.preview ?? [];
    lines.push(
      `  ${chalk.green('+')} ${sanitizeLine(step.title)}  ${chalk.dim(sanitizeLine(step.reason) + countDiff(diff))}`,
    );
    if (io.verbose) lines.push(...diff.map((line) => `    ${bar} ${colorDiff(chalk, sanitizeLine(line))}`));
  }
  if (edited.length > 0) lines.push('', chalk.bold('Server: changed by somebody else'));
  for (const { path, reason, kept } of edited)
    lines.push(
      `  ${kept ? mark.info : mark.fail} ${path}  ${chalk.dim(kept ? `${reason}; it is kept` : reason)}`,
    );
  return lines;
}

function countDiff(diff: readonly string[]): string {
  const added = diff.filter((line) => line.startsWith('+') && !line.startsWith('+++')).length;
  const removed = diff.filter((line) => line.startsWith('-') && !line.startsWith('---')).length;
  return added + removed === 0 ? '' : `  (+${added} -${removed} lines)`;
}

function colorDiff(chalk: Style['chalk'], line: string): string {
  if (line.startsWith('+')) return chalk.green(line);
  return line.startsWith('-') ? chalk.red(line) : chalk.dim(line);
}

export function renderZone(io: Io, style: Style, plan: ZonePlan): string[] {
  const { chalk, mark } = style;
  const lines = ['', chalk.bold(`DNS: ${plan.zone.name}`)];
  if (plan.changes.length === 0) lines.push(chalk.dim('  no record changes'));
  const rows = plan.changes.map((change) => renderChange(style, change));
  lines.push(...alignColumns(rows).map((line) => `  ${line}`));
  if (plan.kept.length > 0) {
    if (!io.verbose)
      lines.push(chalk.dim(`  ${count(plan.kept.length, 'record')} kept as found (--verbose shows them)`));
    else
      lines.push(
        ...plan.kept.map(({ name, reason }) => chalk.dim(`  = ${sanitizeLine(`${name}  ${reason}`)}`)),
      );
  }
  for (const { level, text } of plan.notes) {
    const [first = '', ...rest] = wrapText(sanitizeLine(text, 1000), io.out.width - 4);
    lines.push(`  ${mark[level]} ${first}`, ...rest.map((line) => `    ${line}`));
  }
  for (const wait of plan.waits)
    lines.push(chalk.dim(`  waits ${wait.seconds} s before ${wait.before}: ${wait.reason}`));
  for (const conflict of plan.conflicts) lines.push(...renderConflict(io, style, conflict));
  return lines;
}

function renderChange({ chalk }: Style, change: PlannedChange): string[] {
  const record = change.after ?? change.before;
  if (record === undefined) return [signs[change.op], change.role];
  const color = { create: chalk.green, update: chalk.yellow, delete: chalk.red }[change.op];
  const after = change.after === undefined ? undefined : formatData(change.after.data);
  const before = change.before === undefined ? undefined : formatData(change.before.data);
  const shown = change.pending === undefined ? after : `(known after apply: ${change.pending})`;
  const value =
    before !== undefined && after !== undefined && before !== shown
      ? `${before} -> ${shown}`
      : (shown ?? before);
  return [
    color(signs[change.op]),
    typeOf(record.data),
    sanitizeLine(record.name),
    `${sanitizeLine(value ?? '', 5000)}  ${chalk.dim(sanitizeLine(change.reason))}`,
  ];
}

/** What to enter where nobody else can, in forms to be copied from. */
export function renderHandWork(plan: ZonePlan): string[] {
  if (plan.manual !== true || plan.conflicts.length > 0) return [];
  const known = plan.changes.filter(({ pending }) => pending === undefined);
  const later = plan.changes.length - known.length;
  return [
    ...(known.length > 0 ? ['', ...renderInstructions(plan.zone, known.map(toChange))] : []),
    ...(later > 0
      ? ['', `${count(later, 'more record')} of ${plan.zone.name} will be known during apply.`]
      : []),
  ];
}

function renderConflict(
  io: Io,
  { chalk, mark, bar }: Style,
  { what, evidence, fix, code }: Conflict,
): string[] {
  return [
    `  ${mark.fail} ${chalk.bold(sanitizeLine(what))} ${chalk.dim(`[${code}]`)}`,
    ...evidence.map((line) => `    ${bar} ${sanitizeLine(line, 1000)}`),
    ...fix.flatMap((line) => wrapText(sanitizeLine(line, 1000), io.out.width, '    ')),
  ];
}

/** What only the user can do; also part of the summary at the end. */
export function renderManual(io: Io, { chalk, mark }: Style, steps: readonly ManualStep[]): string[] {
  const lines = ['', chalk.bold('By hand')];
  for (const { title, detail } of steps) {
    lines.push(`  ${mark.info} ${sanitizeLine(title)}`);
    for (const line of detail) lines.push(...wrapText(sanitizeLine(line, 1000), io.out.width, '    '));
  }
  return lines;
}
