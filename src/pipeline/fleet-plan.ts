import type { PlanOptions } from '../cli/commands/plan.js';
import type { Context } from '../cli/context.js';
import type { Outcome } from '../cli/outcome.js';
import { Exit } from '../errors.js';
import { refuseConflicts } from '../plan/build-server-plan.js';
import { renderFleetPlan } from '../ui/report/fleet.js';
import { isEmptyPlan, planDocument } from '../ui/report/plan.js';
import { preflightDocument } from '../ui/report/preflight.js';
import { type FleetOptions, forEachMember, openFleet, reportFailures } from './fleet.js';
import { forecast } from './forecast.js';
import { refuseDnsConflicts, toPlanView } from './make-plan.js';

/** `plan` of several servers: looked at side by side, shown as one. */
export async function planFleet(
  context: Context,
  options: PlanOptions & FleetOptions,
  hostnames: readonly string[],
): Promise<Outcome> {
  const { io } = context;
  const fleet = await openFleet(context, options, hostnames);
  const looked = await forEachMember(fleet.members, options.parallel, (member) =>
    forecast(member, options, fleet.around),
  );
  const { onConflict } = options.consents;
  const plans = looked.flatMap((result) => (result.ok ? [result.value] : []));
  const views = plans.map(({ plan }) => toPlanView(plan, onConflict));
  io.print(renderFleetPlan(io, views));
  const judged = looked.map((result) => {
    if (!result.ok) return result;
    try {
      refuseDnsConflicts(result.value.plan);
      refuseConflicts(result.value.plan.server, onConflict);
      return result;
    } catch (error) {
      return { hostname: result.hostname, ok: false as const, error };
    }
  });
  const errors = reportFailures(context, judged);
  const pending = views.some((view) => !isEmptyPlan(view));
  const exit = errors.size > 0 ? Exit.failed : pending && options.exitCode ? Exit.pending : Exit.ok;
  return {
    exit,
    document: {
      pending,
      servers: [
        ...plans.map(({ plan, findings }) => ({
          ...planDocument(toPlanView(plan, onConflict)),
          ...preflightDocument(findings),
        })),
        ...looked.flatMap((result) => (result.ok ? [] : [{ hostname: result.hostname }])),
      ].map((server) => withError(server, errors)),
    },
  };
}

function withError(
  server: Readonly<Record<string, unknown>>,
  errors: ReadonlyMap<string, unknown>,
): Record<string, unknown> {
  const error = errors.get(String(server.hostname));
  return { ...server, ...(error === undefined ? {} : { error }) };
}
