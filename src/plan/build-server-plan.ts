import type { Component } from '../components/component.js';
import type { ServerModel } from '../components/model.js';
import { Exit, SetupError } from '../errors.js';
import type { Facts } from '../facts/index.js';
import { manifestSchema } from '../facts/server-state.js';
import { sha256 } from '../lib/sha256.js';
import { arrangeSteps, packageSteps } from './arrange-steps.js';
import { type Conflict, type GroupContext, judgeGroup, planGroup, unitsStepId } from './plan-group.js';
import { planLeaving } from './plan-leaving.js';
import type { ManagedFile, ManualStep, RunName, ServerStep } from './step.js';
import { unitsToStart } from './units-to-start.js';

/** What to do with files that somebody changed by hand. */
export type OnConflict = 'stop' | 'keep' | 'take-over';

export interface PlanInput {
  /** The server as the first run must leave it. */
  model: ServerModel;
  /** The server once certificates are issued and the domains live; files that differ from `model` go to the last run. */
  target?: ServerModel;
  facts: Pick<Facts, 'packages' | 'units' | 'files' | 'state'>;
  /** In order: each after those it needs. */
  components: readonly Component[];
  /** Current content of changed files, for the diffs (see {@link listChangedPaths}); without it diffs show additions only. */
  contents?: ReadonlyMap<string, string>;
  /** Default `stop`: conflicts are listed and {@link refuseConflicts} ends the apply. */
  onConflict?: OnConflict;
}

export interface ServerPlan {
  /** The server generation that the plan was made on. */
  generation: number;
  /** Empty when there is nothing to do. In the order in which they run. */
  steps: readonly ServerStep[];
  conflicts: readonly Conflict[];
  manual: readonly ManualStep[];
}

/** What differs between the server and the desired state, as steps. Pure. Throws E_SERVER_NEWER. */
export function buildServerPlan(input: PlanInput): ServerPlan {
  const { facts, model } = input;
  const target = input.target ?? model;
  const generation = readGeneration(facts);
  const now = planRun('install', model, input, groupContext(input));
  const later = planRun('golive', target, input, contextAfter(now, input));
  return {
    generation,
    steps: [...now.steps, ...now.certify, ...later.steps],
    conflicts: now.conflicts,
    manual: [],
  };
}

/** The files whose current content the plan's diffs need; read them with one more round trip. */
export function listChangedPaths(input: PlanInput): string[] {
  const context = groupContext(input);
  const models = input.target ? [input.model, input.target] : [input.model];
  const changed = models.flatMap((model) =>
    applying(input.components, model)
      .flatMap((component) => judgeGroup(component, model, context))
      .filter(({ verdict }) => verdict.kind !== 'same' && verdict.kind !== 'mode')
      .map(({ file }) => file.path),
  );
  return [...new Set(changed)].filter((path) => input.facts.files.get(path)?.type === 'file');
}

/** Ends an apply that would have to overwrite somebody's work. */
export function refuseConflicts(plan: ServerPlan, onConflict: OnConflict = 'stop'): void {
  if (onConflict !== 'stop' || plan.conflicts.length === 0) return;
  throw new SetupError({
    code: 'E_HAND_EDITED',
    exit: Exit.failed,
    what:
      plan.conflicts.length === 1
        ? 'A file that smtp-setup would write was changed by somebody else.'
        : `${plan.conflicts.length} files that smtp-setup would write were changed by somebody else.`,
    evidence: plan.conflicts.flatMap((conflict) => [
      `${conflict.path}: ${conflict.reason}`,
      ...shortDiff(conflict.diff),
    ]),
    fix: [
      // Somebody else's whole configuration beside the rest of ours would work for nobody.
      ...(plan.conflicts.every(({ kind }) => kind === 'foreign')
        ? []
        : ['Keep them as they are: run again with --on-conflict keep.']),
      'Let smtp-setup write its own (a backup stays on the server): run again with --on-conflict take-over.',
    ],
  });
}

const diffLines = 40;

/** A whole configuration file would push the question off the screen. */
function shortDiff(diff: readonly string[]): string[] {
  if (diff.length <= diffLines) return [...diff];
  return [...diff.slice(0, diffLines), `… and ${diff.length - diffLines} more lines`];
}

