import { type AnswerRule, waits } from './rule.js';

/** Outlook.com and Microsoft 365. Source: Microsoft, "Email non-delivery reports and SMTP errors in Exchange Online". */
export const microsoftAnswers: readonly AnswerRule[] = [
  {
    id: 'outlook-busy',
    match:
      /4\.7\.[56]\d\d\b.*(Server busy|try again later)|4\.7\.500|4\.3\.2 .*STOREDRV|thread limit exceeded/i,
    title: 'Microsoft: busy, or wary of the sender',
    meaning: 'Microsoft puts off mail from addresses that it does not know, or a mailbox is busy.',
    todo: [waits, 'If it lasts for days, write to https://olcsupport.office.com/'],
  },
  {
    id: 'outlook-first-contact',
    match: /4\.7\.85\d|Access denied, please try again later/i,
    title: 'Microsoft 365: put off because of reputation',
    meaning: 'Too much of the recent mail from this address looked bad to Microsoft.',
    todo: [waits, 'Send less for some days; smtp-setup report shows who sends.'],
  },
  {
    id: 'outlook-banned-sender',
    match: /5\.7\.511\b|5\.7\.703\b|banned sender/i,
    title: 'Microsoft: the sender is banned (5.7.511)',
    meaning: "Microsoft blocks the address or all of this server's mail after abuse.",
    todo: ['Write to delist@microsoft.com and include the whole answer.'],
  },
  {
    id: 'outlook-new-range',
    match: /5\.7\.708\b|low reputation IP/i,
    title: 'Microsoft: address range without reputation (5.7.708)',
    meaning: 'No mail is taken from this address range, mostly because of its neighbours.',
    todo: ['Ask the VPS provider for another address, or relay through a hosted provider.'],
  },
  {
    id: 'outlook-domain-not-registered',
    match: /5\.7\.(750|705|501|502)\b/,
    title: 'Microsoft 365: sending is restricted',
    meaning: 'A Microsoft 365 tenant of this domain sends what it must not, or was shut off after abuse.',
    todo: ["The tenant's administrator has to settle it with Microsoft."],
  },
  {
    id: 'outlook-relay-tenant',
    match: /5\.7\.64\b|TenantAttribution/i,
    title: 'Microsoft 365: the connector does not know this server (5.7.64)',
    meaning: "The recipient's Microsoft 365 expects mail from another address or certificate.",
    todo: ['The administrator there has to add the address of this server to the connector.'],
  },
  {
    id: 'outlook-members-only',
    match:
      /5\.7\.(12[49]|13[03-6])\b|RESOLVER\.RST\.|sender not (authenticated|in allowed)|restricted (group|recipient)/i,
    title: 'Microsoft 365: the group takes mail from members only',
    meaning: 'The address is a group or room that does not take mail from outside.',
    todo: ['Ask its owner to allow outside senders.'],
  },
  {
    id: 'outlook-unknown-user',
    match: /5\.4\.1 .*Recipient address rejected: Access denied/i,
    title: 'Microsoft 365: no such recipient (5.4.1)',
    meaning: 'The domain is in Microsoft 365 and has no such address there.',
    todo: ['Correct it, or take it off the list. Many of these cost reputation.'],
  },
  {
    id: 'recipient-limit-per-hour',
    match: /5\.2\.12[12]\b|message-per-hour receive limit|recipient.s (per hour|rate) limit/i,
    title: 'the recipient gets too many messages an hour',
    meaning: 'The mailbox has reached the number of messages that it takes in an hour.',
    todo: ['Send again later, and less of it.'],
  },
  {
    id: 'sender-limit',
    match:
      /5\.1\.90\b|5\.2\.2 .*submission quota|daily (sending|message|user sending) (limit|quota)|sending (limit|quota) exceeded/i,
    title: 'the sender has reached a limit',
    meaning: 'Whoever relays this mail lets the account send only so much a day.',
    todo: ['Wait for the next day, or have the limit raised.', 'smtp-setup report shows who sends how much.'],
  },
];
