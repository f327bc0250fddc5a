import type { ConsentFlags } from '../cli/flags.js';
import type { Consents } from '../dns/zone-plan.js';

/** What the flags allow to be done to records that stand there already. */
export function readConsents(flags: ConsentFlags): Consents {
  return { update: flags.allowUpdate, delete: flags.allowDelete };
}
