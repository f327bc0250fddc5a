import type { Probe } from './probe.js';
import { readLines, readParts } from './text.js';

export interface AccountsState {
  /** The owner of all mail, its folder, the lists and the tables made from them are there. */
  prepared: boolean;
  /** Addresses that can log in; never their hashes. */
  mailboxes: readonly string[];
  aliases: readonly { address: string; targets: readonly string[] }[];
}

/** Mailboxes and aliases as the server has them: the only place where they live. */
export const accounts: Probe<AccountsState> = {
  script: `cd /etc/smtp-setup || exit 0
[ -d /var/vmail ] && [ -e users ] && [ -e aliases ] && getent passwd vmail >/dev/null &&
  ls maps/mailboxes.* maps/aliases.* maps/senders.* >/dev/null && echo prepared
echo --
sed -n 's/^\\([^#:[:space:]][^:[:space:]]*\\):.*/\\1/p' users
echo --
grep -v '^#' aliases
true`,
  parse({ stdout }) {
    const [prepared = '', users = '', aliases = ''] = readParts(stdout, 3);
    return {
      prepared: prepared.trim() === 'prepared',
      // The probes' throw-away mailbox may be left by a run that died; the next one removes it.
      mailboxes: readLines(users).filter(
        (line) => /^[^\s@]+@[a-z0-9.-]+$/.test(line) && !line.startsWith('smtp-setup-probe@'),
      ),
      aliases: readLines(aliases).flatMap((line) => {
        const match = /^(\S*@[a-z0-9.-]+)\s+(\S.*)$/.exec(line);
        return match?.[1] && match[2]
          ? [{ address: match[1], targets: match[2].split(/[\s,]+/).filter((target) => target !== '') }]
          : [];
      }),
    };
  },
};
