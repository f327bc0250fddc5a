import { type AnswerRule, waits } from './rule.js';

/** What any receiver may say. Sources: RFC 3463, RFC 7372, RFC 7505 and the registry of enhanced status codes. */
export const protocolAnswers: readonly AnswerRule[] = [
  {
    id: 'loop',
    match: /[45]\.4\.(6|14)\b|too many hops|hop count exceeded|mail loop|loops back to (myself|itself)/i,
    title: 'the mail goes in circles',
    meaning: 'Two servers, or two forwardings, send it to each other.',
    todo: [
      'Look for an alias that leads to an address that is forwarded back here: smtp-setup alias list',
      'Does the MX of the domain lead to the server that has its mailboxes?',
    ],
  },
  {
    id: 'too-many-recipients',
    match: /[45]\.5\.3\b|too many recipients/i,
    title: 'too many recipients at once',
    meaning: 'The receiver takes fewer recipients a message.',
    todo: [waits, 'Send lists in smaller parts, best one message a recipient.'],
  },
  {
    id: 'too-many-connections',
    match:
      /too many (concurrent |simultaneous )?(SMTP )?(connections|sessions)|connection (rate )?limit exceeded|4\.7\.0 .*connections from/i,
    title: 'too many connections at once',
    meaning: 'The receiver takes fewer connections at a time from this address.',
    todo: [waits],
  },
  {
    id: 'sender-domain',
    match:
      /sender address rejected: (domain|unverified|undeliverable|need|user unknown)|sender (verify|verification) failed|[45]\.1\.8\b|[45]\.1\.7\b|unrouteable sender/i,
    title: "the sender's address cannot be answered",
    meaning: "The receiver tried the sender's address and found no domain or no mailbox behind it.",
    todo: [
      'Send as an address that exists: smtp-setup user list, smtp-setup alias list',
      'smtp-setup check dns (MX and A of the domain)',
    ],
  },
  {
    id: 'helo-rejected',
    match:
      /helo command rejected|(bad|invalid|unknown) (helo|ehlo)|helo.{0,30}(does not resolve|no A record|mismatch)/i,
    title: "the server's name was refused (EHLO)",
    meaning: 'The name in EHLO has no address, or it is not that of this server.',
    todo: ['smtp-setup check dns (address and PTR of the host name)', 'smtp-setup apply'],
  },
  {
    id: 'arc-failed',
    match: /5\.7\.29\b.*ARC|ARC (validation|chain).{0,20}fail/i,
    title: 'the ARC chain is broken',
    meaning: 'Somebody on the way changed the message after it was sealed.',
    todo: ['Only forwarded mail is meant; the server before this one has to repair it.'],
  },
  {
    id: 'spf-failed',
    match:
      /5\.7\.2[34]\b|SPF.{0,40}(fail|softfail|not authorized|permerror|rejected)|not allowed to send .{0,40}from|openspf|sender policy framework/i,
    title: 'SPF failed',
    meaning: "The SPF record of the sender's domain does not name this server.",
    todo: [
      'smtp-setup check dns',
      'Forwarded by an alias? The envelope then has to be that of this server (SRS), or the recipient reads mail here.',
    ],
  },
  {
    id: 'dkim-failed',
    match: /5\.7\.2[0-2]\b|DKIM.{0,40}(fail|invalid|not valid|bad signature|missing)/i,
    title: 'DKIM failed',
    meaning: 'The signature is missing, its key is not visible in DNS, or the text was changed on the way.',
    todo: ['smtp-setup dkim list', 'smtp-setup check dns'],
  },
  {
    id: 'virus',
    match: /virus|malware|infected|phish/i,
    title: 'taken for malware or phishing',
    meaning: 'A scanner there found something in the message or its attachments.',
    todo: [
      'Look at who sent it: smtp-setup logs --from ADDRESS',
      'If a password was stolen: smtp-setup user disable ADDRESS',
    ],
  },
  {
    id: 'attachment',
    match:
      /5\.6\.[01]\b|attachment.{0,40}(not (allowed|permitted)|rejected|blocked)|(file|extension).{0,20}not allowed/i,
    title: 'attachment not allowed',
    meaning: 'The receiver takes no attachments of that kind.',
    todo: ['Send a link in place of the attachment.'],
  },
  {
    id: 'non-ascii-address',
    match: /5\.6\.7\b|SMTPUTF8 (is )?(required|not)/i,
    title: 'address with letters that the receiver does not know',
    meaning: 'An address is not plain ASCII, and the receiver does not take such (SMTPUTF8).',
    todo: ['Use another address of the recipient.'],
  },
  {
    id: 'mailbox-disabled',
    match:
      /[45]\.2\.1\b|(mailbox|account|user) (is |has been )?(disabled|inactive|suspended|closed|locked|deactivated|not active)/i,
    title: 'mailbox disabled',
    meaning: 'The address exists and takes no mail, for now or for good.',
    todo: ['Take it off the list, or reach the recipient by another way.'],
  },
  {
    id: 'receiver-full',
    match: /[45]\.3\.1\b|insufficient (system )?(storage|resources|disk)|no space left|disk (is )?full/i,
    title: "the receiver's server is full",
    meaning: 'The other server has no room for mail.',
    todo: [waits],
  },
  {
    id: 'receiver-in-trouble',
    match:
      /[45]\.3\.2\b|4\.4\.5\b|server (is )?(too )?busy|temporar(y|ily) (system |local )?(problem|failure|unavailable|error|lookup)|service (is )?(not|temporarily|currently) (un)?available|local (error|problem)|4\.7\.1 Service unavailable - try again|queue file write error/i,
    title: "the receiver's server is in trouble",
    meaning: 'The other server, or its filter, does not work right now.',
    todo: [waits],
  },
  {
    id: 'expired',
    match: /[45]\.4\.7\b|(message|delivery time) expired|retry time not reached|retry timeout exceeded/i,
    title: 'given up after days',
    meaning: 'The receiver put the mail off until its time was over.',
    todo: ['smtp-setup logs --to ADDRESS shows every try and its answer.'],
  },
];
