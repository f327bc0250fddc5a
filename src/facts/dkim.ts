import type { Probe } from './probe.js';
import { readLines, readParts } from './text.js';

export interface DkimKey {
  domain: string;
  selector: string;
  /** base64 SPKI, the `p=` value of its record. Untrusted: parsed as a key before it is published. */
  publicKey: string;
}

export interface DkimState {
  keys: readonly DkimKey[];
  /** Domains whose mail is signed now, as Rspamd's configuration says. */
  signing: readonly { domain: string; selector: string }[];
}

/** DKIM keys on the server (public halves) and what Rspamd signs with them. */
export const dkim: Probe<DkimState> = {
  script: `for file in /var/lib/rspamd/dkim/*.pub; do
  [ -s "\${file%.pub}.key" ] && { printf '%s ' "\${file##*/}"; head -c 2000 "$file" | tr -d '\\n'; echo; }
done
echo --
cat /etc/rspamd/local.d/dkim_signing.conf
true`,
  parse({ stdout }) {
    const [keys = '', config = ''] = readParts(stdout, 2);
    return {
      keys: readLines(keys).flatMap((line) => {
        const match = /^([a-z0-9.-]+)\.([a-z0-9-]+)\.pub ([A-Za-z0-9+/]+=*)$/.exec(line);
        return match?.[1] && match[2] && match[3]
          ? [{ domain: match[1], selector: match[2], publicKey: match[3] }]
          : [];
      }),
      signing: [
        ...config.matchAll(/^ {2}"?([a-z0-9.-]+)"? \{\s+selectors \[\s+\{\s+selector = "?([a-z0-9-]+)"?;/gm),
      ].flatMap(([, domain, selector]) => (domain && selector ? [{ domain, selector }] : [])),
    };
  },
};
