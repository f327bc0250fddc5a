import type { Probe } from './probe.js';
import { readLines, readParts } from './text.js';

export interface WatchedFile {
  type: 'file' | 'link' | 'other';
  /** Octal with four digits. */
  mode: string;
  /** `user:group`. */
  owner: string;
  /** Of regular files. */
  sha256?: string;
  /** As its package brought it (dpkg's or ucf's own record): nobody's work is lost by replacing it. */
  pristine: boolean;
}

/** What is at the watched globs (FACT_WATCH, one a line) and at the paths that the manifest names. */
export const watchedFiles: Probe<ReadonlyMap<string, WatchedFile>> = {
  script: `set --
add() { if [ -e "$1" ] || [ -L "$1" ]; then set -- "$1"; found="$found
$1"; fi; }
found=''
IFS='
'
for path in $FACT_WATCH $(sed -n 's/^{"path":"\\([^"]*\\)",.*/\\1/p' /var/lib/smtp-setup/manifest.json); do add "$path"; done
[ -n "$found" ] || exit 0
set -f
stat --printf '%04a %U:%G %F %n\\n' $found
echo --
sha256sum $found
echo --
md5sum $found
echo --
{ dpkg-query -W -f '\${Conffiles}\\n'; sed 's/^\\([0-9a-f]\\{32\\}\\) *\\(.*\\)$/ \\2 \\1/' /var/lib/ucf/hashfile
  # No conffile, but copied from here by the package's script.
  md5sum /usr/share/postfix/master.cf.dist | sed 's/^\\([0-9a-f]\\{32\\}\\) .*/ \\/etc\\/postfix\\/master.cf \\1/'; } | grep -F "\${found#?}"
true`,
  parse({ stdout }) {
    const [stats = '', sha256 = '', md5 = '', packaged = ''] = readParts(stdout, 4);
    const hashes = readSums(sha256, 64);
    const sums = readSums(md5, 32);
    const originals = new Set(
      readLines(packaged).flatMap((line) => {
        const match = /^ (\/\S+) ([0-9a-f]{32})/.exec(line);
        return match ? [`${match[1]} ${match[2]}`] : [];
      }),
    );
    const found = new Map<string, WatchedFile>();
    for (const line of readLines(stats)) {
      const match = /^(\d{4}) (\S+:\S+) (regular file|regular empty file|symbolic link|[a-z ]+) (\/.*)$/.exec(
        line,
      );
      if (!match?.[4]) continue;
      const [, mode = '', owner = '', kind = '', path] = match;
      const hash = hashes.get(path);
      found.set(path, {
        type: kind.startsWith('regular') ? 'file' : kind === 'symbolic link' ? 'link' : 'other',
        mode,
        owner,
        ...(hash !== undefined && kind.startsWith('regular') ? { sha256: hash } : {}),
        pristine: originals.has(`${path} ${sums.get(path)}`),
      });
    }
    return found;
  },
};

function readSums(text: string, length: number): Map<string, string> {
  const sums = new Map<string, string>();
  for (const line of readLines(text)) {
    const match = /^([0-9a-f]+) [ *](\/.*)$/.exec(line);
    if (match?.[1]?.length === length && match[2] !== undefined) sums.set(match[2], match[1]);
  }
  return sums;
}
