import type { ZonePlan } from '../../dns/zone-plan.js';
import { createStyle } from '../colors.js';
import type { Io } from '../io.js';
import { count } from '../text.js';
import {
  isEmptyPlan,
  type PlanView,
  renderHandWork,
  renderHeadline,
  renderManual,
  renderServer,
  renderZone,
} from './plan.js';

/** One plan over several servers and their zones; a zone that two of them write to is shown once. */
export function renderFleetPlan(io: Io, plans: readonly PlanView[]): string {
  const style = createStyle(io.out);
  const lines: string[] = [];
  for (const plan of plans) {
    if (lines.length > 0) lines.push('');
    lines.push(renderHeadline(style, plan), ...renderServer(io, style, plan));
    if (plan.manual.length > 0) lines.push(...renderManual(io, style, plan.manual));
  }
  const zones = joinZones(plans.flatMap((plan) => plan.zones));
  for (const zone of zones) lines.push(...renderZone(io, style, zone));
  for (const zone of zones) lines.push(...renderHandWork(zone));
  const changing = plans.filter((plan) => !isEmptyPlan(plan)).length;
  if (plans.length > 0)
    lines.push(
      '',
      style.chalk.bold(
        `${count(plans.length, 'server')}: ${changing} to change, ${plans.length - changing} as planned`,
      ),
    );
  return lines.join('\n');
}

/** The last line of an apply to several servers. */
export function renderFleetEnd(io: Io, done: readonly string[], failed: readonly string[]): string {
  const { mark } = createStyle(io.err);
  if (failed.length === 0)
    return `${mark.done} ${count(done.length, 'server')} as planned: ${done.join(', ')}`;
  const rest = done.length === 0 ? '' : `; as planned: ${done.join(', ')}`;
  return `${mark.fail} not as planned: ${failed.join(', ')}${rest}`;
}

function joinZones(zones: readonly ZonePlan[]): ZonePlan[] {
  const joined = new Map<string, ZonePlan>();
  for (const plan of zones) {
    const { name } = plan.zone;
    const before = joined.get(name);
    joined.set(
      name,
      before === undefined
        ? plan
        : {
            ...before,
            changes: [...before.changes, ...plan.changes],
            kept: [...before.kept, ...plan.kept],
            conflicts: [...before.conflicts, ...plan.conflicts],
            notes: [
              ...before.notes,
              ...plan.notes.filter((note) => !before.notes.some(({ text }) => text === note.text)),
            ],
            waits: [...before.waits, ...plan.waits],
          },
    );
  }
  return [...joined.values()];
}
