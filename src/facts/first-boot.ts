import type { Probe } from './probe.js';
import { readLines, readParts } from './text.js';

export interface FirstBoot {
  /** `cloud-init status`: running, done, error, disabled, …; absent without cloud-init. */
  cloudInit: string;
  /** Package jobs of the system that run right now. */
  jobs: readonly string[];
}

export const firstBoot: Probe<FirstBoot> = {
  script: `command -v cloud-init >/dev/null && cloud-init status
echo --
for unit in apt-daily.service apt-daily-upgrade.service; do
  case $(systemctl show -p ActiveState --value "$unit") in activating|active) echo "$unit" ;; esac
done`,
  parse({ stdout }) {
    const [status = '', jobs = ''] = readParts(stdout, 2);
    return {
      cloudInit: /status: ([a-z ]+)/.exec(status)?.[1]?.trim() ?? 'absent',
      jobs: readLines(jobs).filter((line) => /^[a-z-]+\.service$/.test(line)),
    };
  },
};
