import type { Probe } from './probe.js';
import { readLines } from './text.js';

export interface Candidate {
  /** What apt would install; undefined when it knows none (lists not fetched yet, component missing). */
  version?: string;
  /** A version that a pin in apt's preferences forces. */
  pinned?: string;
  /** Where the candidate would come from, as `apt-cache policy` prints it. */
  source?: string;
}

/** The packages whose version decides what we render. */
export const versionedPackages = [
  'postfix',
  'dovecot-core',
  'rspamd',
  'unbound',
  'certbot',
  'postsrsd',
] as const;

export const candidates: Probe<ReadonlyMap<string, Candidate>> = {
  script: `apt-cache policy ${versionedPackages.join(' ')}`,
  parse({ stdout }) {
    const found = new Map<string, Candidate>();
    let name: string | undefined;
    let current: Candidate = {};
    let inCandidate = false;
    for (const line of readLines(stdout)) {
      const title = /^([a-z0-9][a-z0-9.+-]*):$/.exec(line)?.[1];
      if (title !== undefined) {
        name = title;
        current = {};
        inCandidate = false;
        found.set(name, current);
        continue;
      }
      const field = /^ {2}(Candidate|Package pin): (\S+)$/.exec(line);
      if (field?.[2] !== undefined && field[2] !== '(none)') {
        if (field[1] === 'Candidate') current.version = field[2];
        else current.pinned = field[2];
      }
      const version = /^ (?:\*\*\*| {3}) (\S+) -?\d+( \(phased.*\))?$/.exec(line)?.[1];
      if (version !== undefined) inCandidate = version === current.version;
      const source = /^ {7,}-?\d+ (\S.*)$/.exec(line)?.[1];
      if (source !== undefined && inCandidate && !source.startsWith('/var/lib/dpkg/status')) {
        current.source ??= source;
      }
    }
    return found;
  },
};
