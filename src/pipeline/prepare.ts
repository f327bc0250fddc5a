import { busyError, describeClient, judgeHolder } from '../apply/holder.js';
import { loadRunTexts } from '../apply/load-library.js';
import { reattachRun } from '../apply/server-lane.js';
import type { Finding } from '../checks/check.js';
import { checkPreflight, refuseUnsuitable } from '../checks/preflight/index.js';
import type { Component } from '../components/component.js';
import type { Answers } from '../config/answers.js';
import type { ServerConfig } from '../config/schema.js';
import { messageOf, SetupError } from '../errors.js';
import type { Facts } from '../facts/index.js';
import { buildModel } from '../plan/build-model.js';
import { runNames } from '../plan/step.js';
import type { Progress } from '../ui/events.js';
import { connectServer, type ServerLink } from './connect-server.js';
import { openComponents } from './make-plan.js';
import { readMyself, type Session } from './session.js';
import { createRunListener } from './show-run.js';
import { surveyServer } from './survey.js';

/** The server, reached and read. */
export interface Reached {
  link: ServerLink;
  components: readonly Component[];
  facts: Facts;
  /** This machine's clock, in seconds, when the facts were asked for: a person may think for minutes after that. */
  askedAt: number;
}

/** Logs in and reads the facts. `egress: false` leaves out the slow question about outbound port 25 (amendment A6). */
export async function reachServer(
  session: Session,
  answers: Answers,
  options: { egress: 'ask' | 'when-fresh' },
): Promise<Reached> {
  const components = await openComponents(session);
  const link = await connectServer(session, answers);
  const { signal } = session.context;
  const hosts = options.egress === 'ask' ? undefined : [];
  const askedAt = secondsNow(session);
  const facts = await surveyServer(link.connection, components, signal, hosts);
  // On a server that we never touched the answer decides whether to begin at all.
  if (hosts === undefined || facts.state.manifest !== 'absent') return { link, components, facts, askedAt };
  const again = secondsNow(session);
  return { link, components, facts: await surveyServer(link.connection, components, signal), askedAt: again };
}

/** This machine's clock, as {@link Reached.askedAt} has it. */
export function secondsNow({ context }: Session): number {
  return Math.floor(context.clock() / 1000);
}

/**
 * When a run goes on: one of ours whose client died is followed to its end and the facts are read again; anybody else's
 * is named (E_BUSY, exit 6).
 */
export async function settleRunning(
  session: Session,
  reached: Reached,
  progress: Progress,
): Promise<Reached> {
  const { running } = reached.facts.state;
  if (running === undefined) return reached;
  const me = readMyself(session.context);
  if (judgeHolder(running, me, isAlive) !== 'ours') throw busyError(running);
  progress.emit({
    kind: 'notice',
    level: 'info',
    text: `The run ${running.id} that ${describeClient(me)} goes on from is still at work; following it.`,
  });
  const name = runNames.find((run) => run === running.name) ?? 'install';
  let { connection }: { connection: ServerLink['connection'] } = reached.link;
  try {
    await reattachRun(running.id, {
      connection,
      connector: reached.link.connector,
      texts: await loadRunTexts(),
      signal: session.context.signal,
      onEvent: createRunListener(name, progress),
    });
  } catch (error) {
    // Its failure is history: the plan that follows looks at what is there now.
    if (!(error instanceof SetupError) || !['E_STEP_FAILED', 'E_RUN_DIED'].includes(error.code)) throw error;
    progress.emit({ kind: 'notice', level: 'warn', text: messageOf(error) });
  }
  connection = await reached.link.connector.connect(session.context.signal);
  const askedAt = secondsNow(session);
  const facts = await surveyServer(connection, reached.components, session.context.signal, []);
  return { ...reached, link: { ...reached.link, connection }, facts, askedAt };
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** What is worth a line when nothing is asked about it: trouble, and everything under `--verbose`. */
export function worthShowing(findings: readonly Finding[], verbose: boolean): readonly Finding[] {
  return verbose ? findings : findings.filter(({ status }) => status === 'fail' || status === 'warn');
}

/** Refused by the preflight itself; only so that it can say so together with everything else. */
const unknownSystem = { id: 'unknown', version: '', codename: '', name: 'unknown', like: [] };

/** Everything that the server's facts say before anything is changed. Throws E_UNSUITABLE (exit 5) after `show`. */
export function preflight(
  { link, components, facts, askedAt }: Reached,
  hostname: string,
  server: ServerConfig,
  /** What block lists say, where they were asked. */
  listings: readonly Finding[],
  show: (findings: readonly Finding[]) => void,
): Finding[] {
  const { remoteAddress } = link.connection;
  const os = facts.os ?? unknownSystem;
  const { model } = buildModel({ hostname, server, domains: [], os, facts, acme: {}, ipv6: false });
  const judged = checkPreflight(facts, {
    hostname,
    ports: components.flatMap((component) => [...component.ports(model)]),
    packages: [...new Set(components.flatMap((component) => [...component.packages(model)]))],
    now: askedAt,
    ...(remoteAddress === '' ? {} : { remoteAddress }),
    ipv6: server.ipv6,
    relay: server.relay !== undefined,
    sendsOnly: server.profile === 'send-only',
  });
  const findings = [...judged, ...listings];
  // A question that was not put has no answer to show.
  const asked =
    facts.outbound.length > 0 ? findings : findings.filter(({ id }) => !id.startsWith('SRV-PORT25'));
  show(asked);
  refuseUnsuitable(asked);
  return asked;
}
