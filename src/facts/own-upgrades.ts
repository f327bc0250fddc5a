import type { Probe } from './probe.js';

/**
 * The owner has arranged for updates: options of unattended-upgrades in a file of theirs or in the package's own one,
 * upgrades switched off, apt's timer disabled, or another program for it.
 */
export const ownUpgrades: Probe<boolean> = {
  script: `cd /etc/apt/apt.conf.d || exit 0
for file in *; do
  case $file in
    20auto-upgrades) grep -Eq '^[^/#]*Unattended-Upgrade "0"' "$file" && echo own ;;
    50unattended-upgrades) grep -q "^$(md5sum <"$file" | cut -c 1-32) " /var/lib/ucf/hashfile || echo own ;;
    52smtp-setup-upgrades | *.dpkg-* | *.ucf-* | *.bak | *~) ;;
    *) grep -Eq '^[^/#]*Unattended-Upgrade' "$file" && echo own ;;
  esac
done
case $(systemctl is-enabled apt-daily-upgrade.timer) in disabled | masked*) echo own ;; esac
{ [ -e /etc/apticron/apticron.conf ] || grep -Eqs '^[^#]*apt(-get)? .*upgrade' /etc/crontab /etc/cron.d/*; } && echo own
true`,
  parse: ({ stdout }) => stdout.split('\n').includes('own'),
};
