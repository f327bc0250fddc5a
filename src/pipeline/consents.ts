import type { ConsentFlags } from '../cli/flags.js';
import type { Consents } from '../dns/zone-plan.js';
import { parseTakeOver } from './take-over.js';

/** What the flags allow to be done to records that stand there already. Throws E_TAKE_OVER_LIST or E_MAILBOX_… (exit 2). */
export function readConsents(flags: ConsentFlags): Consents {
  return {
    update: flags.allowUpdate,
    delete: flags.allowDelete,
    unproxy: flags.allowUnproxy,
    ...(flags.takeOverMx === undefined ? {} : { takeOverMx: parseTakeOver(flags.takeOverMx) }),
  };
}
