import type { ApplyOptions } from '../cli/commands/apply.js';
import type { ConsentFlags } from '../cli/flags.js';
import type { Outcome, Run } from '../cli/outcome.js';
import type { Answers } from '../config/answers.js';
import { mergeAnswers } from '../config/merge-answers.js';
import type { Config } from '../config/schema.js';
import { Exit, SetupError } from '../errors.js';
import { renderPreflight } from '../ui/report/preflight.js';
import { readConsents } from './consents.js';
import type { PlanRequest } from './make-plan.js';
import { openResolvers, type Resolvers } from './open-resolvers.js';
import { preflight, type Reached, reachServer, settleRunning, worthShowing } from './prepare.js';
import { type Journey, travel } from './road.js';
import { openSession, type Session } from './session.js';
import { domainsOf, surveyZones, type ZoneSurvey } from './survey.js';
import { prepareTakeOver } from './take-over.js';

/** `apply`: the configuration made so. */
export const runApply: Run<ApplyOptions> = async (context, options) => {
  const session = await openSession(context, { ...options, needsConfig: true });
  const { config, hostname } = chooseServer(session, session.answers);
  const { consents, yes } = options;
  return applyConfig(session, { config, hostname, consents, yes, command: 'apply' });
};

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
  request?: Pick<PlanRequest, 'first' | 'nextDkim' | 'retiredDkim'>;
  journey?: Pick<Journey, 'removals' | 'adjustLock' | 'onConsent'>;
  /** Nothing is to be done; said instead of a plan. */
  outcome?: Outcome;
}

/** Server and zones read at once, then the road. */
export async function applyConfig(session: Session, request: ApplyRequest): Promise<Outcome> {
  const { config: given, hostname, yes, command } = request;
  const { context, answers } = session;
  const consents = readConsents(request.consents);
  const names = [hostname, ...domainsOf(given, hostname).map(([name]) => name)];
  const resolvers = await openResolvers(session, names);
  const [first, zones] = await Promise.all([
    reachServer(session, answers, { egress: 'when-fresh' }),
    surveyZones(session, given, hostname, resolvers),
  ]);
  const config = prepareTakeOver(request.finalConfig ?? given, hostname, zones, consents);
  const reached = await settleRunning(session, first, await context.createProgress());
  const server = config.servers[hostname];
  if (server === undefined) throw new Error('the chosen server is not in the configuration');
  preflight(session, reached, hostname, server, (findings) => {
    const shown = worthShowing(findings, context.io.verbose);
    if (shown.length > 0) context.io.say(renderPreflight(context.io, shown));
  });
  const prepared = (await request.prepare?.(reached, zones, resolvers)) ?? {};
  if (prepared.outcome !== undefined) return prepared.outcome;
  return travel({
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
  });
}

/** The server that flags or an unambiguous configuration mean, and the configuration with the flags laid over it. */
export function chooseServer(session: Session, answers: Answers): { config: Config; hostname: string } {
  const config = mergeAnswers(session.loaded?.config, answers);
  const hosts = Object.keys(config.servers);
  const hostname = answers.hostname?.value ?? (hosts.length === 1 ? hosts[0] : undefined);
  if (hostname !== undefined && config.servers[hostname] !== undefined)
    return { config: moveDns(config, hostname, answers), hostname };
  throw new SetupError({
    code: 'E_NO_SERVER',
    exit: Exit.usage,
    what: 'It is not clear which server is meant.',
    evidence: [`${session.configPath} names: ${hosts.join(', ') || 'none'}`],
    fix: ['Run smtp-setup init to add one.'],
  });
}

/** `--dns` without a domain means all of the server's domains. */
function moveDns(config: Config, hostname: string, { dns, domain }: Answers): Config {
  if (dns === undefined || domain !== undefined) return config;
  const moved = domainsOf(config, hostname).map(([name, own]) => [name, { ...own, dns: dns.value }] as const);
  return { ...config, domains: { ...config.domains, ...Object.fromEntries(moved) } };
}
