import type { Probe } from './probe.js';

export interface PendingUpdate {
  name: string;
  from: string;
  to: string;
  /** From the distribution's security archive. */
  security: boolean;
}

export interface UpdatesState {
  /** Undefined: apt could not tell. */
  pending: readonly PendingUpdate[] | undefined;
  /** Seconds since 1970 of the last look at the archives; 0 when never. */
  refreshed: number;
  /** The system asks to be rebooted (a new kernel or libc). */
  reboot: boolean;
}

/** What apt would upgrade by the lists that lie there. Asked by `status` only: it takes a second or two. */
export const updates: Probe<UpdatesState> = {
  script: `stat -c '@refreshed %Y' /var/lib/apt/lists 2>/dev/null
[ -e /run/reboot-required ] && echo @reboot
LC_ALL=C apt-get -s -o Debug::NoLocking=1 dist-upgrade && echo @complete`,
  parse({ stdout }) {
    const lines = stdout.split('\n');
    const pending = lines.flatMap((line) => {
      const match = /^Inst (\S+) \[(\S+)\] \((\S+) (.*?)\)/.exec(line);
      if (!match?.[1] || !match[2] || !match[3]) return [];
      return [{ name: match[1], from: match[2], to: match[3], security: /-?security/i.test(match[4] ?? '') }];
    });
    return {
      pending: lines.includes('@complete') ? pending : undefined,
      refreshed: Number(/^@refreshed (\d{1,12})$/m.exec(stdout)?.[1] ?? 0),
      reboot: lines.includes('@reboot'),
    };
  },
};
