import type { Probe } from './probe.js';
import { readLines } from './text.js';

/**
 * Logins, and domains as `@domain`, that were told to come later within the last day, because too much had been sent.
 * Asked by `status` only.
 */
export const sendingLimits: Probe<readonly string[]> = {
  script: `[ -S /run/smtp-setup-redis/redis.sock ] || exit 0
timeout 10 redis-cli -s /run/smtp-setup-redis/redis.sock --scan --pattern 'smtp-setup:tripped:*'`,
  parse({ stdout }) {
    const logins = readLines(stdout).flatMap((line) => {
      const login = /^smtp-setup:tripped:([^\s@]*@[a-z0-9.-]+)$/.exec(line)?.[1];
      // A probe trips the fuse on purpose.
      return login === undefined || login.endsWith('.invalid') ? [] : [login];
    });
    return [...new Set(logins)].sort();
  },
};
