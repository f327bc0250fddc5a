import { describeClient } from '../apply/holder.js';
import type { RunTexts } from '../apply/load-library.js';
import { type FailedStep, runServerPlan } from '../apply/server-lane.js';
import { compileRuns } from '../plan/compile-runs.js';
import type { RunName, ServerStep } from '../plan/step.js';
import type { Connection } from '../ssh/connection.js';
import type { Progress } from '../ui/events.js';
import type { ServerLink } from './connect-server.js';
import type { FullPlan } from './make-plan.js';
import { createRunId, readMyself, type Session } from './session.js';
import { createRunListener } from './show-run.js';

/** The server's side of an apply: its runs, one after the other, each on the generation that the last one left. */
export interface ServerRuns {
  /** The live one: another than at first when it was cut in between. */
  readonly connection: Connection;
  /** Whether a run has been started yet. */
  readonly begun: boolean;
  /** Throws what {@link runServerPlan} does; returns the steps that failed and were no reason to end the run. */
  run(name: RunName, steps?: readonly ServerStep[]): Promise<readonly FailedStep[]>;
}

/**
 * `due`: the run that holds the step is about to be handed to the server, and goes on there whatever becomes of this
 * client; `begun` and `done` are what the server says.
 */
export type StepState = 'due' | 'begun' | 'done';

export interface ServerRunsDeps {
  session: Session;
  link: ServerLink;
  progress: Progress;
  /** Told of the steps of every run, by id. */
  onStep?(id: string, state: StepState): void;
}

export function openServerRuns(
  plan: Pick<FullPlan, 'server' | 'secrets'>,
  { session, link, progress, onStep }: ServerRunsDeps,
  texts: RunTexts,
): ServerRuns {
  const { context } = session;
  let generation = plan.server.generation;
  let connection: Connection = link.connection;
  return {
    get connection() {
      return connection;
    },
    get begun() {
      return generation > plan.server.generation;
    },
    async run(name, steps = plan.server.steps) {
      const [run] = compileRuns(
        steps.filter((step) => step.run === name),
        {
          idOf: (run) => createRunId(context.clock(), run),
          generation,
          who: describeClient(readMyself(context)),
          library: texts.library,
          secrets: { install: plan.secrets },
        },
      );
      if (run === undefined) return [];
      // Every run raises the server's generation as its first deed, however it ends.
      generation += 1;
      const ids = new Map(run.steps.map(({ number, id }) => [number, id]));
      for (const id of ids.values()) onStep?.(id, 'due');
      const show = createRunListener(name, progress);
      const done = await runServerPlan(run, {
        connection,
        connector: link.connector,
        texts,
        signal: context.signal,
        onEvent: (event) => {
          if (event.kind === 'step') onStep?.(event.id, 'begun');
          if (event.kind === 'done') onStep?.(ids.get(event.number) ?? '', 'done');
          show(event);
        },
      });
      connection = done.connection;
      return done.failed;
    },
  };
}
