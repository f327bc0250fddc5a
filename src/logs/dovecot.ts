import type { MailEvent } from './event.js';

// 2.3: `lmtp(user)<pid><session>: msgid=<…>: saved mail to INBOX`; with Sieve `sieve: msgid=<…>: stored mail into mailbox 'X'`.
// 2.4 puts more fields after the message id, comma-separated.
const frame = /^lmtp\(([^()\s]+)\)<\d+><([^<>\s]+)>: (.*)$/s;
const saved =
  /^(?:sieve: )?msgid=(?:<(.*?)>|([^\s:,]*))(?:, .*?)?: (?:saved mail to|stored mail into mailbox|fileinto action: stored mail into mailbox) '?(.*?)'?$/s;
const failed =
  /^(?:sieve: )?msgid=(?:<(.*?)>|([^\s:,]*))(?:, .*?)?: ((?:save failed|failed to|rejected|discarded).*)$/s;

/** Reads what Dovecot's LMTP server logged about a message (Dovecot 2.3 and 2.4). */
export function readDovecot(text: string): MailEvent | undefined {
  if (!text.startsWith('lmtp(')) return undefined;
  const match = frame.exec(text);
  if (match === null) return undefined;
  const [, user = '', session = '', said = ''] = match;
  const done = saved.exec(said);
  if (done !== null) {
    return {
      kind: 'stored',
      user,
      session,
      messageId: done[1] ?? done[2] ?? '',
      mailbox: done[3] ?? '',
    };
  }
  const not = failed.exec(said);
  if (not === null) return undefined;
  return { kind: 'not-stored', user, session, messageId: not[1] ?? not[2] ?? '', answer: not[3] ?? '' };
}
