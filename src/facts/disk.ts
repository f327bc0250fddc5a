import type { Probe } from './probe.js';
import { readLines } from './text.js';

export interface FileSystem {
  path: string;
  /** MiB. */
  size: number;
  /** MiB that root's programs can still use. */
  free: number;
  /** Undefined on file systems that do not count inodes (btrfs). */
  inodesFree?: number;
  readOnly: boolean;
}

/** `test -w` as root is false on a read-only mount only. */
export const disk: Probe<readonly FileSystem[]> = {
  script: `for path in / /etc /usr /var /var/lib /run /tmp; do
  [ -d "$path" ] || continue
  mode=ro; [ -w "$path" ] && mode=rw
  stat -f -c "$path %S %b %a %c %d $mode" "$path"
done`,
  parse({ stdout }) {
    return readLines(stdout).flatMap((line) => {
      const match = /^(\/\S*) (\d+) (\d+) (\d+) (\d+) (\d+) (ro|rw)$/.exec(line);
      if (!match?.[1]) return [];
      const [block, blocks, available, inodes, inodesFree] = match.slice(2, 7).map(Number) as [
        number,
        number,
        number,
        number,
        number,
      ];
      const mib = (count: number) => Math.floor((count * block) / 1048576);
      return [
        {
          path: match[1],
          size: mib(blocks),
          free: mib(available),
          ...(inodes > 0 ? { inodesFree } : {}),
          readOnly: match[7] === 'ro',
        },
      ];
    });
  },
};
