import type { AnswerRule } from './rule.js';

/** Block lists that receivers name most often, each with its own way out. */
export const blockListAnswers: readonly AnswerRule[] = [
  {
    id: 'block-list-query-refused',
    match: /127\.255\.255\.25[245]|public\/open resolver|excessive number of queries|spamhaus\.org\/returnc/i,
    title: "the receiver's block list does not work",
    meaning: 'The receiver asks its list through a public resolver and takes the refusal for a listing.',
    todo: ['The postmaster there has to repair it; tell them by another way.'],
  },
  {
    id: 'barracuda',
    match: /barracuda(central|networks)/i,
    title: 'listed by Barracuda',
    meaning: "This server's address is on Barracuda's reputation list.",
    todo: ['https://www.barracudacentral.org/rbl/removal-request takes it off within a day.'],
  },
  {
    id: 'spamcop',
    match: /spamcop/i,
    title: 'listed by SpamCop',
    meaning: 'Somebody reported mail of this server as spam within the last day.',
    todo: [
      'The listing ends by itself 24 hours after the last report; until then find its cause: smtp-setup report',
      'https://www.spamcop.net/bl.shtml',
    ],
  },
  {
    id: 'abusix',
    match: /abusix|lookup\.abusix/i,
    title: 'listed by Abusix',
    meaning: "This server's address or domain is on Abusix Mail Intelligence.",
    todo: ['https://lookup.abusix.com/ shows why, and takes it off on request.'],
  },
  {
    id: 'uceprotect',
    match: /uceprotect/i,
    title: 'listed by UCEPROTECT',
    meaning: 'Level 1 is the address itself; levels 2 and 3 are its whole neighbourhood or provider.',
    todo: [
      'It ends by itself seven days after the last incident; nobody has to pay.',
      'For levels 2 and 3 only the VPS provider can do something; few receivers use them.',
    ],
  },
  {
    id: 'sorbs-and-others',
    match:
      /\b(sorbs|psbl|surriel|spamrats|0spam|mailspike|invaluement|nordspam|hostkarma|blocklist\.de|dnswl)\b/i,
    title: 'on a block list',
    meaning: "The receiver asks the list that the answer names; it has this server's address.",
    todo: [
      "Look the address up on the list's site and follow its steps: smtp-setup status shows the larger ones.",
    ],
  },
  {
    id: 'bad-link',
    match:
      /\b(SURBL|URIBL|DBL)\b|blacklisted URL|URL.{0,30}(black|block) ?list|contains? .{0,20}(bad|blocked|malicious) (url|link)/i,
    title: 'a link in the message is listed',
    meaning: 'The text names a web site that is on a list of bad links (it may be a link shortener).',
    todo: [
      'Leave the link out, or write it without a shortener.',
      'Look it up: https://surbl.org/surbl-analysis',
    ],
  },
];
