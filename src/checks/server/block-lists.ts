import { describeLists, namesOnLists, readListings, suspectAddress } from '../block-lists.js';
import type { Outcome, ServerCheck } from './server-check.js';

/** Block lists, asked through the server's own resolver. */
export const onBlockLists: ServerCheck = {
  id: 'BLOCKLIST',
  title: 'The address is on no block list',
  needs: ['askFromServer'],
  ref: 'RFC 5782',
  async run(target, address) {
    const suspect = suspectAddress(address);
    if (!target.askFromServer || suspect === undefined) return [];
    const answers = await target.askFromServer(namesOnLists(suspect));
    const { listed, clean, silent } = readListings(suspect, answers, target.privateCa);
    const outcomes = listed.map(
      ({ list: { zone, title, delist, weight }, addresses }): Outcome => ({
        status: weight,
        subject: `${address} on ${zone}`,
        message: `${title} lists ${address}.`,
        expected: 'no entry',
        observed: addresses.join(', '),
        fix: `Find the cause first (smtp-setup report, smtp-setup queue), then ask to be taken off: ${delist}`,
      }),
    );
    if (silent.length > 0) {
      const { titles, links } = describeLists(silent);
      outcomes.push({
        status: 'unknown',
        subject: `${address} on ${titles}`,
        message: `${titles} did not answer the server's resolver.`,
        fix: `Look by hand: ${links}`,
      });
    }
    if (clean.length > 0)
      outcomes.push({ status: 'pass', subject: address, message: `Not on ${describeLists(clean).titles}.` });
    return outcomes;
  },
};
