import type { Probe } from './probe.js';
import { readLines, readParts } from './text.js';

export interface OtherMail {
  /** Mail panels and suites found by their own files. */
  panels: readonly string[];
  /** Messages waiting in the queue of whatever MTA is installed; undefined when none answers. */
  queued?: number;
  /**
   * Recipients of waiting mail that a Postfix of somebody else's would deliver on this machine: with another configuration
   * it would come back to its senders. Not all where there are very many.
   */
  queuedHere?: readonly string[];
}

/**
 * Its domains may be in tables, which only its own tools read. Whatever contains one of them is sent, and read strictly
 * on this side.
 */
const askForeignQueue = `  listed=$(postqueue -j | grep -o '"address": *"[^"\\]*@[^"\\]*"' | cut -d'"' -f4 | sort -u)
  asked=$(printf '%s\n' "$listed" | sed 's/.*@//' | tr 'A-Z' 'a-z' | sort -u)
  here=$(for place in $(postconf -hx mydestination virtual_mailbox_domains virtual_alias_domains | tr ',' ' '); do
    case $place in
      *:*) printf '%s\n' "$asked" | postmap -q - "$place" | cut -f1 ;;
      /*) sed 's/#.*//' "$place" ;;
      *) printf '%s\n' "$place" ;;
    esac
  done)
  [ -z "$here" ] || { printf 'domain %s\n' $here
    printf '%s\n' "$listed" | grep -iF "$(printf '@%s\n' $here)" | head -n 500 | sed 's/^/for /'; }`;

const panels: readonly (readonly [name: string, path: string])[] = [
  ['Plesk', '/usr/local/psa/version'],
  ['cPanel', '/usr/local/cpanel/version'],
  ['DirectAdmin', '/usr/local/directadmin/directadmin'],
  ['iRedMail', '/etc/iredmail-release'],
  ['Mail-in-a-Box', '/etc/mailinabox.conf'],
  ['mailcow', '/opt/mailcow-dockerized/mailcow.conf'],
  ['Modoboa', '/srv/modoboa/env'],
  ['Zimbra', '/opt/zimbra/bin/zmcontrol'],
  ['YunoHost', '/etc/yunohost/installed'],
  ['HestiaCP', '/usr/local/hestia/conf/hestia.conf'],
  ['VestaCP', '/usr/local/vesta/conf/vesta.conf'],
  ['ISPConfig', '/usr/local/ispconfig/server/lib/config.inc.php'],
  ['CyberPanel', '/usr/local/CyberCP/version.txt'],
  ['Virtualmin', '/etc/webmin/virtual-server/config'],
  ['Stalwart', '/opt/stalwart/etc/config.toml'],
];

export const otherMail: Probe<OtherMail> = {
  script: `${panels.map(([name, path]) => `[ -e '${path}' ] && echo '${name}'`).join('\n')}
echo --
if command -v exim4 >/dev/null; then exim4 -bpc
elif command -v postqueue >/dev/null && [ -d /var/spool/postfix/deferred ]; then
  count=$(cd /var/spool/postfix && find maildrop incoming active deferred hold -type f | wc -l)
  echo "$count"
  if [ "$count" != 0 ] && ! grep -q '^# Managed by smtp-setup' /etc/postfix/main.cf; then
    set -f
${askForeignQueue}
    set +f
  fi
elif [ -d /var/spool/mqueue ]; then find /var/spool/mqueue -name 'qf*' | wc -l
elif [ -d /var/spool/nullmailer/queue ]; then find /var/spool/nullmailer/queue -type f | wc -l
elif [ -d /var/spool/dma ]; then find /var/spool/dma -name 'Q*' | wc -l
elif [ -d /var/spool/smtpd/queue ]; then find /var/spool/smtpd/queue -name message | wc -l
fi`,
  parse({ stdout }) {
    const [found = '', queue = ''] = readParts(stdout, 2);
    const known = new Set(panels.map(([name]) => name));
    const [count = '', ...waiting] = queue.trim().split('\n');
    const queued = /^\d{1,9}$/.test(count.trim()) ? Number(count.trim()) : undefined;
    const queuedHere = readRecipients(waiting);
    return {
      panels: readLines(found).filter((name) => known.has(name)),
      ...(queued === undefined ? {} : { queued }),
      ...(queuedHere.length === 0 ? {} : { queuedHere }),
    };
  },
};

function readRecipients(lines: readonly string[]): string[] {
  const read = (kind: RegExp) => lines.flatMap((line) => kind.exec(line)?.[1] ?? []);
  const domains = new Set(read(/^domain ([A-Za-z0-9._-]{1,255})$/).map((domain) => domain.toLowerCase()));
  return read(/^for ([\x21-\x7e]{1,64}@[A-Za-z0-9._-]{1,255})$/).filter((address) =>
    domains.has(address.slice(address.lastIndexOf('@') + 1).toLowerCase()),
  );
}
