import { type ErrorDetails, Exit, messageOf, SetupError } from '../errors.js';
import type { RunResult } from '../facts/server-state.js';
import { sanitizeLine } from '../lib/sanitize.js';
import type { CompiledRun } from '../plan/compile-runs.js';
import type { Connection, Connector } from '../ssh/connection.js';
import { type FollowPosition, followRun } from './follow-run.js';
import type { RunTexts } from './load-library.js';
import { changesFirewall, proveLogin } from './prove-login.js';
import type { RunEvent } from './run-events.js';
import { startRun } from './start-run.js';

export interface LaneOptions {
  connection: Connection;
  /** Connects again after a cut. */
  connector: Connector;
  texts: RunTexts;
  onEvent(event: RunEvent): void;
  /** Asks the run to stop after its present step (Ctrl-C once). */
  signal?: AbortSignal;
  /** Waits before another try to connect, and the time in milliseconds; tests pass their own. */
  wait?(milliseconds: number): Promise<void>;
  now?(): number;
}

export interface LaneResult {
  result: RunResult;
  /** The live connection: another one than before when it was cut in between. */
  connection: Connection;
  /** Steps that failed without ending the run. */
  failed: readonly FailedStep[];
}

export interface FailedStep {
  id: string;
  message: string;
}

/** A step of a run failed; the run ended there. */
export class StepError extends SetupError {
  readonly stepId: string;

  constructor(details: ErrorDetails, stepId: string) {
    super(details);
    this.stepId = stepId;
  }
}

/** Enough for a reboot of a slow machine. A connector may be patient itself, so tries are not counted. */
const reconnectWithin = 5 * 60 * 1000;
/** Seconds before each try to connect again; the last one holds for all further tries. */
const backoff = [1, 2, 4, 8, 15, 30];
const logTail = 6;

/**
 * Starts one run and follows it to its end, over cut connections. Throws E_BUSY or E_OVERTAKEN (exit 6), E_STEP_FAILED,
 * E_RUN_DIED (the server was rebooted or the run killed), E_SSH_LOST (the run may still go on), E_CANCELLED,
 * E_LOCKED_OUT (new firewall rules let nobody in, and go by themselves).
 */
export async function runServerPlan(run: CompiledRun, options: LaneOptions): Promise<LaneResult> {
  const guarded = run.steps.findLast(({ id }) => changesFirewall(id))?.number;
  let login: Promise<PromiseSettledResult<void>[]> | undefined;
  const onEvent = (event: RunEvent) => {
    // While the run goes on: the rules are in force, and they go by themselves when nobody comes.
    if (event.kind === 'done' && event.number === guarded)
      login ??= Promise.allSettled([proveLogin(options.connector, options.signal)]);
    options.onEvent(event);
  };
  const attended = attend(run.id, { ...options, onEvent }, (connection) =>
    startRun(connection, run, options.texts),
  );
  await Promise.allSettled([attended]);
  // A lock-out says more than a step that failed beside it.
  for (const proof of (await login) ?? []) if (proof.status === 'rejected') throw proof.reason;
  return attended;
}

/** Follows a run that goes on already: one of ours whose client was killed. */
export async function reattachRun(runId: string, options: LaneOptions): Promise<LaneResult> {
  return attend(runId, options, async () => undefined);
}

async function attend(
  runId: string,
  options: LaneOptions,
  start: (connection: Connection) => Promise<void>,
): Promise<LaneResult> {
  const position: FollowPosition = { events: 0, log: 0 };
  const tail: string[] = [];
  const ids = new Map<number, string>();
  const failed: FailedStep[] = [];
  const onEvent = (event: RunEvent) => {
    if (event.kind === 'step') ids.set(event.number, event.id);
    if (event.kind === 'failed') failed.push({ id: ids.get(event.number) ?? '', message: event.text });
    // The library logs a problem, too; it is the evidence's first line anyway.
    if (event.kind === 'log' && !event.text.startsWith('problem: ')) tail.push(event.text);
    if (tail.length > logTail) tail.shift();
    options.onEvent(event);
  };
  let { connection } = options;
  let started = false;
  for (;;) {
    const stop = () => void requestStop(connection, options.onEvent);
    try {
      if (!started) await start(connection);
      started = true;
      options.signal?.addEventListener('abort', stop, { once: true });
      if (options.signal?.aborted) stop();
      const outcome = await followRun(connection, runId, options.texts.follow, position, onEvent);
      if (outcome === 'cut') throw lost('the program that reads the events was ended');
      if (outcome === 'gone') throw diedError(runId, tail);
      if (outcome.code !== 0) throw failedError(runId, outcome, tail);
      return { result: outcome, connection, failed };
    } catch (error) {
      if (!(error instanceof SetupError) || error.code !== 'E_SSH_LOST') throw error;
      connection = await connectAgain(runId, options, error);
    } finally {
      options.signal?.removeEventListener('abort', stop);
    }
  }
}

