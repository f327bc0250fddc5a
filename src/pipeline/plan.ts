import type { PlanOptions } from '../cli/commands/plan.js';
import type { Run } from '../cli/outcome.js';
import { Exit } from '../errors.js';
import { isEmptyPlan, planDocument, renderPlan } from '../ui/report/plan.js';
import { preflightDocument, renderPreflight } from '../ui/report/preflight.js';
import { chooseServer } from './apply.js';
import { readConsents } from './consents.js';
import { makePlan, refuseDnsConflicts, toPlanView } from './make-plan.js';
import { openResolvers } from './open-resolvers.js';
import { preflight, reachServer, worthShowing } from './prepare.js';
import { openSession } from './session.js';
import { domainsOf, surveyZones } from './survey.js';
import { prepareTakeOver } from './take-over.js';

/** `plan`: what `apply` would do. Writes nothing, anywhere. */
export const runPlan: Run<PlanOptions> = async (context, options) => {
  const consents = readConsents(options.consents);
  const session = await openSession(context, { ...options, needsConfig: true });
  const { answers } = session;
  const { config: given, hostname } = chooseServer(session, answers);
  const resolvers = await openResolvers(session, [
    hostname,
    ...domainsOf(given, hostname).map(([name]) => name),
  ]);
  const [reached, zones] = await Promise.all([
    reachServer(session, answers, { egress: 'when-fresh' }),
    surveyZones(session, given, hostname, resolvers),
  ]);
  const config = prepareTakeOver(given, hostname, zones, consents);
  const server = config.servers[hostname];
  if (server === undefined) throw new Error('the chosen server is not in the configuration');
  const { io } = context;
  const { connection } = reached.link;
  const { running } = reached.facts.state;
  if (running !== undefined) {
    io.say(
      `A run is at work on the server (${running.id}, ${running.who}); what it changes is not in this plan yet.`,
    );
  }
  const findings = preflight(session, reached, hostname, server, (found) => {
    const shown = worthShowing(found, io.verbose);
    if (shown.length > 0) io.say(renderPreflight(io, shown));
  });
  const plan = await makePlan(session, connection, reached.components, reached.facts, zones, resolvers, {
    config,
    hostname,
    answers,
    mailboxes: [],
    consents,
    onConflict: options.consents.onConflict,
  });
  await connection.close();
  const view = toPlanView(plan);
  io.print(renderPlan(io, view));
  refuseDnsConflicts(plan);
  const pending = !isEmptyPlan(view);
  return {
    exit: pending && options.exitCode ? Exit.pending : Exit.ok,
    document: { ...planDocument(view), ...preflightDocument(findings) },
  };
};
