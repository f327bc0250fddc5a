import type { Component } from '../components/component.js';
import type { ServerModel } from '../components/model.js';

/** The components that apply, each after those it needs; otherwise in the order given. Throws on a cycle. */
export function orderComponents(components: readonly Component[], model: ServerModel): Component[] {
  const applying = components.filter((component) => component.applies(model));
  const ordered: Component[] = [];
  const visit = (component: Component, trail: readonly string[]) => {
    if (ordered.includes(component)) return;
    if (trail.includes(component.id))
      throw new Error(`components need each other: ${[...trail, component.id].join(' → ')}`);
    for (const need of component.needs) {
      const needed = applying.find((other) => other.id === need);
      if (needed) visit(needed, [...trail, component.id]);
    }
    ordered.push(component);
  };
  for (const component of applying) visit(component, []);
  return ordered;
}
