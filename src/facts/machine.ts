import type { Probe } from './probe.js';
import { readLines, readNumber, readParts } from './text.js';

export interface Machine {
  /** `uname -m`. */
  arch: string;
  /** dpkg's name: amd64, arm64, … */
  dpkgArch: string;
  kernel: string;
  cpus: number;
  /** MiB. */
  memory: number;
  /** MiB the kernel could give to programs now. */
  available: number;
  /** MiB. */
  swap: number;
  /** `systemd-detect-virt`: kvm, lxc, none, … */
  virtualization: string;
}

export const machine: Probe<Machine> = {
  script: `uname -m; uname -r; dpkg --print-architecture || echo; nproc || echo
echo --; grep -E '^(MemTotal|MemAvailable|SwapTotal):' /proc/meminfo
echo --; systemd-detect-virt || :`,
  parse({ stdout }) {
    const [names = '', memory = '', virtualization = ''] = readParts(stdout, 3);
    const [arch = '', kernel = '', dpkgArch = '', cpus] = names.split('\n');
    const kib = new Map(
      readLines(memory).flatMap((line) => {
        const match = /^(\w+):\s+(\d+) kB$/.exec(line);
        return match?.[1] ? [[match[1], Number(match[2])] as const] : [];
      }),
    );
    const mib = (name: string) => Math.round((kib.get(name) ?? 0) / 1024);
    return {
      arch,
      kernel,
      dpkgArch,
      cpus: readNumber(cpus) ?? 1,
      memory: mib('MemTotal'),
      available: mib('MemAvailable'),
      swap: mib('SwapTotal'),
      virtualization: virtualization.trim() || 'unknown',
    };
  },
};
