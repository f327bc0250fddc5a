import type { Probe } from './probe.js';

/** Id of the backup that this server was restored from; undefined for most servers. */
export const restored: Probe<string | undefined> = {
  script: 'head -c 100 /var/lib/smtp-setup/restored\ntrue',
  parse: ({ stdout }) => /^([0-9a-f]{32})$/.exec(stdout.trim())?.[1],
};
