import { nibblesOf, reverseNameOf } from '../dns/reverse-name.js';
import { parseIp } from '../lib/ip.js';
import type { NameAnswer } from './server/server-check.js';

export interface BlockList {
  zone: string;
  title: string;
  /** Where one is taken off. */
  delist: string;
  /** What its listing costs: `fail` where big receivers refuse, `warn` where few look at it. */
  weight: 'fail' | 'warn';
  /** What is on it for tests (RFC 5782 sections 5 and 6): a reversed address or a domain. */
  test: string;
  ipv6: boolean;
  /** An answer that means "you may not ask", beside 127.255.255.x. */
  refusal?: string;
}

const addressList = { test: '2.0.0.127', ipv6: false } as const;

/** Lists of addresses that answer without a contract. */
export const blockLists: readonly BlockList[] = [
  {
    ...addressList,
    zone: 'zen.spamhaus.org',
    title: 'Spamhaus ZEN',
    delist: 'https://check.spamhaus.org',
    weight: 'fail',
    ipv6: true,
  },
  {
    ...addressList,
    zone: 'bl.spamcop.net',
    title: 'SpamCop',
    delist: 'https://www.spamcop.net/bl.shtml',
    weight: 'fail',
  },
  {
    ...addressList,
    zone: 'psbl.surriel.com',
    title: 'PSBL',
    delist: 'https://psbl.org/remove',
    weight: 'warn',
  },
  {
    ...addressList,
    zone: 'bl.mailspike.net',
    title: 'Mailspike',
    delist: 'https://www.mailspike.org',
    weight: 'warn',
  },
  {
    ...addressList,
    zone: 'dnsbl-1.uceprotect.net',
    title: 'UCEPROTECT level 1',
    delist: 'https://www.uceprotect.net/en/rblcheck.php',
    weight: 'warn',
  },
];

/** Lists of domains. */
export const domainLists: readonly BlockList[] = [
  {
    zone: 'dbl.spamhaus.org',
    title: 'Spamhaus DBL',
    delist: 'https://check.spamhaus.org',
    weight: 'fail',
    test: 'dbltest.com',
    ipv6: false,
  },
  {
    zone: 'multi.surbl.org',
    title: 'SURBL',
    delist: 'https://surbl.org/surbl-analysis',
    weight: 'fail',
    test: 'test.surbl.org',
    ipv6: false,
    refusal: '127.0.0.1',
  },
];

/** Somebody who may be on lists: an address or a domain, with the lists that have such and its name on them. */
export interface Suspect {
  subject: string;
  label: string;
  lists: readonly BlockList[];
}

/** Undefined for what is no address. */
export function suspectAddress(address: string): Suspect | undefined {
  const v6 = address.includes(':');
  const label = v6 ? nibbles(address) : reverseNameOf(address)?.replace(/\.in-addr\.arpa$/, '');
  if (label === undefined) return undefined;
  return { subject: address, label, lists: blockLists.filter(({ ipv6 }) => ipv6 || !v6) };
}

export function suspectDomain(domain: string): Suspect {
  return { subject: domain, label: domain, lists: domainLists };
}

function nibbles(address: string): string | undefined {
  const bytes = parseIp(address);
  return bytes && nibblesOf(bytes).reverse().join('.');
}

/** The names to look up: of each list its own test entry, and the suspect. */
export function namesOnLists({ label, lists }: Suspect): string[] {
  return lists.flatMap(({ zone, test }) => [`${test}.${zone}`, `${label}.${zone}`]);
}

export interface Listings {
  listed: readonly { list: BlockList; addresses: readonly string[] }[];
  clean: readonly BlockList[];
  /** Refused, or did not answer: nothing is known. */
  silent: readonly BlockList[];
}

/**
 * What the lists said. They refuse big public resolvers, and say 127.255.255.x or nothing then; one that does not even
 * know its own test entry has said nothing about anybody.
 */
export function readListings(
  { label, lists }: Suspect,
  answers: ReadonlyMap<string, NameAnswer>,
  /** It has no block lists, and knows that they are not there. */
  privateNetwork: boolean,
): Listings {
  const answerOf = (name: string): NameAnswer => answers.get(name) ?? { status: 'unknown' };
  const clean: BlockList[] = [];
  const silent: BlockList[] = [];
  const listed: { list: BlockList; addresses: readonly string[] }[] = [];
  for (const list of lists) {
    const test = answerOf(`${list.test}.${list.zone}`);
    if (privateNetwork && test.status === 'absent') continue;
    const answer = answerOf(`${label}.${list.zone}`);
    if (!isListing(list, test) || answer.status === 'unknown') silent.push(list);
    else if (answer.status === 'absent') clean.push(list);
    else if (isListing(list, answer)) listed.push({ list, addresses: answer.addresses });
    else silent.push(list);
  }
  return { listed, clean, silent };
}

/** Listings are in 127.0.0.0/8; 127.255.255.x is Spamhaus's "you may not ask". */
function isListing({ refusal }: BlockList, answer: NameAnswer): answer is NameAnswer & { status: 'found' } {
  return (
    answer.status === 'found' &&
    answer.addresses.some((one) => one !== refusal && /^127\.(?!255\.255\.)/.test(one))
  );
}

/** For a person who wants to look by hand. */
export function describeLists(lists: readonly BlockList[]): { titles: string; links: string } {
  return {
    titles: lists.map(({ title }) => title).join(', '),
    links: [...new Set(lists.map(({ delist }) => delist))].join(' '),
  };
}
