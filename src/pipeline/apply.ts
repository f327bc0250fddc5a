import type { ApplyOptions } from '../cli/commands/apply.js';
import type { Outcome, Run } from '../cli/outcome.js';
import { chooseServer, chooseServers, openServerSession } from './choose-servers.js';
import { applyFleet } from './fleet-apply.js';
import { type ApplyRequest, prepareJourney } from './prepare-journey.js';
import { travel } from './road.js';
import type { Session } from './session.js';

/** `apply`: the configuration made so. */
export const runApply: Run<ApplyOptions> = async (context, options) => {
  const chosen = await chooseServers(context, options);
  if (chosen.length > 1) return applyFleet(context, options, chosen);
  const session = await openServerSession(context, options, chosen[0]);
  const { config, hostname } = chooseServer(session, session.answers);
  const { consents, yes } = options;
  return applyConfig(session, { config, hostname, consents, yes, command: 'apply' });
};

/** Server and zones read at once, then the road. */
export async function applyConfig(session: Session, request: ApplyRequest): Promise<Outcome> {
  const prepared = await prepareJourney(session, request);
  return 'outcome' in prepared ? prepared.outcome : travel(prepared.journey);
}
