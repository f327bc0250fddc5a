import { readFileSync } from 'node:fs';
import { describeClient } from '../../src/apply/holder.js';
import { loadRunTexts } from '../../src/apply/load-library.js';
import { reattachRun, runServerPlan } from '../../src/apply/server-lane.js';
import type { Component, ExtraStep, UnitSpec } from '../../src/components/component.js';
import type { ServerModel } from '../../src/components/model.js';
import { SetupError } from '../../src/errors.js';
import { readFacts, readFiles } from '../../src/facts/read-facts.js';
import {
  buildServerPlan,
  listChangedPaths,
  type OnConflict,
  refuseConflicts,
} from '../../src/plan/build-server-plan.js';
import { compileRuns } from '../../src/plan/compile-runs.js';
import type { Call, ManagedFile, RunName, RunSecret } from '../../src/plan/step.js';
import { createConnector } from '../../src/ssh/connect.js';
import type { Connection } from '../../src/ssh/connection.js';

/**
 * A client of the engine alone, for the integration tests: its own process, so that it can run in the lab's client
 * namespace and be killed. Reads its orders from the JSON file named in argv, prints one JSON object a line.
 */
export interface EngineOrder {
  target: string;
  identity: string;
  hostKey: string;
  homeDir: string;
  templates: string;
  components: readonly SpecComponent[];
  /** More files for the run library. */
  library?: Readonly<Record<string, string>>;
  secrets?: Partial<Record<RunName, readonly RunSecret[]>>;
  onConflict?: OnConflict;
  /** Stop after the plan. */
  planOnly?: boolean;
  /** Follow this run instead of making a plan. */
  reattach?: string;
  smtpHosts?: readonly string[];
  keepaliveMs?: number;
  who?: string;
}

export interface SpecComponent {
  id: string;
  needs?: readonly string[];
  packages?: readonly string[];
  files?: readonly Omit<ManagedFile, 'group'>[];
  units?: readonly UnitSpec[];
  validate?: readonly Call[];
  probe?: readonly Call[];
  steps?: readonly ExtraStep[];
}

function toComponent(spec: SpecComponent): Component {
  return {
    id: spec.id,
    title: spec.id,
    needs: spec.needs ?? [],
    applies: () => true,
    packages: () => spec.packages ?? [],
    files: () => (spec.files ?? []).map((file) => ({ ...file, group: spec.id })),
    units: () => spec.units ?? [],
    ports: () => [],
    watch: (spec.files ?? []).map(({ path }) => path),
    validate: () => spec.validate ?? [],
    probe: () => spec.probe ?? [],
    steps: () => spec.steps ?? [],
  };
}

function print(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

async function work(order: EngineOrder): Promise<void> {
  const connector = createConnector({
    target: order.target,
    identity: order.identity,
    hostKey: order.hostKey,
    homeDir: order.homeDir,
    env: {},
    ...(order.keepaliveMs === undefined ? {} : { keepaliveMs: order.keepaliveMs }),
  });
  const loaded = await loadRunTexts(order.templates);
  const texts = { ...loaded, library: new Map([...loaded.library, ...Object.entries(order.library ?? {})]) };
  let connection: Connection = await connector.connect();
  const lane = () => ({
    connection,
    connector,
    texts,
    signal: stop.signal,
    onEvent: (event: object) => print({ event }),
  });
  if (order.reattach !== undefined) {
    const { result } = await reattachRun(order.reattach, lane());
    print({ result });
    return connection.close();
  }
  const components = order.components.map(toComponent);
  const facts = await readFacts(connection, {
    watch: components.flatMap(({ watch }) => watch),
    unitFiles: components.flatMap(({ units }) => units({} as ServerModel).map(({ name }) => name)),
    smtpHosts: order.smtpHosts ?? [],
  });
  // The test's components do not look at the model.
  const input = { model: {} as ServerModel, facts, components, onConflict: order.onConflict ?? 'stop' };
  const contents = await readFiles(connection, listChangedPaths(input));
  const plan = buildServerPlan({ ...input, contents });
  print({ plan: { ...plan, steps: plan.steps.map(({ files, ...step }) => step) }, state: facts.state });
  if (!order.planOnly) {
    refuseConflicts(plan, order.onConflict);
    const stamp = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
    const runs = compileRuns(plan.steps, {
      idOf: (run) => `${stamp}-${run}-${process.pid}`,
      generation: plan.generation,
      who: order.who ?? describeClient({ user: 'tester', machine: 'lab', pid: process.pid }),
      library: texts.library,
      ...(order.secrets === undefined ? {} : { secrets: order.secrets }),
    });
    for (const run of runs) {
      print({ start: run.id });
      const done = await runServerPlan(run, lane());
      connection = done.connection;
      print({ result: done.result, id: run.id });
    }
  }
  print({ roundTrips: connection.roundTrips });
  await connection.close();
}

/** What Ctrl-C does in the real program. */
const stop = new AbortController();
process.once('SIGINT', () => stop.abort());

work(JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as EngineOrder).catch((error: unknown) => {
  if (!(error instanceof SetupError)) throw error;
  const { code, exit, message, evidence, fix } = error;
  print({ error: { code, exit, message, evidence, fix } });
  // The connection is still open.
  process.exit(exit);
});
