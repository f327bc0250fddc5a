import { readDovecot } from './dovecot.js';
import type { MailEvent } from './event.js';
import type { LogLine } from './parse-line.js';
import { readPostfix } from './postfix.js';
import { readRspamd } from './rspamd.js';

/** What a line of the journal says about a message; undefined when it says nothing that we follow. */
export function readEvent({ program, text }: LogLine): MailEvent | undefined {
  if (program.startsWith('postfix/')) return readPostfix(program, text);
  if (program === 'rspamd') return readRspamd(text);
  if (program === 'dovecot') return readDovecot(text);
  return undefined;
}
