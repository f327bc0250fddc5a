import type { Probe } from './probe.js';
import { readLines } from './text.js';

export interface InstalledPackage {
  version: string;
  /** Unpacked, configured and usable. */
  installed: boolean;
  held: boolean;
}

/** Every package dpkg knows, by name (the architecture is left off). */
export const packages: Probe<ReadonlyMap<string, InstalledPackage>> = {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query's own placeholders
  script: "dpkg-query -W -f '${Package} ${Version} ${db:Status-Abbrev}\\n'",
  parse({ stdout }) {
    const found = new Map<string, InstalledPackage>();
    for (const line of readLines(stdout)) {
      const match = /^([a-z0-9][a-z0-9.+-]*) (\S*) (\w)(\w)(\w| )?$/.exec(line.trimEnd());
      if (!match?.[1]) continue;
      const entry = { version: match[2] ?? '', installed: match[4] === 'i', held: match[3] === 'h' };
      // Multi-arch packages come twice; the installed one counts.
      if (!found.get(match[1])?.installed) found.set(match[1], entry);
    }
    return found;
  },
};
