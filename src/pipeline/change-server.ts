import { setTimeout as sleep } from 'node:timers/promises';
import { busyError, describeClient, judgeHolder } from '../apply/holder.js';
import { loadRunTexts } from '../apply/load-library.js';
import { reattachRun, runServerPlan } from '../apply/server-lane.js';
import { Exit, messageOf, SetupError } from '../errors.js';
import type { Facts } from '../facts/index.js';
import { readSomeFacts } from '../facts/read-facts.js';
import { manifestSchema, type RunningRun } from '../facts/server-state.js';
import { compileRuns } from '../plan/compile-runs.js';
import type { AccountChange } from '../plan/plan-accounts.js';
import { runNames } from '../plan/step.js';
import type { Connection, Connector } from '../ssh/connection.js';
import { cancelledError } from '../ui/cancelled.js';
import type { Progress } from '../ui/events.js';
import { isEmptyPlan, type PlanView, renderPlan } from '../ui/report/plan.js';
import { connectServer } from './connect-server.js';
import type { ChangeState } from './owed-password.js';
import { isAlive } from './prepare.js';
import { createRunId, readMyself, type Session } from './session.js';
import { createRunListener } from './show-run.js';

/** What the day-two commands need to know of the server. */
export type ServerFacts = Pick<Facts, 'state' | 'accounts' | 'hostName'>;
const asked = ['state', 'accounts', 'hostName'] as const;

export interface ChangeRequest {
  /** Name of the command, for the log file. */
  command: string;
  /** `--yes`. */
  yes: boolean;
  /** May be asked again, with newer facts, when somebody else was faster. */
  plan(facts: ServerFacts, connection: Connection): Promise<AccountChange>;
  /** Told how far the change came. */
  onReach?(state: ChangeState): void;
}

export interface ChangeOutcome {
  changed: boolean;
  change: AccountChange;
  /** As read before the change. */
  facts: ServerFacts;
  hostname: string;
  roundTrips: number;
}

/** The connection of now: another one once it was cut in between. */
export interface Link {
  connection: Connection;
  readonly connector: Connector;
}

/** Milliseconds that we stand in line behind other clients. */
const patience = 3 * 60 * 1000;

/** Reads what day-two commands need. Throws E_NOT_INSTALLED (exit 5) when we never set this server up. */
export async function readServer(session: Session, link: Link): Promise<ServerFacts> {
  const facts = await readSomeFacts(link.connection, asked, session.context.signal);
  const { manifest } = facts.state;
  if (typeof manifest !== 'string' && manifest.schema > manifestSchema) {
    throw new SetupError({
      code: 'E_SERVER_NEWER',
      exit: Exit.unsuitable,
      what: 'This server is managed by a newer smtp-setup; nothing was changed.',
      fix: ['Update smtp-setup on this machine: npx smtp-setup@latest'],
    });
  }
  if (manifest !== 'absent' && facts.accounts.prepared) return facts;
  throw new SetupError({
    code: 'E_NOT_INSTALLED',
    exit: Exit.unsuitable,
    what: `${link.connection.target.host} was not set up by smtp-setup, or not to the end.`,
    evidence: ['It has no list of mailboxes.'],
    fix: ['Set it up: smtp-setup init', 'Go on with what was interrupted: smtp-setup apply'],
  });
}

/**
 * A small change on a finished server: facts → plan → consent → one run, on one connection. The run carries the server's
 * generation, so two clients never overwrite each other's work; who comes second stands in line and plans anew.
 */
export async function changeServer(session: Session, request: ChangeRequest): Promise<ChangeOutcome> {
  const { context } = session;
  const link: Link = await connectServer(session, session.answers);
  const deadline = context.clock() + patience;
  let progress: Progress | undefined;
  let agreed = '';
  try {
    for (;;) {
      const facts = await readServer(session, link);
      const { running } = facts.state;
      if (running !== undefined) {
        await standInLine(session, link, running, deadline);
        continue;
      }
      const change = await request.plan(facts, link.connection);
      const hostname = session.answers.hostname?.value ?? readHostName(facts, link);
      const view: PlanView = { hostname, server: change.steps, zones: [], manual: [] };
      for (const note of change.notes) context.io.say(note);
      const outcome = { change, facts, hostname };
      if (isEmptyPlan(view)) return { ...outcome, changed: false, roundTrips: link.connection.roundTrips };
      const wanted = change.steps.map(({ title }) => title).join('\n');
      if (wanted !== agreed) {
        context.io.say(renderPlan(context.io, view));
        await consent(session, request.yes);
      }
      agreed = wanted;
      progress ??= await context.createProgress(await context.openLog(request.command));
      request.onReach?.('due');
      if (await carryOut(session, link, facts, change, progress, deadline)) {
        request.onReach?.('done');
        return { ...outcome, changed: true, roundTrips: link.connection.roundTrips };
      }
      request.onReach?.('none');
    }
  } finally {
    progress?.stop();
    await link.connection.close();
  }
}

async function consent(session: Session, yes: boolean): Promise<void> {
  if (yes) return;
  const agreed = await session.asker.confirm({
    key: 'change',
    message: 'Make this change?',
    default: true,
    flag: '--yes',
  });
  if (!agreed) throw cancelledError();
}

/** False: another client was faster, and nothing was done. */
async function carryOut(
  session: Session,
  link: Link,
  facts: ServerFacts,
  change: AccountChange,
  progress: Progress,
  deadline: number,
): Promise<boolean> {
  const { context } = session;
  const texts = await loadRunTexts();
  const [run] = compileRuns(change.steps, {
    idOf: (name) => createRunId(context.clock(), name),
    generation: facts.state.generation,
    who: describeClient(readMyself(context)),
    library: texts.library,
    secrets: { install: change.secrets },
  });
  if (run === undefined) return true;
  try {
    const done = await runServerPlan(run, {
      connection: link.connection,
      connector: link.connector,
      texts,
      signal: context.signal,
      onEvent: createRunListener(run.name, progress),
    });
    link.connection = done.connection;
    return true;
  } catch (error) {
    if (!(error instanceof SetupError) || !['E_BUSY', 'E_OVERTAKEN'].includes(error.code)) throw error;
    if (context.clock() > deadline) throw error;
    await sleep(500 + 6 * (context.randomBytes(1)[0] ?? 0), undefined, { signal: context.signal });
    return false;
  }
}

/** A run of ours whose client died is followed to its end; anybody else's is waited for. Throws E_BUSY (exit 6). */
async function standInLine(
  session: Session,
  link: Link,
  running: RunningRun,
  deadline: number,
): Promise<void> {
  const { context } = session;
  if (judgeHolder(running, readMyself(context), isAlive) !== 'ours') {
    if (context.clock() > deadline) throw busyError(running);
    await sleep(2000, undefined, { signal: context.signal });
    return;
  }
  const progress = await context.createProgress();
  try {
    const name = runNames.find((candidate) => candidate === running.name) ?? 'install';
    const done = await reattachRun(running.id, {
      connection: link.connection,
      connector: link.connector,
      texts: await loadRunTexts(),
      signal: context.signal,
      onEvent: createRunListener(name, progress),
    });
    link.connection = done.connection;
  } catch (error) {
    // Its failure is history: the plan that follows looks at what is there now.
    if (!(error instanceof SetupError) || !['E_STEP_FAILED', 'E_RUN_DIED'].includes(error.code)) throw error;
    context.io.say(messageOf(error));
  } finally {
    progress.stop();
  }
}

function readHostName({ hostName }: ServerFacts, link: Link): string {
  return hostName.fqdn || hostName.static || link.connection.target.host;
}
