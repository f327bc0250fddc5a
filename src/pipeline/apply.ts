import type { ApplyOptions } from '../cli/commands/apply.js';
import type { Run } from '../cli/outcome.js';
import type { Answers } from '../config/answers.js';
import { mergeAnswers } from '../config/merge-answers.js';
import type { Config } from '../config/schema.js';
import { Exit, SetupError } from '../errors.js';
import { renderPreflight } from '../ui/report/preflight.js';
import { readConsents } from './consents.js';
import { openResolvers } from './open-resolvers.js';
import { preflight, reachServer, settleRunning, worthShowing } from './prepare.js';
import { travel } from './road.js';
import { openSession, type Session } from './session.js';
import { domainsOf, surveyZones } from './survey.js';
import { prepareTakeOver } from './take-over.js';

/** `apply`: the configuration made so. */
export const runApply: Run<ApplyOptions> = async (context, options) => {
  const consents = readConsents(options.consents);
  const session = await openSession(context, { ...options, needsConfig: true });
  const { answers } = session;
  const { config: given, hostname } = chooseServer(session, answers);
  const names = [hostname, ...domainsOf(given, hostname).map(([name]) => name)];
  const resolvers = await openResolvers(session, names);
  const [first, zones] = await Promise.all([
    reachServer(session, answers, { egress: 'when-fresh' }),
    surveyZones(session, given, hostname, resolvers),
  ]);
  const config = prepareTakeOver(given, hostname, zones, consents);
  const reached = await settleRunning(session, first, await context.createProgress());
  const server = config.servers[hostname];
  if (server === undefined) throw new Error('the chosen server is not in the configuration');
  preflight(session, reached, hostname, server, (findings) => {
    const shown = worthShowing(findings, context.io.verbose);
    if (shown.length > 0) context.io.say(renderPreflight(context.io, shown));
  });
  return travel({
    session,
    reached,
    zones,
    resolvers,
    request: {
      config,
      hostname,
      answers,
      mailboxes: [],
      consents,
      onConflict: options.consents.onConflict,
    },
    yes: options.yes,
    command: 'apply',
  });
};

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
