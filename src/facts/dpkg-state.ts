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
echo --; dpkg --audit
echo --; ls /var/lib/dpkg/updates
echo --
cd / && stat -c '%i %n' var/lib/dpkg/lock-frontend var/lib/dpkg/lock var/lib/apt/lists/lock var/cache/apt/archives/lock |
while read -r inode file; do
  while read -r _ type _ kind pid where _; do
    [ "$type $kind \${where##*:}" = "POSIX WRITE $inode" ] || continue
    printf '/%s %s %s\\n' "$file" "$pid" "$(tr '\\000\\n' '  ' <"/proc/$pid/cmdline" | head -c 200)"
  done </proc/locks
done`,
  parse({ code, stdout }) {
    const [, audit = '', updates = '', locks = ''] = readParts(stdout, 4);
    return {
      present: code !== 127,
      audit: readLines(audit).slice(0, 20),
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
