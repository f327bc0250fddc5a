import { type AnswerRule, waits } from './rule.js';

const help = 'https://support.google.com/a/answer/81126';

/** Gmail and Google Workspace. Source: Google, "Gmail SMTP errors and codes" and "Email sender guidelines". */
export const googleAnswers: readonly AnswerRule[] = [
  {
    id: 'gmail-not-aligned',
    match: /[45]\.7\.32\b|From: header .{0,60}(isn.t|not) aligned/i,
    title: 'From is not aligned (5.7.32)',
    meaning: 'SPF or DKIM passed for another domain than the one in the From header.',
    todo: [
      'Send as an address of a domain of this server, so that its own key signs.',
      'smtp-setup check dns --profile gmail',
      help,
    ],
  },
  {
    id: 'gmail-no-dmarc',
    match: /[45]\.7\.(40|31)\b.*(DMARC|gsmtp)|DMARC record .{0,40}(missing|not found|no policy)/i,
    title: 'no DMARC record (5.7.40)',
    meaning: 'The From domain has no DMARC record with a policy; who sends much needs one.',
    todo: ['smtp-setup apply publishes it; smtp-setup check dns --profile gmail shows it.', help],
  },
  {
    id: 'gmail-content-blocked',
    match: /BlockedMessage|content presents a potential security issue|blocked file type|virus.{0,40}gsmtp/i,
    title: 'attachment not allowed',
    meaning: 'The message holds a file type or an archive that the receiver never takes.',
    todo: ['Send a link to the file in place of the attachment.'],
  },
  {
    id: 'gmail-recipient-too-fast',
    match: /4\.2\.1 .*(receiving mail (too quickly|at a rate))/i,
    title: 'the recipient gets too much mail right now',
    meaning: "The recipient's mailbox is flooded, not necessarily by this server.",
    todo: [waits],
  },
  {
    id: 'gmail-list-unsubscribe',
    match: /unsubscribe.{0,40}(missing|required)|List-Unsubscribe/i,
    title: 'one-click unsubscribe is missing',
    meaning: 'Mail to many must carry List-Unsubscribe and List-Unsubscribe-Post (RFC 8058).',
    todo: ['Have the sending program add both headers to its newsletters.', help],
  },
  {
    id: 'malformed-message',
    match:
      /not (RFC ?5322|RFC ?2822) compliant|5\.7\.512|(missing|invalid|duplicate|multiple) .{0,30}(Message-ID|From:? header|headers? in From|Date header)|Messages missing a valid/i,
    title: 'the message is malformed',
    meaning: 'A header is missing, there twice, or not written as RFC 5322 says.',
    todo: [
      'Repair the program that wrote it: one From, one Date, one Message-ID, lines of at most 998 characters.',
    ],
  },
];
