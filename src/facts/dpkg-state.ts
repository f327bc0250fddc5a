import type { Probe } from './probe.js';
import { readLines, readParts } from './text.js';

export interface PackageLock {
  file: string;
  pid: number;
  command: string;
}

export interface DpkgState {
  /** False when there is no dpkg at all. */
  present: boolean;
  /** First lines of `dpkg --audit`; empty when all is well. */
  audit: readonly string[];
  /** An installation was cut: /var/lib/dpkg/updates is not empty. */
  interrupted: boolean;
  locks: readonly PackageLock[];
}

/** Lock holders come from /proc/locks: fuser and lsof are not there on a minimal system. */
export const dpkgState: Probe<DpkgState> = {
  script: `command -v dpkg || exit 127
echo --; dpkg --audit | head -n 20
echo --; ls /var/lib/dpkg/updates | head -n 3
echo --
for file in /var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/lib/apt/lists/lock /var/cache/apt/archives/lock; do
  inode=$(stat -c %i "$file") || continue
  sed -n "s/^.* WRITE \\([0-9]*\\) [^ ]*:$inode .*/\\1/p" /proc/locks | head -n 1 | while read -r pid; do
    printf '%s %s %s\\n' "$file" "$pid" "$(tr '\\000\\n' '  ' <"/proc/$pid/cmdline" | head -c 200)"
  done
done`,
  parse({ code, stdout }) {
    const [, audit = '', updates = '', locks = ''] = readParts(stdout, 4);
    return {
      present: code !== 127,
      audit: readLines(audit),
      interrupted: updates.trim() !== '',
      locks: readLines(locks).flatMap((line) => {
        const match = /^(\/\S+) (\d+) (.*)$/.exec(line);
        return match?.[1]
          ? [{ file: match[1], pid: Number(match[2]), command: (match[3] ?? '').trim() }]
          : [];
      }),
    };
  },
};
