import type { Component } from '../components/component.js';
import type { ServerModel } from '../components/model.js';
import type { Facts } from '../facts/index.js';
import type { LastBackup } from '../facts/last-backup.js';
import { sha256 } from '../lib/sha256.js';
import { buildServerPlan, type ServerPlan } from './build-server-plan.js';
import type { ManagedFile } from './step.js';

export interface UndoInput {
  backup: LastBackup;
  facts: Pick<Facts, 'packages' | 'units' | 'files' | 'state'>;
  components: readonly Component[];
  model: ServerModel;
  /** Of the copies and of the files as they are ({@link undoPaths}). */
  contents: ReadonlyMap<string, string>;
}

export interface UndoPlan extends Pick<ServerPlan, 'steps' | 'conflicts'> {
  /** Groups that cannot be put back, and why. */
  notes: string[];
}

/** The files whose contents {@link planUndo} needs. */
export function undoPaths({ backup, facts }: Pick<UndoInput, 'backup' | 'facts'>): string[] {
  const copies = backup.files.flatMap(({ copy }) => (copy === undefined ? [] : [copy.path]));
  const groups = new Set(backup.files.map(({ group }) => group));
  const standing = entriesOf(facts).filter(({ group }) => groups.has(group));
  return [
    ...new Set([...copies, ...standing.map(({ path }) => path), ...backup.files.map(({ path }) => path)]),
  ];
}

/**
 * The files that the last command replaced, as they were before: an ordinary plan whose desired files are the copies, so that
 * it is validated, probed and put back like any other; what the run did not touch stays as it is. Pure.
 */
export function planUndo(input: UndoInput): UndoPlan {
  const { backup, facts, model, contents } = input;
  const notes: string[] = [];
  const touched = input.components.flatMap((component): Component[] => {
    const copies = backup.files.filter(({ group }) => group === component.id);
    if (copies.length === 0) return [];
    const files = filesBefore(component.id, input);
    if (files === undefined) {
      notes.push(`${component.title}: a file or its copy cannot be read whole; nothing of it is put back.`);
      return [];
    }
    return [{ ...component, applies: () => true, packages: () => [], files: () => files, steps: () => [] }];
  });
  const plan = buildServerPlan({ model, facts, components: touched, contents });
  // One state, one run: nothing is left for a later one.
  const steps = plan.steps.filter(({ run }) => run === 'install');
  return { steps, conflicts: plan.conflicts, notes };
}

function filesBefore(group: string, { backup, facts, contents }: UndoInput): ManagedFile[] | undefined {
  const before = new Map(backup.files.map((file) => [file.path, file]));
  const copied = backup.files.flatMap(({ path, group: owner, copy }) =>
    owner === group && copy !== undefined
      ? [{ path, mode: copy.mode, owner: copy.owner, from: copy.path, sha256: copy.sha256 }]
      : [],
  );
  const kept = entriesOf(facts)
    .filter((entry) => entry.group === group && !before.has(entry.path))
    .flatMap(({ path }) => {
      const found = facts.files.get(path);
      return found?.sha256 === undefined
        ? []
        : [{ path, mode: found.mode, owner: found.owner, from: path, sha256: found.sha256 }];
    });
  const files = [...copied, ...kept].map(({ path, mode, owner, from, sha256: hash }) => {
    const content = contents.get(from);
    // Bytes that are no text, or a file that changed between two looks, would come back as something else.
    return content !== undefined && sha256(content) === hash
      ? { path, mode, owner, content, group }
      : undefined;
  });
  const whole = files.filter((file) => file !== undefined);
  return whole.length === files.length ? whole : undefined;
}

function entriesOf({ state }: UndoInput['facts']) {
  return typeof state.manifest === 'string' ? [] : state.manifest.files;
}
