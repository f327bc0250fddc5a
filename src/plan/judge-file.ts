import type { ManifestEntry } from '../facts/server-state.js';
import type { WatchedFile } from '../facts/watched-files.js';
import { sha256 } from '../lib/sha256.js';
import type { ManagedFile } from './step.js';

/** Why a file cannot simply be written. */
export type ConflictKind =
  /** We wrote it, somebody changed it since. */
  | 'edited'
  /** It is neither ours nor as its package brought it. */
  | 'foreign'
  /** A symbolic link or a directory is in its place; nothing is written through those. */
  | 'not-a-file';

export type FileVerdict =
  | { kind: 'same' }
  | { kind: 'create' | 'update' | 'default' | 'mode'; expect: string }
  | { kind: 'conflict'; conflict: ConflictKind; expect: string };

/**
 * What has to happen to one file. `expect` is the content that the run must still find there (sha256, or `absent`).
 * `unproven`: a run died after it had swapped this file's group, so what is there is ours though no manifest says so.
 */
export function judgeFile(
  file: ManagedFile,
  found: WatchedFile | undefined,
  entry: ManifestEntry | undefined,
  unproven: boolean,
): FileVerdict {
  if (!found) return { kind: 'create', expect: 'absent' };
  if (found.type !== 'file') return { kind: 'conflict', conflict: 'not-a-file', expect: 'absent' };
  const actual = found.sha256 ?? '';
  if (actual === sha256(file.content)) {
    return found.mode === file.mode && found.owner === file.owner
      ? { kind: 'same' }
      : { kind: 'mode', expect: actual };
  }
  if (actual === entry?.sha256 || unproven) return { kind: 'update', expect: actual };
  if (found.pristine) return { kind: 'default', expect: actual };
  return { kind: 'conflict', conflict: entry ? 'edited' : 'foreign', expect: actual };
}
