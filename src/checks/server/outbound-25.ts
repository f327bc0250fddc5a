import { checkOutbound } from '../preflight/network.js';
import type { ServerCheck } from './server-check.js';

/** The way out, tried from the server itself: many VPS providers close it, some of them later. */
export const outbound25: ServerCheck = {
  id: 'OUT25',
  title: 'Mail can leave the server: outgoing port 25',
  needs: ['readOutbound'],
  ref: 'RFC 5321 section 4.5.4.2',
  async run({ readOutbound, relayed = false, privateCa }, address) {
    if (!readOutbound) return [];
    const family = address.includes(':') ? 6 : 4;
    const facts = await readOutbound();
    // A private network has no large receivers, and knows that they are not there.
    if (privateCa && facts.outbound.every(({ result }) => result === 'unresolved')) return [];
    const { status, message, expected, observed, fix } = checkOutbound(facts, family, relayed);
    return [
      {
        status,
        subject: `${address} to port 25 elsewhere`,
        message,
        ...(expected === undefined ? {} : { expected }),
        ...(observed === undefined ? {} : { observed }),
        ...(fix === undefined ? {} : { fix: fix.text }),
      },
    ];
  },
};
