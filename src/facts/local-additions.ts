import type { Probe } from './probe.js';
import { readParts } from './text.js';

/** The user's own lines for daemons without an include directive. */
export interface LocalAdditionsState {
  postfixMain: string;
  postfixMaster: string;
}

export const localAdditions: Probe<LocalAdditionsState> = {
  script: `cd /etc/smtp-setup/local || exit 0
head -c 65536 postfix-main.cf; echo; echo --; head -c 65536 postfix-master.cf
true`,
  parse({ stdout }) {
    const [main = '', master = ''] = readParts(stdout, 2);
    const text = (part: string) => (part.trim() === '' ? '' : `${part.trim()}\n`);
    return { postfixMain: text(main), postfixMaster: text(master) };
  },
};
