import type { PlanOptions } from '../cli/commands/plan.js';
import type { Run } from '../cli/outcome.js';
import { Exit } from '../errors.js';
import { refuseConflicts } from '../plan/build-server-plan.js';
import { isEmptyPlan, planDocument, renderPlan } from '../ui/report/plan.js';
import { preflightDocument } from '../ui/report/preflight.js';
import { chooseServers, openServerSession } from './choose-servers.js';
import { planFleet } from './fleet-plan.js';
import { forecast } from './forecast.js';
import { refuseDnsConflicts, toPlanView } from './make-plan.js';

/** `plan`: what `apply` would do. Writes nothing, anywhere. */
export const runPlan: Run<PlanOptions> = async (context, options) => {
  const chosen = await chooseServers(context, options);
  if (chosen.length > 1) return planFleet(context, options, chosen);
  const session = await openServerSession(context, options, chosen[0]);
  const { io } = context;
  const { plan, findings } = await forecast(session, options);
  const { onConflict } = options.consents;
  const view = toPlanView(plan, onConflict);
  io.print(renderPlan(io, view));
  refuseDnsConflicts(plan);
  refuseConflicts(plan.server, onConflict);
  const pending = !isEmptyPlan(view);
  return {
    exit: pending && options.exitCode ? Exit.pending : Exit.ok,
    document: { ...planDocument(view), ...preflightDocument(findings) },
  };
};
