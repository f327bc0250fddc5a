import { setTimeout as sleep } from 'node:timers/promises';
import { shellQuote } from '../lib/shell-quote.js';
import type { MailEvent } from '../logs/event.js';
import { readLog } from '../logs/read-log.js';
import type { Connection } from '../ssh/connection.js';
import { readJournal } from './read-journal.js';
import type { Session } from './session.js';

type Delivery = Extract<MailEvent, { kind: 'delivery' }>;

/** Milliseconds for the relay to take one mail. */
const patience = 60_000;

/** Sends a mail from the server as its postmaster, and reads in its log what the other side said; undefined: nothing yet. */
export async function sendThrough(
  { context }: Session,
  connection: Connection,
  { from, to }: { from: string; to: string },
): Promise<Delivery | undefined> {
  const id = `relay.${Buffer.from(context.randomBytes(8)).toString('hex')}@${from.slice(from.indexOf('@') + 1)}`;
  const message = [
    `From: ${from}`,
    `To: ${to}`,
    'Subject: smtp-setup relay test',
    `Message-ID: <${id}>`,
    `Date: ${new Date(context.clock()).toUTCString().replace('GMT', '+0000')}`,
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    '',
    'This mail was sent by smtp-setup relay test, to see whether the relay takes it. It can be deleted.',
    '',
  ].join('\n');
  await connection.exec(`sendmail -i -f ${shellQuote(from)} -- ${shellQuote(to)}`, {
    root: true,
    stdin: message,
  });
  const end = context.clock() + patience;
  for (;;) {
    const { stories } = readLog(await readJournal(connection, 600, context.clock() / 1000));
    const story = stories.find(({ messageId }) => messageId.includes(id));
    const last = story?.events
      .flatMap(({ event }) => (event.kind === 'delivery' && event.to === to.toLowerCase() ? [event] : []))
      .at(-1);
    if (last !== undefined || context.clock() > end) return last;
    await sleep(500, undefined, { signal: context.signal });
  }
}
