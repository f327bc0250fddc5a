import { ConversationError } from '../../mail/line-client.js';
import type { SmtpClient, SmtpReply } from '../../mail/smtp-client.js';
import {
  connectSmtp,
  judgeConversation,
  type Outcome,
  type ServerCheck,
  type ServerTarget,
  serves,
  subjectOf,
} from './server-check.js';

/** What is not the end of a message, and has been taken for one (CVE-2023-51764 and its relatives). */
const falseEnds: readonly [shown: string, bytes: string][] = [
  ['<LF>.<LF>', '\n.\n'],
  ['<LF>.<CR><LF>', '\n.\r\n'],
  ['<CR><LF>.<LF>', '\r\n.\n'],
  ['<CR><LF>.<CR>', '\r\n.\r'],
  ['<CR>.<CR>', '\r.\r'],
  ['<CR>.<CR><LF>', '\r.\r\n'],
];

/**
 * Each false end of a message is sent, and then the conversation is broken off: whoever takes it for an end says 250 (and
 * has taken a message), whoever does not has half a message and throws it away. So nothing is delivered on a good server.
 */
export const smuggling: ServerCheck = {
  id: 'SMTP-SMUGGLING',
  title: 'No message can be hidden inside another',
  needs: [],
  ref: 'RFC 5321 section 4.1.1.4; CVE-2023-51764',
  async run(target, address) {
    if (!serves(target, 25) || target.domains.length === 0) return [];
    const subject = subjectOf(address, 25);
    const taken: string[] = [];
    try {
      for (const [shown, bytes] of falseEnds) {
        const reply = await tryEnd(target, address, bytes);
        if (reply !== undefined && reply.code >= 200 && reply.code < 300) taken.push(shown);
      }
    } catch (error) {
      return [error instanceof Untried ? error.outcome(subject) : judgeConversation(error, subject)];
    }
    if (taken.length === 0) {
      return [
        {
          status: 'pass',
          subject,
          message: `None of ${falseEnds.length} false ends of a message is taken for one.`,
        },
      ];
    }
    return [
      {
        status: 'fail',
        subject,
        message: 'A message can be hidden inside another: mail can be forged past SPF and DMARC.',
        expected: 'only <CR><LF>.<CR><LF> ends a message',
        observed: taken.join(', '),
        fix: 'Set smtpd_forbid_bare_newline = normalize and update Postfix (smtp-setup apply does the first).',
      },
    ];
  },
};

class Untried extends Error {
  outcome(subject: string): Outcome {
    return {
      status: 'unknown',
      subject,
      message: 'The server took no message to try it with.',
      observed: this.message,
    };
  }
}

/** The server's answer to the false end; undefined when it waited for more. */
async function tryEnd(target: ServerTarget, address: string, end: string): Promise<SmtpReply | undefined> {
  const client = await connectSmtp(target, address, 25);
  try {
    await client.ehlo(target.ehloName);
    await require2xx(client, 'MAIL FROM:<>');
    await require2xx(client, `RCPT TO:<postmaster@${target.domains[0]}>`);
    const ready = await client.command('DATA');
    if (ready.code !== 354) throw new Untried(`DATA answered ${ready.code} ${ready.lines[0] ?? ''}`);
    client.raw(
      `From: <postmaster@${target.ehloName}>\r\nSubject: smtp-setup check: this must never be delivered\r\n\r\nHalf a message.${end}NOOP\r\n`,
    );
    client.endInput();
    try {
      return await client.reply();
    } catch (error) {
      if (error instanceof ConversationError && error.reason === 'closed') return undefined;
      throw error;
    }
  } finally {
    client.close();
  }
}

async function require2xx(client: SmtpClient, command: string): Promise<void> {
  const reply = await client.command(command);
  if (reply.code < 200 || reply.code > 299) {
    throw new Untried(`${command} answered ${reply.code} ${reply.lines[0] ?? ''}`.slice(0, 200));
  }
}
