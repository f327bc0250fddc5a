import type { Component } from '../components/component.js';
import type { ServerModel } from '../components/model.js';
import type { GroupContext } from './plan-group.js';
import type { ServerStep } from './step.js';

/**
 * What components that the server no longer needs left on it: their daemons stop and their files go, what stood there before
 * us comes back. Files that somebody edited stay, and so do lists of mailboxes and packages. Pure.
 */
export function planLeaving(
  components: readonly Component[],
  model: ServerModel,
  context: GroupContext,
): ServerStep[] {
  const used = new Set(
    components
      .filter((component) => component.applies(model))
      .flatMap((component) => component.units(model).map(({ name }) => name)),
  );
  // First what needs others.
  return components
    .filter((component) => !component.applies(model))
    .toReversed()
    .flatMap((component): ServerStep[] => {
      const files = context.entries.filter(({ group, path, sha256 }) => {
        const found = context.files.get(path);
        // Gone already: a run died before it could say so.
        return group === component.id && (found === undefined || found.sha256 === sha256);
      });
      if (files.length === 0) return [];
      const all = component.units(model);
      const units = all.filter(({ name }) => !used.has(name)).map(({ name }) => name);
      const shared = all.filter(({ name }) => used.has(name));
      return [
        {
          id: `leave-${component.id}`,
          run: 'install',
          title: `Take back ${component.title}`,
          reason: 'no longer needed',
          calls: [
            { fn: 'uninstall_units', args: units },
            { fn: 'group_begin', args: [component.id] },
            ...files.map(({ path, sha256 }) => ({ fn: 'remove', args: [path, sha256] })),
            ...shared.map(({ name, onChange }) => ({ fn: 'unit', args: [name, onChange] })),
            { fn: 'group_swap', args: [] },
            ...files.map(({ path }) => ({ fn: 'uninstall_path', args: [path] })),
            { fn: 'group_reload', args: [] },
            { fn: 'group_done', args: [] },
            { fn: 'uninstall_reload', args: units },
          ],
          preview: files.map(({ path }) => `- ${path}`),
        },
      ];
    });
}
