import type { Asker } from '../config/asker.js';
import type { Config } from '../config/schema.js';
import type { Consents } from '../dns/zone-plan.js';
import { SetupError } from '../errors.js';
import { cancelledError } from '../ui/cancelled.js';
import type { ZoneSurvey } from './survey.js';
import { findForeignMx, parseTakeOver } from './take-over.js';

export interface ForeignMxInput {
  config: Config;
  hostname: string;
  zones: readonly Pick<ZoneSurvey, 'live'>[];
  consents: Consents;
}

/**
 * At a terminal: what shall become of mail that goes elsewhere today (R4). Keeping it comes first, and stopping changes
 * nothing. Without a terminal, or when the flag has said it, nothing is asked: the plan then stops or goes on.
 */
export async function askAboutForeignMx(
  asker: Asker,
  { config, hostname, zones, consents }: ForeignMxInput,
): Promise<{ config: Config; consents: Consents }> {
  if (!asker.interactive || consents.takeOverMx !== undefined) return { config, consents };
  const foreign = findForeignMx(config, hostname, zones);
  const domains = { ...config.domains };
  const moving: string[] = [];
  for (const [name, exchanges] of foreign) {
    const choice = await asker.choose({
      key: 'foreignMx',
      message: `Mail to ${name} goes to ${exchanges.join(', ')} today. What shall become of it?`,
      choices: [
        { value: 'keep', name: 'Keep it there; this server only sends', description: 'no MX is changed' },
        { value: 'take-over', name: 'Move all mail to this server' },
        { value: 'stop', name: 'Stop here; nothing was changed' },
      ],
      default: 'keep',
      flag: '--take-over-mx',
    });
    if (choice === 'stop') throw cancelledError(undefined, 'Stopped; nothing was changed.');
    const domain = domains[name];
    if (choice === 'keep' && domain !== undefined) domains[name] = { ...domain, mail: 'send-only' };
    if (choice === 'take-over') moving.push(name);
  }
  const next = { ...config, domains };
  if (moving.length === 0) return { config: next, consents };
  const list = await asker.text({
    key: 'takeOverMx',
    message: `Every address of ${moving.join(', ')} that gets mail today, comma-separated (@: one mailbox gets everything)`,
    validate: judgeList,
  });
  return { config: next, consents: { ...consents, takeOverMx: parseTakeOver(list) } };
}

function judgeList(text: string): true | string {
  try {
    parseTakeOver(text);
    return true;
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    return [error.message, error.fix[0]].filter(Boolean).join(' ');
  }
}
