import type { Probe } from './probe.js';
import { readLines } from './text.js';

export interface BackupFile {
  path: string;
  /** The component that owns it. */
  group: string;
  /** Where its copy is; undefined: there was no such file. */
  copy?: { path: string; mode: string; owner: string; sha256: string };
}

export interface LastBackup {
  /** The runs of the last command that replaced or removed files, oldest first. */
  runs: readonly string[];
  /** The command set the server up, or went on with that after one that failed: before it there was no whole setup of ours. */
  first: boolean;
  /** What stood there before the first of these runs. */
  files: readonly BackupFile[];
}

const store = '/var/lib/smtp-setup/backups';

/** What the last command that wrote files found in their place; undefined when none did. */
export const lastBackup: Probe<LastBackup | undefined> = {
  script: `cd ${store} || exit 0
last=$(ls | tail -n 1)
[ -n "$last" ] || exit 0
meta() { sed -n "s/^$2=//p" "$1/meta" 2>/dev/null | head -n 1; }
who=$(meta "$last" who)
for run in *; do
  [ "$run" = "$last" ] || { [ -n "$who" ] && [ "$(meta "$run" who)" = "$who" ]; } || continue
  echo "@$run $(meta "$run" generation)"
  for list in "$run"/*/list; do
    group=\${list%/list}
    while read -r kind path; do
      case $kind in
        absent) echo "\${group##*/} - - - $path" ;;
        file) echo "\${group##*/} $(sha256sum "$group/tree$path" | cut -c1-64) $(stat -c '%04a %U:%G' "$group/tree$path") $path" ;;
      esac
    done <"$list"
  done
done
cd ../runs || exit 0
grep -Hs '^generation=' */meta | sed 's/^/+/'
for run in */files; do grep -Hs '^code=' "\${run%/*}/result" | sed 's/^/+/'; done
true`,
  parse({ stdout }) {
    const lines = readLines(stdout);
    const runs = commandOf(readRuns(lines));
    const [earliest] = runs;
    if (earliest === undefined) return undefined;
    const files = new Map<string, BackupFile>();
    for (const file of runs.flatMap((run) => run.files)) {
      // The oldest copy is what stood there before the command.
      if (!files.has(file.path)) files.set(file.path, file);
    }
    return { runs: runs.map(({ id }) => id), first: isSetup(earliest, lines), files: [...files.values()] };
  },
};

interface BackupRun {
  id: string;
  generation: number | undefined;
  files: BackupFile[];
}

/** Its run began on a bare server, or no run that began there had put all files in place before it. */
function isSetup({ id, generation }: BackupRun, lines: readonly string[]): boolean {
  if (generation === 0) return true;
  const records = lines.flatMap((line) => {
    const [, run = '', of = '', value] =
      /^\+([0-9A-Za-z-]{1,60})\/(meta|result):[a-z]+=(\d{1,15})$/.exec(line) ?? [];
    return run < id && run !== '' ? [{ run, of, value: Number(value) }] : [];
  });
  // Results are only those of runs that brought files. An uninstall keeps the records of what was before it.
  const began = records.findLast(({ of, value }) => of === 'meta' && value === 0)?.run;
  if (began === undefined) return false;
  return !records.some(
    ({ run, of, value }) => run >= began && of === 'result' && value === 0 && run.includes('-install-'),
  );
}

function readRuns(lines: readonly string[]): BackupRun[] {
  const runs: BackupRun[] = [];
  for (const line of lines) {
    const head = /^@([0-9A-Za-z-]{1,60}) (\d{0,15})$/.exec(line);
    const run = runs.at(-1);
    if (head?.[1] !== undefined)
      runs.push({ id: head[1], generation: head[2] ? Number(head[2]) : undefined, files: [] });
    else if (run !== undefined) run.files.push(...readFile(line, run.id));
  }
  return runs;
}

function readFile(line: string, run: string): BackupFile[] {
  const match =
    /^([a-z0-9-]{1,40}) ([0-9a-f]{64}|-) (\d{4}|-) ([a-z0-9_-]+:[a-z0-9_-]+|-) (\/[^\s"\\]+)$/.exec(line);
  if (match === null) return [];
  const [, group = '', sha256 = '', mode = '', owner = '', path = ''] = match;
  if (path.split('/').includes('..')) return [];
  if (sha256 === '-') return [{ path, group }];
  return [{ path, group, copy: { path: `${store}/${run}/${group}/tree${path}`, mode, owner, sha256 } }];
}

/** Of runs by one process, those of its last command: one command has each kind of run once, in order, and soon after. */
function commandOf(runs: readonly BackupRun[]): BackupRun[] {
  const command: BackupRun[] = [];
  for (const run of runs.toReversed()) {
    const [next] = command;
    if (next !== undefined && !precedes(run.id, next.id)) break;
    command.unshift(run);
  }
  return command;
}

/** Milliseconds between two runs of one command: records may have to become visible. */
const longest = 2 * 3_600_000;

function precedes(id: string, next: string): boolean {
  const [one, two] = [readId(id), readId(next)];
  if (one === undefined || two === undefined) return false;
  return one.order >= 0 && one.order < two.order && two.time - one.time < longest;
}

/** `20261124T132416Z-install-b4d3`: when, and which of a command's runs. */
function readId(id: string): { time: number; order: number } | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-([a-z]+)-/.exec(id);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, name] = match;
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return { time, order: order.indexOf(name ?? '') };
}

const order = ['install', 'certify', 'golive'];
