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
  /** The run that replaced or removed the files. */
  run: string;
  files: readonly BackupFile[];
}

const store = '/var/lib/smtp-setup/backups';

/** What the last run that wrote files found in their place; undefined when none did. */
export const lastBackup: Probe<LastBackup | undefined> = {
  script: `cd ${store} || exit 0
run=$(ls | tail -n 1)
[ -n "$run" ] || exit 0
echo "@$run"
for list in "$run"/*/list; do
  group=\${list%/list}
  while read -r kind path; do
    case $kind in
      absent) echo "\${group##*/} - - - $path" ;;
      file) echo "\${group##*/} $(sha256sum "$group/tree$path" | cut -c1-64) $(stat -c '%04a %U:%G' "$group/tree$path") $path" ;;
    esac
  done <"$list"
done
true`,
  parse({ stdout }) {
    const [head = '', ...lines] = readLines(stdout);
    const run = /^@([0-9A-Za-z-]{1,60})$/.exec(head)?.[1];
    if (run === undefined) return undefined;
    const files = lines.flatMap((line): BackupFile[] => {
      const match =
        /^([a-z0-9-]{1,40}) ([0-9a-f]{64}|-) (\d{4}|-) ([a-z0-9_-]+:[a-z0-9_-]+|-) (\/[^\s"\\]+)$/.exec(line);
      if (match === null) return [];
      const [, group = '', sha256 = '', mode = '', owner = '', path = ''] = match;
      if (path.split('/').includes('..')) return [];
      if (sha256 === '-') return [{ path, group }];
      return [{ path, group, copy: { path: `${store}/${run}/${group}/tree${path}`, mode, owner, sha256 } }];
    });
    return { run, files };
  },
};