async function connectAgain(runId: string, options: LaneOptions, first: SetupError): Promise<Connection> {
  const wait =
    options.wait ?? ((milliseconds) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds)));
  const now = options.now ?? Date.now;
  const deadline = now() + reconnectWithin;
  let last: unknown = first;
  for (let attempt = 0; now() < deadline; attempt += 1) {
    const seconds = backoff[Math.min(attempt, backoff.length - 1)] ?? 30;
    options.onEvent({ kind: 'lost', text: sanitizeLine(messageOf(last)), wait: seconds });
    await wait(seconds * 1000);
    if (options.signal?.aborted) break;
    try {
      const connection = await options.connector.connect(options.signal);
      options.onEvent({ kind: 'back' });
      return connection;
    } catch (error) {
      last = error;
    }
  }
  throw new SetupError({
    code: 'E_SSH_LOST',
    exit: options.signal?.aborted ? Exit.cancelled : Exit.failed,
    what: 'The connection was lost and did not come back. The run goes on on the server without us.',
    evidence: [sanitizeLine(messageOf(last)), `run ${runId}`],
    fix: [
      'When the server answers again, run apply again: it re-attaches to the run or goes on from where it ended.',
    ],
    cause: last,
  });
}

/** The script's trap finishes the step that runs; `kill` is no stop, so RefuseManualStop does not forbid it. */
async function requestStop(connection: Connection, onEvent: (event: RunEvent) => void): Promise<void> {
  try {
    await connection.exec('systemctl kill --kill-who=main --signal=TERM smtp-setup-run.service', {
      root: true,
    });
  } catch (error) {
    onEvent({ kind: 'log', text: sanitizeLine(`the request to stop did not arrive: ${messageOf(error)}`) });
  }
}

function lost(why: string): SetupError {
  return new SetupError({ code: 'E_SSH_LOST', exit: Exit.failed, what: `The connection was lost: ${why}.` });
}

function diedError(runId: string, tail: readonly string[]): SetupError {
  return new SetupError({
    code: 'E_RUN_DIED',
    exit: Exit.failed,
    what: 'The run ended on the server without a result: the server was rebooted, or the run was killed.',
    evidence: [`run ${runId}`, ...tail],
    fix: ['Run apply again: it looks at what is there and goes on.'],
  });
}

function failedError(runId: string, result: RunResult, tail: readonly string[]): SetupError {
  const message = sanitizeLine(result.message, 2000);
  const log = `on the server: /var/lib/smtp-setup/runs/${runId}/log`;
  if (result.code === 6) {
    return new SetupError({
      code: 'E_OVERTAKEN',
      exit: Exit.busy,
      what: 'The server was changed by somebody else after the plan was made.',
      evidence: [message],
      fix: ['Run again: a new plan is made from what is there now.'],
    });
  }
  if (result.code === 5) {
    return new SetupError({
      code: 'E_SERVER_NEWER',
      exit: Exit.unsuitable,
      what: 'This server is managed by a newer smtp-setup; nothing was changed.',
      evidence: [message],
      fix: ['Update smtp-setup on this machine: npx smtp-setup@latest'],
    });
  }
  if (result.code === 130) {
    return new SetupError({
      code: 'E_CANCELLED',
      exit: Exit.cancelled,
      // Steps run beside each other: no number says how far it came.
      what: 'Stopped between two steps, as asked. The server is safe as it stands.',
      evidence: [message],
      fix: ['Run apply again to go on.'],
    });
  }
  return new StepError(
    {
      code: 'E_STEP_FAILED',
      exit: Exit.failed,
      what: `Step ${result.step} (${sanitizeLine(result.stepId, 80)}) failed on the server.`,
      evidence: [message, ...tail],
      fix: [
        `The whole story is ${log}.`,
        'Run apply again when the cause is gone: it goes on from what is there.',
      ],
    },
    result.stepId,
  );
}
