import type { ApplyOptions } from '../cli/commands/apply.js';
import type { Context } from '../cli/context.js';
import type { Outcome } from '../cli/outcome.js';
import type { Config } from '../config/schema.js';
import { Exit } from '../errors.js';
import { renderFleetEnd, renderFleetPlan } from '../ui/report/fleet.js';
import { isEmptyPlan } from '../ui/report/plan.js';
import { renderSummary } from '../ui/report/summary.js';
import { chooseServer } from './choose-servers.js';
import {
  type ErrorText,
  type Fleet,
  type FleetOptions,
  forEachMember,
  type MemberResult,
  openFleet,
  reportFailures,
} from './fleet.js';
import { prepareJourney } from './prepare-journey.js';
import { begin, carryThrough, consent, type PlannedJourney, planJourney, settleEmpty } from './road.js';
import type { Session } from './session.js';
import { domainsOf } from './survey.js';

/** `apply` to several servers: one plan, one question, then side by side. */
export async function applyFleet(
  context: Context,
  options: ApplyOptions & FleetOptions,
  hostnames: readonly string[],
): Promise<Outcome> {
  const { io } = context;
  const fleet = await openFleet(context, options, hostnames);
  const looking = await context.createProgress();
  fleet.showProgress(looking);
  const looked = await forEachMember(fleet.members, options.parallel, (member) =>
    look(member, options, fleet),
  ).finally(() => looking.stop());
  const planned = looked.flatMap((result) => (result.ok ? [result.value] : []));
  const views = planned.map(({ view }) => view);
  if (views.every(isEmptyPlan)) {
    const settled = await forEachPlanned(fleet, planned, options.parallel, settleEmpty);
    io.print(renderFleetPlan(io, views));
    return finish(context, settled, reportFailures(context, looked));
  }
  io.say(renderFleetPlan(io, views));
  const early = reportFailures(context, looked);
  const [first] = fleet.members;
  if (first !== undefined) await consent(first, options.yes);
  const log = await context.openLog('apply');
  await decide(planned);
  const progress = await context.createProgress(log);
  fleet.showProgress(progress);
  const ends = new Map(planned.map((one) => [one, fleet.begin(one.plan.hostname)]));
  const done = await forEachPlanned(fleet, planned, options.parallel, async (one) => {
    if (isEmptyPlan(one.view)) return settleEmpty(one).finally(ends.get(one));
    const { io: own, createProgress } = one.journey.session.context;
    const { summary, document, left } = await carryThrough(one, await createProgress()).finally(
      ends.get(one),
    );
    own.print(renderSummary(own, summary));
    if (left !== undefined) throw left;
    return document;
  }).finally(() => progress.stop());
  return finish(context, done, early);
}

async function look(member: Session, options: ApplyOptions, fleet: Fleet): Promise<PlannedJourney> {
  const { config, hostname } = chooseServer(member, member.answers);
  const { consents, yes } = options;
  const request = { config, hostname, consents, yes, command: 'apply' };
  const prepared = await prepareJourney(member, request, fleet.around);
  if ('outcome' in prepared) throw new Error('a plan of the configuration is never left out');
  return planJourney(prepared.journey);
}

function forEachPlanned<T>(
  fleet: Fleet,
  planned: readonly PlannedJourney[],
  parallel: number,
  work: (planned: PlannedJourney) => Promise<T>,
): Promise<MemberResult<T>[]> {
  const bySession = new Map(planned.map((one) => [one.journey.session, one]));
  const members = fleet.members.filter((member) => bySession.has(member));
  return forEachMember(members, parallel, async (member) => {
    const one = bySession.get(member);
    if (one === undefined) throw new Error('no plan for a server that was planned');
    return work(one);
  });
}

/** What each plan decided stands in one configuration, written before the first change. */
async function decide(planned: readonly PlannedJourney[]): Promise<void> {
  const [first] = planned;
  const base = first?.journey.session.loaded?.config;
  if (base === undefined) return;
  const config: Config = { ...base, servers: { ...base.servers }, domains: { ...base.domains } };
  for (const { journey } of planned) {
    const { hostname, config: own } = journey.request;
    const server = own.servers[hostname];
    if (server !== undefined) config.servers[hostname] = server;
    for (const [name, domain] of domainsOf(own, hostname)) config.domains[name] = domain;
  }
  for (const { journey } of planned) {
    journey.request = { ...journey.request, config };
    await begin(journey);
  }
}

function finish(
  context: Context,
  results: readonly MemberResult<Readonly<Record<string, unknown>>>[],
  early: ReadonlyMap<string, ErrorText>,
): Outcome {
  const errors = new Map([...early, ...reportFailures(context, results)]);
  const done = results.flatMap((result) => (result.ok ? [result] : []));
  const changed = done.some(({ value }) => value.changed === true);
  context.io.say(
    renderFleetEnd(
      context.io,
      done.map(({ hostname }) => hostname),
      [...errors.keys()],
    ),
  );
  return {
    exit: errors.size > 0 ? Exit.failed : Exit.ok,
    document: {
      changed,
      servers: [
        ...done.map(({ hostname, value }) => ({ hostname, ...value })),
        ...[...errors].map(([hostname, error]) => ({ hostname, error })),
      ],
    },
  };
}
