import type { Probe } from './probe.js';
import { readLines } from './text.js';

/** A login for a hosted relay that lies on the server: for whose mail, and for which host. Never what it is. */
export interface RelayLoginState {
  /** `server`, or the sender domain. */
  name: string;
  host: string;
}

export const relayLogins: Probe<readonly RelayLoginState[]> = {
  script: `cd /etc/smtp-setup/relay || exit 0
for login in *; do
  [ -f "$login" ] && printf '%s ' "$login" && sed -n 's/^\\([a-z0-9.-]*\\)[[:space:]].*/\\1/p;q' "$login"
done
true`,
  parse({ stdout }) {
    return readLines(stdout).flatMap((line) => {
      const [, name, host] = /^([a-z0-9.-]+) ([a-z0-9.-]+)$/.exec(line) ?? [];
      return name === undefined || host === undefined ? [] : [{ name, host }];
    });
  },
};
