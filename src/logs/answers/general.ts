import type { AnswerRule } from './rule.js';

const gmailHelp = 'https://support.google.com/a/answer/81126';

/**
 * The answers that senders meet most, the broad ones last. Sources: Google "Email sender guidelines" and its SMTP error list; Microsoft
 * "NDR error codes" and the outlook.com requirements of 2025; Yahoo "SMTP error codes"; Spamhaus "DNSBL usage"; RFC 3463
 * and the IANA registry of enhanced status codes.
 */
export const generalAnswers: readonly AnswerRule[] = [
  {
    id: 'gmail-unauthenticated',
    match: /5\.7\.26|unauthenticated email from .* is not accepted|requires all senders to authenticate/i,
    title: 'not authenticated (5.7.26)',
    meaning:
      'Neither SPF nor DKIM passed for the domain in the From header, or its DMARC policy says to refuse.',
    todo: [
      'smtp-setup check dns',
      'See that the From domain is one of this server and that its DKIM record is visible.',
      gmailHelp,
    ],
  },
  {
    id: 'null-mx',
    match: /null ?MX|does not accept (any )?(e?mail|messages)/i,
    title: 'domain takes no mail',
    meaning: 'The domain says in DNS that it takes no mail (RFC 7505).',
    todo: ['Take the address off the list.'],
  },
  {
    id: 'gmail-no-spf-or-dkim',
    match: /5\.7\.27|5\.7\.30|SPF.{0,40}did not pass|DKIM.{0,40}did not pass/i,
    title: 'SPF or DKIM did not pass (5.7.27, 5.7.30)',
    meaning: 'The receiver wants SPF and DKIM from whoever sends much; one of them did not pass.',
    todo: ['smtp-setup check dns', gmailHelp],
  },
  {
    id: 'no-ptr',
    match:
      /5\.7\.25|4\.7\.23|PTR record|reverse (DNS|hostname|lookup)|cannot find your (reverse )?hostname|rDNS/i,
    title: 'no matching PTR record',
    meaning: "The server's address has no name in DNS, or the name does not lead back to the address.",
    todo: [
      "Set the PTR in the VPS provider's panel to the mail host name, for IPv4 and IPv6.",
      'smtp-setup check dns',
    ],
  },
  {
    id: 'gmail-tls',
    match: /5\.7\.29|4\.7\.29|requires? (a )?(TLS|secure) connection|must issue a STARTTLS/i,
    title: 'TLS required',
    meaning: 'The receiver takes mail over TLS only.',
    todo: ['smtp-setup plan (is the outgoing TLS setting still ours?)'],
  },
  {
    id: 'outlook-unauthenticated',
    match: /5\.7\.515/,
    title: 'Outlook: domain does not meet the requirements (5.7.515)',
    meaning:
      'Microsoft wants SPF, DKIM and DMARC, aligned with the From header, from domains that send much.',
    todo: [
      'smtp-setup check dns --profile outlook',
      'Publish DMARC, at least p=none, and see that SPF and DKIM pass.',
    ],
  },
  {
    id: 'spamhaus',
    match: /spamhaus|zen\.spamhaus|\bSBL\d|\bPBL\d|\bXBL\b/i,
    title: 'listed by Spamhaus',
    meaning:
      "This server's address (or the domain) is on a Spamhaus list: sent spam, a bad neighbourhood, or an address range that is not meant to send.",
    todo: [
      'Look the address up at https://check.spamhaus.org/ and follow the steps there.',
      'If a password was stolen: smtp-setup user disable ADDRESS, smtp-setup queue list, then ask for removal.',
    ],
  },
  {
    id: 'outlook-blocked',
    match: /5\.7\.60[5-9]|\bS3150\b|\bS3140\b|part of their network is on our block list|banned sending IP/i,
    title: 'Outlook: the address is blocked',
    meaning: "Microsoft blocks this server's address or its neighbourhood.",
    todo: [
      'Ask for removal: https://sender.office.com/ or https://olcsupport.office.com/',
      'Join SNDS to see what they see.',
    ],
  },
  {
    id: 'outlook-throttled',
    match: /\bRP-00[1-3]\b|4\.7\.65[01]|S77\d|\bS775\b/i,
    title: 'Outlook: slow down',
    meaning: 'The address is new to Microsoft or sends more than they like; it is taken later.',
    todo: ['Wait: Postfix tries again by itself. Send little, regularly, for some weeks.'],
  },
  {
    id: 'gmail-rate',
    match: /4\.7\.28|5\.7\.28|unusual rate of (unsolicited )?mail|rate limited/i,
    title: 'too much mail at once (4.7.28)',
    meaning: 'The receiver limits how much it takes from this address, domain or sender.',
    todo: [
      'Wait: Postfix tries again by itself. Spread the mail over time.',
      'smtp-setup report shows who sends how much.',
    ],
  },
  {
    id: 'dnsbl',
    match: /blocked using|listed (at|by|in|on) \S+\.\S+|block(ed)? ?list|blacklist|DNSBL|RBL/i,
    title: 'on a block list',
    meaning: "The receiver asks a block list that has this server's address or domain.",
    todo: ['The answer names the list: look the address up there and follow its steps.'],
  },
  {
    id: 'gmail-spam',
    match:
      /(likely|suspected|suspicious).{0,60}(unsolicited|spam|content)|5\.7\.1 .*(spam|reputation)|low reputation|message (has been )?blocked.*(spam|content)/i,
    title: 'taken for spam',
    meaning: 'The content, or the reputation of address or domain, looks bad to the receiver.',
    todo: [
      'Look at the spam rate: https://postmaster.google.com/',
      'See that every recipient asked for the mail and can unsubscribe with one click (RFC 8058).',
    ],
  },
  {
    id: 'yahoo-deferred',
    match:
      /\[TSS?0\d\]|TSS\d\d|421 4\.7\.0 .*temporarily deferred due to (unexpected volume|user complaints)/i,
    title: 'Yahoo: deferred for volume or complaints',
    meaning: 'Yahoo takes it later, because of complaints or because the address is new.',
    todo: [
      'Wait: Postfix tries again by itself. Send less, to people who want it.',
      'https://senders.yahooinc.com/',
    ],
  },
  {
    id: 'dmarc',
    match: /DMARC/i,
    title: 'refused by DMARC',
    meaning:
      'The From domain publishes a DMARC policy and the mail did not pass it. Forwarded mail whose text was changed fails so, too.',
    todo: ['smtp-setup check dns', 'Forwarded by an alias? The original sender has to sign with DKIM.'],
  },
  {
    id: 'greylisted',
    match:
      /grey ?list|gray ?list|please try (again )?later.*(first|unknown)|4\.7\.1 .*(try again|temporarily)|4\.2\.0 .*grey/i,
    title: 'greylisted',
    meaning: 'The receiver puts strangers off once and takes the mail at the next try.',
    todo: ['Nothing: Postfix tries again by itself.'],
  },
  {
    id: 'mailbox-full',
    match: /4\.2\.2|5\.2\.2|mailbox (is )?full|over ?quota|quota exceeded|out of storage/i,
    title: 'mailbox full',
    meaning: "The recipient's mailbox takes no more mail.",
    todo: ['Nothing on this side; the recipient has to make room.'],
  },
  {
    id: 'unknown-user',
    match:
      /5\.1\.1|5\.1\.10|5\.5\.1.*user|user (is )?unknown|unknown (user|recipient|mailbox)|no such (user|recipient|mailbox)|(recipient|mailbox|user|account).{0,20}(not found|does ?n.t exist|unavailable|disabled)/i,
    title: 'no such recipient (5.1.1)',
    meaning: 'The address does not exist there.',
    todo: ['Correct it, or take it off the list. Many of these cost reputation.'],
  },
  {
    id: 'local-store-down',
    match: /private\/dovecot-lmtp\]: (Connection refused|No such file)|lost connection with .*dovecot-lmtp/i,
    title: 'the mail store does not answer',
    meaning: 'Dovecot on this server is down; the mail waits.',
    todo: ['smtp-setup status', 'smtp-setup apply starts what should run.'],
  },
  {
    id: 'no-such-domain',
    match: /Host or domain name not found|Domain not found|type=(MX|A|AAAA): Host not found|5\.1\.2|5\.4\.4/i,
    title: 'no such domain',
    meaning: 'DNS has no mail server for the domain. With 4.x.x DNS did not answer.',
    todo: ['Check the spelling of the domain.'],
  },
  {
    id: 'unreachable',
    match:
      /Connection timed out|connect to .*: (No route to host|Network is unreachable)|Connection refused|lost connection|conversation with .* timed out/i,
    title: 'the receiver cannot be reached',
    meaning: 'The other server does not answer, or outgoing port 25 is blocked by the VPS provider.',
    todo: [
      'If this is so for all receivers: smtp-setup init tells whether port 25 is open, and how to have it opened.',
    ],
  },
  {
    id: 'tls-failed',
    match: /TLS|certificate|TLSA|DANE|STARTTLS/i,
    title: 'TLS did not work out',
    meaning: "The receiver's certificate does not fit what its DNS promises (DANE), or TLS failed.",
    todo: ['The receiver has to repair it; the mail waits.'],
  },
  {
    id: 'too-large',
    match: /5\.3\.4|5\.2\.3|message (size|too (big|large))|exceeds.*(size|limit)/i,
    title: 'message too large',
    meaning: 'The receiver takes no messages of that size.',
    todo: ['Send a link in place of the attachment.'],
  },
  {
    id: 'relay-denied',
    match: /relay(ing)? (access )?denied|not permitted to relay|5\.7\.1 .*relay/i,
    title: 'relaying denied',
    meaning: 'The server that the MX names does not take mail for that domain.',
    todo: ["The receiver's MX is wrong, or the address is."],
  },
  {
    id: 'policy',
    match: /5\.7\.\d+|4\.7\.\d+/,
    title: 'refused by policy',
    meaning: 'The receiver refuses by a rule of its own; its words say which.',
    todo: ['Read the answer; ask the postmaster there if it says nothing.'],
  },
];
