import type { Probe } from './probe.js';
import { readLines, readParts } from './text.js';

export interface AccountsState {
  /** The owner of all mail, its folder, the lists and the tables made from them are there. */
  prepared: boolean;
  /** The server only sends: a login has no mailbox. */
  sendsOnly: boolean;
  /** Addresses that have a mailbox; never their hashes. */
  mailboxes: readonly string[];
  /** Addresses whose login is switched off. */
  disabled: readonly string[];
  /** Mailboxes with a limit of their own, in bytes; 0 is no limit. Others have the configuration's. */
  quotas: readonly { address: string; bytes: number }[];
  /** Logins without a mailbox, for applications, with the addresses (`@domain` for all of one) they may send as. */
  logins: readonly { address: string; senders: readonly string[] }[];
  /** Domains that mailboxes can be made for. */
  domains: readonly string[];
  aliases: readonly { address: string; targets: readonly string[] }[];
  /** Type of Postfix's tables as they lie there. */
  mapType: 'hash' | 'lmdb';
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
echo --
sed -n 's/^\\([^#:[:space:]][^:[:space:]]*\\):.*[: ]allow_nets=255\\.255\\.255\\.255\\/32.*/\\1/p' users
echo --
cat logins
echo --
grep -v '^#' domains
echo --
ls maps
echo --
sed -n 's/^\\([^#:[:space:]][^:[:space:]]*\\):.*[: ]userdb_quota_storage_size=\\([0-9]*\\).*/\\1 \\2/p' users
echo --
[ -e send-only ] && echo send-only
true`,
  parse({ stdout }) {
    const parts = readParts(stdout, 9);
    const [prepared = '', users = '', aliases = '', disabled = '', senders = '', domains = ''] = parts;
    const [maps = '', quotas = '', mark = ''] = parts.slice(6);
    const logins = readEntries(senders).map(([address, list]) => ({ address, senders: list }));
    const alone = new Set(logins.map(({ address }) => address));
    return {
      prepared: prepared.trim() === 'prepared',
      sendsOnly: mark.trim() === 'send-only',
      mailboxes: readAddresses(users).filter((address) => !alone.has(address)),
      disabled: readAddresses(disabled),
      quotas: readLines(quotas).flatMap((line) => {
        const [address = '', bytes = ''] = line.split(' ');
        return /^\d{1,18}$/.test(bytes) && !isThrowAway(address) ? [{ address, bytes: Number(bytes) }] : [];
      }),
      logins,
      domains: readLines(domains).filter((line) => /^[a-z0-9.-]+$/.test(line)),
      aliases: readEntries(aliases).map(([address, targets]) => ({ address, targets })),
      mapType: readLines(maps).includes('mailboxes.lmdb') ? 'lmdb' : 'hash',
    };
  },
};

function readAddresses(text: string): string[] {
  // Throw-away mailboxes of probes and checks may be left by one that died; the next change removes them.
  return readLines(text).filter((line) => /^[^\s@]+@[a-z0-9.-]+$/.test(line) && !isThrowAway(line));
}

/** A mailbox of ours, made for one probe or check. */
export function isThrowAway(address: string): boolean {
  return /^smtp-setup-(?:probe|check-[0-9a-f]{8})@/.test(address);
}

/** Lines of an address and a comma-separated list. */
function readEntries(text: string): [address: string, list: string[]][] {
  return readLines(text).flatMap((line) => {
    const match = /^(\S*@[a-z0-9.-]+)\s+(\S.*)$/.exec(line);
    return match?.[1] && match[2]
      ? [[match[1], match[2].split(/[\s,]+/).filter((item) => item !== '')] as [string, string[]]]
      : [];
  });
}
