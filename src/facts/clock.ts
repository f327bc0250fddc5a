import type { Probe } from './probe.js';
import { readAssignments, readNumber, readParts } from './text.js';

export interface Clock {
  /** Seconds since 1970 at the time of the question. */
  epoch?: number;
  /** Undefined when timedatectl does not answer. */
  synchronized?: boolean;
  /** A time service is set up. */
  enabled?: boolean;
}

export const clock: Probe<Clock> = {
  script: 'date +%s; echo --; timedatectl show -p NTPSynchronized -p NTP',
  parse({ stdout }) {
    const [date, shown = ''] = readParts(stdout, 2);
    const epoch = readNumber(date);
    const values = readAssignments(shown);
    const flag = (name: string) => {
      const value = values.get(name);
      return value === undefined ? undefined : value === 'yes';
    };
    const synchronized = flag('NTPSynchronized');
    const enabled = flag('NTP');
    return {
      ...(epoch === undefined ? {} : { epoch }),
      ...(synchronized === undefined ? {} : { synchronized }),
      ...(enabled === undefined ? {} : { enabled }),
    };
  },
};
