import { describeLists, readListings, type Suspect } from '../block-lists.js';
import type { Finding } from '../check.js';
import type { NameAnswer } from '../server/server-check.js';
import { finding } from './rule.js';

/**
 * What block lists say of a server before it has sent anything: who had its address before, and what the domain was
 * used for. It stops nothing: an entry can be taken off, and an address can be changed.
 */
export function checkBlockLists(
  suspects: readonly Suspect[],
  answers: ReadonlyMap<string, NameAnswer>,
  privateNetwork: boolean,
): Finding[] {
  return suspects.flatMap((suspect) => {
    const { subject } = suspect;
    const { listed, clean, silent } = readListings(suspect, answers, privateNetwork);
    const findings = listed.map(({ list: { zone, title, delist }, addresses }) =>
      finding('SRV-BLOCKLIST', 'warn', 'Block lists', subject, `${title} lists ${subject}.`, {
        expected: 'no entry',
        observed: `${addresses.join(', ')} at ${zone}`,
        fix: isAddress(subject)
          ? `Have it taken off before you send: ${delist} Another address from your VPS provider is often quicker.`
          : `See why, and have it taken off before you send: ${delist}`,
      }),
    );
    if (silent.length > 0) {
      const { titles, links } = describeLists(silent);
      const message = `${titles} did not answer the server's resolver about ${subject}.`;
      const fix = `Look by hand: ${links}`;
      findings.push(finding('SRV-BLOCKLIST', 'unknown', 'Block lists', subject, message, { fix }));
    }
    if (clean.length > 0) {
      const message = `${subject} is not on ${describeLists(clean).titles}`;
      findings.push(finding('SRV-BLOCKLIST', 'pass', 'Block lists', subject, message));
    }
    return findings;
  });
}

function isAddress(subject: string): boolean {
  return /^[0-9.]+$/.test(subject) || subject.includes(':');
}
