import type { ConsentFlags } from '../cli/flags.js';
import type { Outcome } from '../cli/outcome.js';
import type { Config } from '../config/schema.js';
import { renderPreflight } from '../ui/report/preflight.js';
import { askBlockLists } from './ask-block-lists.js';
import { readConsents } from './consents.js';
import type { PlanRequest } from './make-plan.js';
import { openResolvers, type Resolvers } from './open-resolvers.js';
import { preflight, type Reached, reachServer, settleRunning, worthShowing } from './prepare.js';
import type { Journey } from './road.js';
import type { Session } from './session.js';
import { domainsOf, surveyZones, type ZoneCache, type ZoneSurvey } from './survey.js';
import { prepareForeignPostfix, prepareTakeOver } from './take-over.js';

/** A configuration to be made so, and what a day-two command wants beside it. */
export interface ApplyRequest {
  config: Config;
  hostname: string;
  consents: ConsentFlags;
  yes: boolean;
  command: string;
  /** What the configuration shall say in the end, when zones are to be read that it does not name any more. */
  finalConfig?: Config;
  /** Asked once server and zones are read; throws when the command cannot be. */
  prepare?(
    reached: Reached,
    zones: readonly ZoneSurvey[],
    resolvers: Resolvers,
  ): Promise<Preparation> | Preparation;
}

export interface Preparation {
  request?: Pick<PlanRequest, 'first' | 'nextDkim' | 'retiredDkim' | 'relayLogins'>;
  journey?: Pick<Journey, 'removals' | 'adjustLock' | 'onConsent'>;
  /** Nothing is to be done; said instead of a plan. */
  outcome?: Outcome;
}

/** What a command that looks at several servers has opened for all of them. */
export interface Surroundings {
  resolvers: Resolvers;
  zones: ZoneCache;
}

/** Server and zones read at once, and the server found fit. */
export async function prepareJourney(
  session: Session,
  request: ApplyRequest,
  around?: Surroundings,
): Promise<{ journey: Journey } | { outcome: Outcome }> {
  const { config: given, hostname, yes, command } = request;
  const { context, answers } = session;
  const consents = readConsents(request.consents);
  const names = [hostname, ...domainsOf(given, hostname).map(([name]) => name)];
  const resolvers = around?.resolvers ?? (await openResolvers(session, names));
  const [first, zones] = await Promise.all([
    reachServer(session, answers, { egress: 'when-fresh' }),
    surveyZones(session, given, hostname, resolvers, around?.zones),
  ]);
  const reached = await settleRunning(session, first, await context.createProgress());
  const config = prepareForeignPostfix(
    prepareTakeOver(request.finalConfig ?? given, hostname, zones, consents),
    hostname,
    reached.facts,
    request.consents.onConflict,
  );
  const server = config.servers[hostname];
  if (server === undefined) throw new Error('the chosen server is not in the configuration');
  const listings = await askBlockLists(reached, config, hostname, resolvers);
  preflight(reached, hostname, server, listings, (findings) => {
    const shown = worthShowing(findings, context.io.verbose);
    if (shown.length > 0) context.io.say(renderPreflight(context.io, shown));
  });
  const prepared = (await request.prepare?.(reached, zones, resolvers)) ?? {};
  if (prepared.outcome !== undefined) return { outcome: prepared.outcome };
  return {
    journey: {
      ...prepared.journey,
      session,
      reached,
      zones,
      resolvers,
      request: {
        ...prepared.request,
        config,
        hostname,
        answers,
        mailboxes: [],
        consents,
        onConflict: request.consents.onConflict,
      },
      yes,
      command,
    },
  };
}
