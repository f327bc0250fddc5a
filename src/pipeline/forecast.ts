import type { Finding } from '../checks/check.js';
import type { PlanOptions } from '../cli/commands/plan.js';
import { renderPreflight } from '../ui/report/preflight.js';
import { askBlockLists } from './ask-block-lists.js';
import { chooseServer } from './choose-servers.js';
import { readConsents } from './consents.js';
import { type FullPlan, makePlan } from './make-plan.js';
import { openResolvers, type Resolvers } from './open-resolvers.js';
import { preflight, reachServer, worthShowing } from './prepare.js';
import type { Session } from './session.js';
import { domainsOf, surveyZones, type ZoneCache } from './survey.js';
import { prepareForeignPostfix, prepareTakeOver } from './take-over.js';

export interface Forecast {
  plan: FullPlan;
  findings: readonly Finding[];
}

/** What `apply` would do to one server and its zones; writes nothing, anywhere. */
export async function forecast(
  session: Session,
  options: Pick<PlanOptions, 'consents'>,
  around?: { resolvers: Resolvers; zones: ZoneCache },
): Promise<Forecast> {
  const consents = readConsents(options.consents);
  const { answers, context } = session;
  const { io } = context;
  const { config: given, hostname } = chooseServer(session, answers);
  const names = [hostname, ...domainsOf(given, hostname).map(([name]) => name)];
  const resolvers = around?.resolvers ?? (await openResolvers(session, names));
  const [reached, zones] = await Promise.all([
    reachServer(session, answers, { egress: 'when-fresh' }),
    surveyZones(session, given, hostname, resolvers, around?.zones),
  ]);
  const config = prepareForeignPostfix(
    prepareTakeOver(given, hostname, zones, consents),
    hostname,
    reached.facts,
    options.consents.onConflict,
  );
  const server = config.servers[hostname];
  if (server === undefined) throw new Error('the chosen server is not in the configuration');
  const { connection } = reached.link;
  const { running } = reached.facts.state;
  if (running !== undefined) {
    io.say(
      `A run is at work on the server (${running.id}, ${running.who}); what it changes is not in this plan yet.`,
    );
  }
  const listings = await askBlockLists(reached, config, hostname, resolvers);
  const findings = preflight(reached, hostname, server, listings, (found) => {
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
  return { plan, findings };
}
