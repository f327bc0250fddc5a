import type { SmtpClient } from '../../mail/smtp-client.js';
import {
  connectSmtp,
  judgeConversation,
  type ServerCheck,
  type ServerTarget,
  serves,
  subjectOf,
} from './server-check.js';

/** Address shapes by which servers have been talked into relaying; none may get past RCPT for a stranger. */
function relayShapes({ hostname, domains }: ServerTarget, address: string): { from: string; to: string }[] {
  const own = domains[0] ?? hostname;
  const victim = 'relaytest';
  const outside = 'relay-probe.invalid';
  const literal = address.includes(':') ? `[IPv6:${address}]` : `[${address}]`;
  const stranger = `probe@${outside}`;
  return [
    { from: stranger, to: `${victim}@${outside}` },
    { from: '', to: `${victim}@${outside}` },
    { from: `postmaster@${own}`, to: `${victim}@${outside}` },
    { from: `probe@${hostname}`, to: `${victim}@${outside}` },
    { from: `probe@${literal}`, to: `${victim}@${outside}` },
    { from: stranger, to: `${victim}%${outside}@${own}` },
    { from: stranger, to: `${victim}%${outside}@${literal}` },
    { from: stranger, to: `"${victim}@${outside}"` },
    { from: stranger, to: `"${victim}%${outside}"` },
    { from: stranger, to: `"${victim}@${outside}"@${own}` },
    { from: stranger, to: `@${own}:${victim}@${outside}` },
    { from: stranger, to: `@${literal}:${victim}@${outside}` },
    { from: stranger, to: `${outside}!${victim}` },
    { from: stranger, to: `${outside}!${victim}@${own}` },
    { from: stranger, to: `${outside}!${victim}@${literal}` },
    { from: 'probe@localhost', to: `${victim}@${outside}` },
  ];
}

const shapesAtOnce = 4;

export const relay: ServerCheck = {
  id: 'SMTP-RELAY',
  title: 'Strangers cannot send through the server',
  needs: [],
  ref: 'RFC 5321 section 3.6.2',
  async run(target, address) {
    if (!serves(target, 25)) return [];
    const subject = subjectOf(address, 25);
    const accepted: string[] = [];
    let client: SmtpClient | undefined;
    try {
      for (const [index, { from, to }] of relayShapes(target, address).entries()) {
        // Servers hang up on whoever makes too many mistakes.
        if (client && index % shapesAtOnce === 0) {
          await client.quit();
          client = undefined;
        }
        if (!client) {
          client = await connectSmtp(target, address, 25);
          await client.ehlo(target.ehloName);
        }
        const mail = await client.command(`MAIL FROM:<${from}>`);
        const reply = mail.code === 250 ? await client.command(`RCPT TO:<${to}>`) : mail;
        if (reply.code >= 200 && reply.code < 300) accepted.push(`<${from}> to <${to}>`);
        // 421 hangs up: the next shape needs a new conversation.
        if (reply.code === 421) {
          client.close();
          client = undefined;
        } else await client.command('RSET');
      }
      await client?.quit();
    } catch (error) {
      client?.close();
      return [judgeConversation(error, subject)];
    }
    return [
      {
        status: accepted.length === 0 ? 'pass' : 'fail',
        subject,
        message: accepted.length === 0 ? 'All 16 relay shapes were refused.' : 'The server is an open relay.',
        ...(accepted.length === 0
          ? {}
          : {
              observed: accepted.join(', '),
              fix: 'Stop Postfix, then run smtp-setup plan: smtpd_relay_restrictions must end in reject_unauth_destination.',
            }),
      },
    ];
  },
};
