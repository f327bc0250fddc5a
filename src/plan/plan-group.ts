import type { Component } from '../components/component.js';
import type { ServerModel } from '../components/model.js';
import type { ManifestEntry } from '../facts/server-state.js';
import type { WatchedFile } from '../facts/watched-files.js';
import { unifiedDiff } from '../lib/unified-diff.js';
import { type ConflictKind, type FileVerdict, judgeFile } from './judge-file.js';
import type { Call, ManagedFile, RunName, ServerStep } from './step.js';

/** A file that cannot be written without losing somebody's work. */
export interface Conflict {
  path: string;
  group: string;
  kind: ConflictKind;
  reason: string;
  /** From what is there to what we would write. */
  diff: readonly string[];
}

export interface GroupContext {
  files: ReadonlyMap<string, WatchedFile>;
  entries: readonly ManifestEntry[];
  pending: ReadonlySet<string>;
  contents: ReadonlyMap<string, string>;
  onConflict: 'stop' | 'keep' | 'take-over';
}

export interface JudgedFile {
  file: ManagedFile;
  verdict: FileVerdict;
}

export interface GroupPlan {
  step?: ServerStep;
  conflicts: Conflict[];
  /** Files whose content or mode the step changes. */
  written: ManagedFile[];
  /** Files that the step removes. */
  removed: string[];
}

const conflictReasons: Record<ConflictKind, string> = {
  edited: 'changed since smtp-setup wrote it',
  foreign: 'not written by smtp-setup, and not as its package brought it',
  'not-a-file': 'a symbolic link or a directory is in its place',
};

/** The step that brings a component's files in place. */
export function filesStepId(component: string): string {
  return `files-${component}`;
}

/** The step that starts a component's units where its files are in place. */
export function unitsStepId(component: string): string {
  return `units-${component}`;
}

/** Compares each of the component's files with what is on the server. */
export function judgeGroup(component: Component, model: ServerModel, context: GroupContext): JudgedFile[] {
  const unproven = context.pending.has(component.id);
  return component.files(model).map((file) => {
    const entry = context.entries.find(({ path }) => path === file.path);
    return { file, verdict: judgeFile(file, context.files.get(file.path), entry, unproven) };
  });
}

/** The step that brings a component's files in place: all of them are staged and validated together, if any differs. */
export function planGroup(
  component: Component,
  model: ServerModel,
  run: RunName,
  context: GroupContext,
): GroupPlan {
  const judged = judgeGroup(component, model, context);
  const leftovers = findLeftovers(component.id, judged, context);
  const conflicts = judged.flatMap(({ file, verdict }) =>
    verdict.kind === 'conflict' ? [describeConflict(component.id, file, verdict.conflict, context)] : [],
  );
  const isWritten = ({ verdict }: JudgedFile) =>
    verdict.kind === 'conflict'
      ? context.onConflict === 'take-over' && verdict.conflict !== 'not-a-file'
      : verdict.kind !== 'same';
  const changed = judged.filter(isWritten);
  const pending = context.pending.has(component.id);
  if (changed.length === 0 && leftovers.length === 0 && !pending)
    return { conflicts, written: [], removed: [] };
  const written = changed.map(({ file }) => file);
  return {
    conflicts,
    written,
    removed: leftovers.map(({ path }) => path),
    step: {
      id: filesStepId(component.id),
      run,
      title: `Configure ${component.title}`,
      reason: describeReason(changed, leftovers.length, pending),
      calls: [
        { fn: 'group_begin', args: [component.id] },
        ...judged.map((one) => fileCall(one, isWritten(one))),
        ...leftovers.map(({ path, sha256 }) => ({ fn: 'remove', args: [path, sha256] })),
        ...component.units(model).map(({ name, onChange }) => ({ fn: 'unit', args: [name, onChange] })),
        ...component.validate(model),
        { fn: 'group_swap', args: [] },
        { fn: 'group_reload', args: [] },
        ...component.probe(model),
        { fn: 'group_done', args: [] },
      ],
      files: judged.map(({ file }) => file),
      preview: changed.flatMap(({ file, verdict }) =>
        verdict.kind === 'mode' ? [modeChange(file, context)] : diffOf(file, context),
      ),
    },
  };
}

function fileCall({ file, verdict }: JudgedFile, written: boolean): Call {
  if (verdict.kind === 'conflict' && !written) return { fn: 'keep', args: [file.path] };
  const expect = verdict.kind === 'same' ? 'same' : verdict.expect;
  return { fn: 'put', args: [file.path, file.mode, file.owner, expect] };
}

/** Files that we wrote for this component once and that are no longer part of it; edited ones are left alone. */
function findLeftovers(group: string, judged: readonly JudgedFile[], context: GroupContext): ManifestEntry[] {
  const wanted = new Set(judged.map(({ file }) => file.path));
  return context.entries.filter(
    (entry) =>
      entry.group === group &&
      !wanted.has(entry.path) &&
      context.files.get(entry.path)?.sha256 === entry.sha256,
  );
}

function describeConflict(
  group: string,
  file: ManagedFile,
  kind: ConflictKind,
  context: GroupContext,
): Conflict {
  return { path: file.path, group, kind, reason: conflictReasons[kind], diff: diffOf(file, context) };
}

function diffOf(file: ManagedFile, context: GroupContext): string[] {
  const found = context.files.get(file.path);
  const before = found ? (context.contents.get(file.path) ?? '') : '';
  return [`--- ${found ? file.path : '/dev/null'}`, `+++ ${file.path}`, ...unifiedDiff(before, file.content)];
}

function modeChange(file: ManagedFile, context: GroupContext): string {
  const found = context.files.get(file.path);
  return `${file.path}: ${found?.mode} ${found?.owner} → ${file.mode} ${file.owner}`;
}

function describeReason(changed: readonly JudgedFile[], leftovers: number, pending: boolean): string {
  const created = changed.filter(({ verdict }) => verdict.kind === 'create').length;
  const others = changed.length - created;
  const parts = [
    ...(created > 0 ? [`${created} new ${created === 1 ? 'file' : 'files'}`] : []),
    ...(others > 0 ? [`${others} ${others === 1 ? 'file differs' : 'files differ'}`] : []),
    ...(leftovers > 0 ? [`${leftovers} no longer needed`] : []),
    ...(pending ? ['an earlier run ended before its change was proven'] : []),
  ];
  return parts.join(', ');
}
