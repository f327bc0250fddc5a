import type { Probe } from './probe.js';
import { readLines, readParts } from './text.js';

export interface OtherMail {
  /** Mail panels and suites found by their own files. */
  panels: readonly string[];
  /** Messages waiting in the queue of whatever MTA is installed; undefined when none answers. */
  queued?: number;
}

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
  cd /var/spool/postfix && find maildrop incoming active deferred hold -type f | wc -l
elif [ -d /var/spool/mqueue ]; then find /var/spool/mqueue -name 'qf*' | wc -l
elif [ -d /var/spool/nullmailer/queue ]; then find /var/spool/nullmailer/queue -type f | wc -l
elif [ -d /var/spool/dma ]; then find /var/spool/dma -name 'Q*' | wc -l
elif [ -d /var/spool/smtpd/queue ]; then find /var/spool/smtpd/queue -name message | wc -l
fi`,
  parse({ stdout }) {
    const [found = '', queue = ''] = readParts(stdout, 2);
    const known = new Set(panels.map(([name]) => name));
    const queued = /^\d{1,9}$/.test(queue.trim()) ? Number(queue.trim()) : undefined;
    return {
      panels: readLines(found).filter((name) => known.has(name)),
      ...(queued === undefined ? {} : { queued }),
    };
  },
};
