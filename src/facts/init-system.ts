import type { Probe } from './probe.js';
import { readLines, readNumber } from './text.js';

export interface InitSystem {
  /** Name of process 1. */
  pid1: string;
  /** `systemctl is-system-running`: running, degraded, starting, … */
  state: string;
  /** systemd's version number; undefined when systemctl does not answer. */
  version?: number;
}

export const initSystem: Probe<InitSystem> = {
  script:
    'cat /proc/1/comm; systemctl is-system-running 2>/dev/null || :; systemctl --version 2>/dev/null | head -n 1',
  parse({ stdout }) {
    const lines = readLines(stdout);
    const version = readNumber(/^systemd (\d+)/.exec(lines.at(-1) ?? '')?.[1]);
    return {
      pid1: lines[0] ?? '',
      state: /^[a-z-]+$/.exec(lines[1] ?? '')?.[0] ?? 'unknown',
      ...(version === undefined ? {} : { version }),
    };
  },
};
