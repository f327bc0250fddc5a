import type { Component } from '../components/component.js';
import type { FirewallModel, ServerModel } from '../components/model.js';
import type { Facts } from '../facts/index.js';
import { filesStepId, unitsStepId } from './plan-group.js';
import type { ServerStep } from './step.js';

/** Turn of the components that are in no hurry (see `Component.early`). */
const lastTurn = 4;

/** Steps that install what is missing: one for each turn. */
export function packageSteps(
  components: readonly Component[],
  model: ServerModel,
  facts: Pick<Facts, 'packages'>,
): ServerStep[] {
  const turns = readTurns(components);
  const turnOf = (component: Component): number => turns.get(component.id) ?? lastTurn;
  const batches = new Map<number, string[]>();
  const known = new Set<string>();
  for (const component of components.toSorted((a, b) => turnOf(a) - turnOf(b))) {
    for (const name of component.packages(model)) {
      if (known.has(name) || facts.packages.get(name)?.installed === true) continue;
      known.add(name);
      batches.set(turnOf(component), [...(batches.get(turnOf(component)) ?? []), name]);
    }
  }
  return [...batches].map(([turn, names], index): ServerStep => {
    const missing = names.toSorted();
    const before = [...batches.keys()][index - 1];
    const fetch = index === 0 && batches.size > 1;
    return {
      id: batchId(turn),
      run: 'install',
      title: missing.length === 1 ? `Install ${missing[0]}` : `Install ${missing.length} packages`,
      reason: 'not installed',
      calls: [
        ...(fetch ? [{ fn: 'packages_fetch', args: [...known].toSorted() }] : []),
        { fn: 'packages_install', args: missing },
      ],
      after: before === undefined ? [] : [batchId(before)],
      preview: missing,
    };
  });
}

/**
 * One list of all steps: each component's, with what they wait for. A component waits for those that it needs, and for
 * all packages unless its turn is an early one.
 */
export function arrangeSteps(
  components: readonly Component[],
  model: ServerModel,
  packages: readonly ServerStep[],
  own: ReadonlyMap<string, readonly ServerStep[]>,
): ServerStep[] {
  const turns = readTurns(components);
  const steps = components.flatMap((component) => {
    const needed = withNeeds(component, components);
    const wanted = new Set(needed.flatMap((one) => [...one.packages(model)]));
    const patient = turns.get(component.id) === lastTurn;
    const brought = packages.filter(
      ({ preview = [] }) => patient || preview.some((name) => wanted.has(name)),
    );
    const before = [...brought, ...needed.slice(1).flatMap(({ id }) => own.get(id) ?? [])];
    return (own.get(component.id) ?? []).map((step, index, mine) => ({
      ...step,
      after: [...before, ...mine.slice(0, index)].map(({ id }) => id),
    }));
  });
  return [...packages, ...steps];
}

/**
 * Asks for the certificates while the rest is installed, which takes as long: their steps join the first run, each behind
 * those that it needs. What serves a certificate waits for them, so that it is not read while it changes; an authority
 * that says no ends nothing but the step.
 */
export function certifyDuringInstall(steps: readonly ServerStep[]): ServerStep[] {
  const joined = steps.filter(({ run }) => run !== 'certify');
  for (const step of steps) {
    if (step.run !== 'certify') continue;
    // What it awaits by name has to begin before any step that waits for all before it, or neither would ever end.
    const awaited = step.calls
      .filter(({ fn }) => fn === 'await_proof')
      .flatMap(({ args }) => args.flatMap((name) => [filesStepId(name), unitsStepId(name)]));
    const behind = joined.findLastIndex(
      ({ id }) => step.after?.includes(id) === true || awaited.includes(id),
    );
    joined.splice(behind + 1, 0, { ...step, run: 'install', mayFail: true });
  }
  return joined;
}

/** With steps of their own behind the packages, before anything leans on what they bring. */
export function afterPackages(steps: readonly ServerStep[], first: readonly ServerStep[]): ServerStep[] {
  const packages = steps.filter(({ id }) => id.startsWith('packages'));
  return [...packages, ...first, ...steps.filter(({ id }) => !id.startsWith('packages'))];
}

/** False where rules of somebody else keep the authority out until the installation has opened port 80. */
export function canCertifyEarly({ kind, open }: FirewallModel): boolean {
  return kind === 'off' || kind === 'own' || open.includes(80);
}

/** By component: what an early one needs is as early. */
function readTurns(components: readonly Component[]): ReadonlyMap<string, number> {
  const turns = new Map(components.map(({ id }) => [id, lastTurn]));
  for (const component of components) {
    for (const { id } of withNeeds(component, components))
      turns.set(id, Math.min(turns.get(id) ?? lastTurn, component.early ?? lastTurn));
  }
  return turns;
}

/** The component, and all that it needs, directly or not. */
function withNeeds(component: Component, components: readonly Component[]): Component[] {
  const found = [component];
  // Grows while it is gone through.
  for (const { needs } of found) {
    for (const need of components) if (needs.includes(need.id) && !found.includes(need)) found.push(need);
  }
  return found;
}

function batchId(turn: number): string {
  return turn === lastTurn ? 'packages' : `packages-early-${turn}`;
}
