import type { Probe } from './probe.js';
import { readLines, readParts } from './text.js';

export interface HostName {
  /** What the kernel says. */
  kernel: string;
  /** /etc/hostname: what stays after a reboot. */
  static: string;
  /** `hostname -f`; empty when it cannot be found out. */
  fqdn: string;
  /** Lines of /etc/hosts without comments. */
  hosts: readonly string[];
  /** /etc/mailname: the domain of the machine's own mail (Debian Policy 11.6). */
  mailName: string;
  /** cloud-init would set the host name again at the next boot. */
  resetAtBoot: boolean;
  /** cloud-init writes /etc/hosts at every boot, with this name of its template first on the machine's line. */
  hostsTemplate?: string;
}

export const hostName: Probe<HostName> = {
  script: `cat /proc/sys/kernel/hostname; echo --; cat /etc/hostname; echo --; timeout 5 hostname -f
echo --; sed 's/#.*//' /etc/hosts | head -n 200
echo --; [ -e /etc/cloud/cloud.cfg ] && ! grep -qsr '^preserve_hostname: *true' /etc/cloud && echo reset
echo --; head -c 300 /etc/mailname
echo --; cd /var/lib/cloud/instance && grep -Eqs '^manage_etc_hosts: *(true|template|"true"|True)' cloud-config.txt user-data.txt vendor-data.txt &&
  cat /etc/cloud/templates/hosts.debian.tmpl | sed -n 's/^127\\.0\\.1\\.1[[:blank:]]*\\([^[:blank:]]*\\).*/template \\1/p' | head -n 1`,
  parse({ stdout }) {
    const [kernel = '', fixed = '', fqdn = '', hosts = '', reset = '', mailName = '', more = ''] = readParts(
      stdout,
      7,
    );
    const template = /^template (\S{1,300})$/m.exec(more)?.[1];
    return {
      kernel: kernel.trim(),
      static: fixed.trim(),
      fqdn: fqdn.trim(),
      hosts: readLines(hosts)
        .map((line) => line.trim())
        .filter((line) => line !== ''),
      mailName: mailName.trim(),
      resetAtBoot: reset.trim() === 'reset',
      ...(template === undefined ? {} : { hostsTemplate: template }),
    };
  },
};
