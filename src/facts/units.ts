import type { Probe } from './probe.js';
import { readLines, readParts } from './text.js';

export interface UnitState {
  /** ActiveState: active, inactive, failed, activating, …; `inactive` when systemd has not loaded it. */
  active: string;
  sub: string;
  /** UnitFileState: enabled, disabled, static, masked, …; empty without a unit file. */
  enabled: string;
}

/**
 * Every unit that is loaded, and those of the components that have a file, by full name (`postfix.service`). Only theirs
 * are asked for: for all files of a server systemd needs a second, in which it does nothing else.
 */
export const units: Probe<ReadonlyMap<string, UnitState>> = {
  script: `systemctl list-units --all --plain --no-legend --no-pager --type=service,socket,timer,path
echo --; [ -z "$FACT_UNITS" ] || systemctl list-unit-files --no-legend --no-pager $FACT_UNITS`,
  parse({ stdout }) {
    const [loaded = '', files = ''] = readParts(stdout, 2);
    const found = new Map<string, UnitState>();
    for (const line of readLines(files)) {
      const [name, enabled] = line.trim().split(/\s+/);
      if (name && enabled) found.set(name, { active: 'inactive', sub: 'dead', enabled });
    }
    for (const line of readLines(loaded)) {
      // A bullet marks failed units, even in plain output of some releases.
      const [name, , active, sub] = line.replace(/^[^A-Za-z0-9-]+/, '').split(/\s+/);
      if (name && active && sub) found.set(name, { active, sub, enabled: enabledState(found, name) });
    }
    return found;
  },
};

/** An instance (`postfix@-.service`) is enabled as its template is. */
function enabledState(found: ReadonlyMap<string, UnitState>, name: string): string {
  return (found.get(name) ?? found.get(name.replace(/@[^.]*\./, '@.')))?.enabled ?? '';
}
