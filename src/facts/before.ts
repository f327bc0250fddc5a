import type { Probe } from './probe.js';
import { readLines, readParts } from './text.js';

/** What the server was before smtp-setup came, as its run library noted it (templates/run/before.sh). */
export interface Before {
  /** Files that stood where we wrote: they come back. */
  replaced: readonly string[];
  /** Files that were not there: they go. */
  added: readonly string[];
  /** Packages that came with us. */
  installed: readonly string[];
  /** Packages that gave way to ours. */
  removed: readonly string[];
}

/** Undefined: nothing was ever noted, because nothing was set up, or by a version that did not. */
export const before: Probe<Before | undefined> = {
  script: `cd /var/lib/smtp-setup/before || exit 0
echo known; echo --; sed -n 's/^file //p' list; echo --; sed -n 's/^absent //p' list
echo --; cat installed; echo --; cat removed`,
  parse({ stdout }) {
    const [known = '', replaced = '', added = '', installed = '', removed = ''] = readParts(stdout, 5);
    if (known.trim() !== 'known') return undefined;
    const paths = (text: string): string[] =>
      readLines(text).filter((line) => /^\/[^\s"\\]+$/.test(line) && !line.split('/').includes('..'));
    const names = (text: string): string[] =>
      readLines(text).filter((line) => /^[a-z0-9][a-z0-9.+-]*$/.test(line));
    return {
      replaced: paths(replaced),
      added: paths(added),
      installed: names(installed),
      removed: names(removed),
    };
  },
};
