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

export function openServerRuns(
  plan: FullPlan,
  { session, link, progress }: { session: Session; link: ServerLink; progress: Progress },
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
      const done = await runServerPlan(run, {
        connection,
        connector: link.connector,
        texts,
        signal: context.signal,
        onEvent: createRunListener(name, progress),
      });
      connection = done.connection;
      return done.failed;
    },
  };
}