interface RunPlan {
  steps: ServerStep[];
  /** Steps of the run `certify`: with what they would wait for among those of this one. */
  certify: ServerStep[];
  conflicts: Conflict[];
  files: ManagedFile[];
  removed: string[];
}

function planRun(
  run: 'install' | 'golive',
  model: ServerModel,
  input: PlanInput,
  context: GroupContext,
): RunPlan {
  const components = applying(input.components, model);
  const plan: RunPlan = { steps: [], certify: [], conflicts: [], files: [], removed: [] };
  const own = new Map<string, ServerStep[]>(components.map(({ id }) => [id, []]));
  for (const component of components) {
    const steps = own.get(component.id) ?? [];
    steps.push(...extraSteps(run, [component], model, 'packages'));
    const group = planGroup(component, model, run, context);
    plan.conflicts.push(...group.conflicts);
    plan.files.push(...group.written);
    plan.removed.push(...group.removed);
    if (group.step) steps.push(group.step);
    else if (run === 'install') steps.push(...unitStep(component, model, input.facts));
    steps.push(...extraSteps(run, [component], model, 'files'));
    if (run === 'install') steps.push(...extraSteps('certify', [component], model));
  }
  const packages = run === 'install' ? packageSteps(components, model, input.facts) : [];
  for (const step of arrangeSteps(components, model, packages, own))
    (step.run === 'certify' ? plan.certify : plan.steps).push(step);
  plan.steps.push(...extraSteps(run, components, model, 'services'));
  if (run === 'install') plan.steps.push(...planLeaving(input.components, model, context));
  return plan;
}

function unitStep(component: Component, model: ServerModel, facts: PlanInput['facts']): ServerStep[] {
  const stopped = unitsToStart(component.units(model), facts.units);
  if (stopped.length === 0) return [];
  return [
    {
      id: unitsStepId(component.id),
      run: 'install',
      title: `Start ${component.title}`,
      reason: stopped.map(({ name, reason }) => `${name} is ${reason}`).join(', '),
      calls: [
        ...stopped.map(({ name }) => ({ fn: 'unit_running', args: [name] })),
        ...component.probe(model),
      ],
    },
  ];
}

function extraSteps(
  run: RunName,
  components: readonly Component[],
  model: ServerModel,
  after?: 'packages' | 'files' | 'services',
): ServerStep[] {
  return components
    .flatMap((component) => component.steps(model))
    .filter((step) => step.run === run && (after === undefined || step.after === after))
    .map(({ id, title, reason, calls }) => ({ id, run, title, reason, calls }));
}

function applying(components: readonly Component[], model: ServerModel): Component[] {
  return components.filter((component) => component.applies(model));
}

function groupContext(input: PlanInput): GroupContext {
  const { files, state } = input.facts;
  return {
    files,
    entries: typeof state.manifest === 'string' ? [] : state.manifest.files,
    pending: new Set(state.pending),
    contents: input.contents ?? new Map(),
    onConflict: input.onConflict ?? 'stop',
  };
}

/** What the last run will find once the first one has written its files. */
function contextAfter(
  { files: written, removed }: Pick<RunPlan, 'files' | 'removed'>,
  input: PlanInput,
): GroupContext {
  const before = groupContext(input);
  const files = new Map(before.files);
  const contents = new Map(before.contents);
  const entries = new Map(before.entries.map((entry) => [entry.path, entry]));
  for (const { path, mode, owner, content, group } of written) {
    const hash = sha256(content);
    files.set(path, { type: 'file', mode, owner, sha256: hash, pristine: false });
    entries.set(path, { path, sha256: hash, mode, owner, group });
    contents.set(path, content);
  }
  for (const path of removed) {
    files.delete(path);
    entries.delete(path);
  }
  return { ...before, files, contents, entries: [...entries.values()], pending: new Set() };
}

function readGeneration(facts: Pick<Facts, 'state'>): number {
  const { manifest, generation } = facts.state;
  if (typeof manifest === 'string' || manifest.schema <= manifestSchema) return generation;
  throw new SetupError({
    code: 'E_SERVER_NEWER',
    exit: Exit.unsuitable,
    what: 'This server is managed by a newer smtp-setup; nothing was changed.',
    evidence: [`manifest schema ${manifest.schema}; this version knows ${manifestSchema}`],
    fix: ['Update smtp-setup on this machine: npx smtp-setup@latest'],
  });
}
