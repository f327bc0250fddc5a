import { nibblesOf, reverseNameOf } from '../../dns/reverse-name.js';
import { parseIp } from '../../lib/ip.js';
import type { NameAnswer, Outcome, ServerCheck } from './server-check.js';

interface BlockList {
  zone: string;
  title: string;
  /** Where one is taken off. */
  delist: string;
  /** What its listing costs: `fail` where big receivers refuse, `warn` where few look at it. */
  weight: 'fail' | 'warn';
  ipv6: boolean;
}

/** Lists that answer without a contract. Each has 127.0.0.2 on it for tests (RFC 5782 section 5). */
export const blockLists: readonly BlockList[] = [
  {
    zone: 'zen.spamhaus.org',
    title: 'Spamhaus ZEN',
    delist: 'https://check.spamhaus.org',
    weight: 'fail',
    ipv6: true,
  },
  {
    zone: 'bl.spamcop.net',
    title: 'SpamCop',
    delist: 'https://www.spamcop.net/bl.shtml',
    weight: 'fail',
    ipv6: false,
  },
  {
    zone: 'psbl.surriel.com',
    title: 'PSBL',
    delist: 'https://psbl.org/remove',
    weight: 'warn',
    ipv6: false,
  },
  {
    zone: 'bl.mailspike.net',
    title: 'Mailspike',
    delist: 'https://www.mailspike.org',
    weight: 'warn',
    ipv6: false,
  },
  {
    zone: 'dnsbl-1.uceprotect.net',
    title: 'UCEPROTECT level 1',
    delist: 'https://www.uceprotect.net/en/rblcheck.php',
    weight: 'warn',
    ipv6: false,
  },
];

/**
 * Block lists, asked through the server's own resolver: lists refuse big public resolvers, and say 127.255.255.x or
 * nothing then. A list that does not even know its own test entry has said nothing about anybody.
 */
export const onBlockLists: ServerCheck = {
  id: 'BLOCKLIST',
  title: 'The address is on no block list',
  needs: ['askFromServer'],
  ref: 'RFC 5782',
  async run(target, address) {
    const { askFromServer } = target;
    const reversed = reversedOf(address);
    if (!askFromServer || reversed === undefined) return [];
    const lists = blockLists.filter(({ ipv6 }) => ipv6 || !address.includes(':'));
    const names = lists.flatMap(({ zone }) => [`2.0.0.127.${zone}`, `${reversed}.${zone}`]);
    const answers = await askFromServer(names);
    const answerOf = (name: string): NameAnswer => answers.get(name) ?? { status: 'unknown' };
    const clean: string[] = [];
    const silent: string[] = [];
    const listed: Outcome[] = [];
    for (const { zone, title, delist, weight } of lists) {
      const test = answerOf(`2.0.0.127.${zone}`);
      // A private network has no block lists, and knows that they are not there.
      if (target.privateCa && test.status === 'absent') continue;
      const answer = answerOf(`${reversed}.${zone}`);
      const known = isListing(test) && !isListing(answer) ? answer.status !== 'unknown' : isListing(test);
      if (!known || isRefusal(answer)) silent.push(title);
      else if (!isListing(answer)) clean.push(title);
      else {
        listed.push({
          status: weight,
          subject: `${address} on ${zone}`,
          message: `${title} lists ${address}.`,
          expected: 'no entry',
          observed: answer.status === 'found' ? answer.addresses.join(', ') : '',
          fix: `Find the cause first (smtp-setup report, smtp-setup queue), then ask to be taken off: ${delist}`,
        });
      }
    }
    const silence: Outcome[] =
      silent.length === 0
        ? []
        : [
            {
              status: 'unknown',
              subject: `${address} on ${silent.join(', ')}`,
              message: `${silent.join(', ')} did not answer the server's resolver.`,
              fix: `Look by hand: ${lists
                .filter(({ title }) => silent.includes(title))
                .map((list) => list.delist)
                .join(' ')}`,
            },
          ];
    const good: Outcome[] =
      clean.length === 0
        ? []
        : [{ status: 'pass', subject: address, message: `Not on ${clean.join(', ')}.` }];
    return [...listed, ...silence, ...good];
  },
};

/** Listings are in 127.0.0.0/8; 127.255.255.x is Spamhaus's "you may not ask". */
function isListing(answer: NameAnswer): boolean {
  return answer.status === 'found' && answer.addresses.some((one) => /^127\.(?!255\.255\.)/.test(one));
}

function isRefusal(answer: NameAnswer): boolean {
  return answer.status === 'found' && !isListing(answer);
}

function reversedOf(address: string): string | undefined {
  if (!address.includes(':')) return reverseNameOf(address)?.replace(/\.in-addr\.arpa$/, '');
  const bytes = parseIp(address);
  return bytes && nibblesOf(bytes).reverse().join('.');
}
