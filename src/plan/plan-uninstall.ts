import type { Component } from '../components/component.js';
import type { ServerModel } from '../components/model.js';
import type { Facts } from '../facts/index.js';
import type { ServerStep } from './step.js';

export interface UninstallInput {
  facts: Pick<Facts, 'state' | 'before' | 'packages' | 'accounts'>;
  components: readonly Component[];
  model: ServerModel;
  /** The packages that came with us go, too. */
  removePackages: boolean;
  /** Mail that waits in the queue is given up. */
  discardQueue: boolean;
}

export interface UninstallPlan {
  steps: ServerStep[];
  /** What a person should know about it. */
  notes: string[];
}

/** The server back to what it was, the mail kept; nothing where we never were, or are not any more. Pure. */
export function planUninstall(input: UninstallInput): UninstallPlan {
  const { facts, removePackages } = input;
  const { manifest } = facts.state;
  if (manifest === 'absent') return { steps: [], notes: [] };
  const components = input.components.filter((component) => component.applies(input.model)).toReversed();
  const managed = manifest === 'corrupt' ? [] : manifest.files.map(({ path }) => path);
  const units = [
    ...new Set([
      // Units of our own, whatever the configuration says now.
      ...managed.flatMap(
        (path) => /^\/etc\/systemd\/system\/([^/]+\.(?:service|socket|timer|path))$/.exec(path)?.[1] ?? [],
      ),
      ...components
        .flatMap((component) => component.units(input.model).map(({ name }) => name))
        // The instance runs, the unit without it is what starts it at boot.
        .flatMap((name) => [name, name.replace(/@-\./, '.')]),
    ]),
  ];
  const { replaced = [], added = [], installed = [], removed = [] } = facts.before ?? {};
  const known = new Set([...replaced, ...added]);
  const unknown = managed.filter((path) => !known.has(path));
  const ours = installed.filter((name) => facts.packages.get(name)?.installed === true);
  const step = (
    id: string,
    title: string,
    reason: string,
    calls: ServerStep['calls'],
    preview?: readonly string[],
  ): ServerStep => ({
    id: `uninstall-${id}`,
    run: 'install',
    title,
    reason,
    calls,
    ...(preview === undefined || preview.length === 0 ? {} : { preview }),
  });
  const steps = [
    step('queue', 'Take no more mail', 'what waits in the queue has to be gone', [
      { fn: 'uninstall_queue', args: [input.discardQueue ? '1' : '0'] },
    ]),
    step('services', 'Stop what did not run before', 'unbound last, once names are answered as before', [
      { fn: 'uninstall_resolver', args: [] },
      { fn: 'uninstall_units', args: units },
      { fn: 'uninstall_components', args: components.map(({ id }) => id) },
    ]),
    step(
      'files',
      `Put ${replaced.length} files back as they were, remove ${added.length + unknown.length}`,
      'keys, certificates and the lists of mailboxes are put aside',
      [{ fn: 'uninstall_files', args: unknown }],
      [...replaced.map((path) => `~ ${path}`), ...[...added, ...unknown].map((path) => `- ${path}`)],
    ),
    // Also when all of them are gone already: a run that was killed has left what they left behind.
    ...(removePackages && installed.length + removed.length > 0
      ? [
          step(
            'packages',
            `Remove those of ${installed.length} packages that nothing else needs${removed.length > 0 ? `, install ${removed.join(', ')} again` : ''}`,
            'they came with smtp-setup',
            [{ fn: 'uninstall_packages', args: [] }],
            [...ours.map((name) => `- ${name}`), ...removed.map((name) => `+ ${name}`)],
          ),
        ]
      : []),
    step('end', 'Start what ran before, and forget the rest', 'mail stays in /var/vmail', [
      { fn: 'uninstall_services', args: units },
      { fn: 'uninstall_end', args: [] },
    ]),
  ];
  return { steps, notes: notesOf(input, ours) };
}

function notesOf({ facts, removePackages }: UninstallInput, ours: readonly string[]): string[] {
  const notes = [
    `The mail of ${facts.accounts.mailboxes.length} mailboxes stays in /var/vmail. Keys, certificates and the lists of mailboxes go to /var/lib/smtp-setup/kept, readable by root only.`,
  ];
  if (facts.before === undefined)
    notes.push(
      'What the server was before is not known: files of ours are removed, other files stay as they are.',
    );
  if (!removePackages && ours.length > 0)
    notes.push(
      `${ours.length} packages that came with smtp-setup stay, switched off; --remove-packages removes them.`,
    );
  return notes;
}
