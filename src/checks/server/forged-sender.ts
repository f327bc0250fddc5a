import type { SmtpClient } from '../../mail/smtp-client.js';
import {
  judgeConversation,
  type Outcome,
  openSubmission,
  type ServerCheck,
  type ServerTarget,
  subjectOf,
  submissionPorts,
} from './server-check.js';

/** A login works, and may send as itself and as nobody else, neither inside the domain nor outside. */
export const forgedSender: ServerCheck = {
  id: 'SUBMISSION-SENDER',
  title: 'A login cannot send as somebody else',
  needs: ['login'],
  ref: 'RFC 6409 section 6.1',
  run: (target, address) =>
    Promise.all(submissionPorts(target).map((port) => tryPort(target, address, port))),
};

async function tryPort(target: ServerTarget, address: string, port: number): Promise<Outcome> {
  const subject = subjectOf(address, port);
  const { user = '', password = '' } = target.login ?? {};
  let client: SmtpClient | undefined;
  try {
    client = await openSubmission(target, address, port);
    const login = await client.authPlain(user, password);
    if (login.code !== 235) {
      return {
        status: 'fail',
        subject,
        message: 'A login that was made for this check is refused.',
        observed: `${login.code} ${login.lines[0] ?? ''}`,
        fix: 'Look at the server: journalctl -u dovecot. Then run smtp-setup apply.',
      };
    }
    const own = await trySender(client, user, user);
    const forged: string[] = [];
    const domain = user.slice(user.indexOf('@') + 1);
    for (const sender of [`postmaster@${domain}`, `somebody-else@${domain}`, 'somebody@elsewhere.invalid']) {
      if ((await trySender(client, sender, user)) < 400) forged.push(sender);
    }
    await client.quit();
    if (forged.length > 0) {
      return {
        status: 'fail',
        subject,
        message: 'A login may send in the name of others.',
        expected: `only ${user}`,
        observed: `also ${forged.join(', ')}`,
        fix: 'Run smtp-setup apply: it restores reject_authenticated_sender_login_mismatch and smtpd_sender_login_maps.',
      };
    }
    if (own >= 300) {
      return {
        status: 'fail',
        subject,
        message: 'A login may not send as itself.',
        observed: `RCPT answered ${own}`,
        fix: 'Run smtp-setup apply: it writes the sender table again.',
      };
    }
    return { status: 'pass', subject, message: 'A login sends as itself only.' };
  } catch (error) {
    return judgeConversation(error, subject);
  } finally {
    client?.close();
  }
}

/** The code that decided: of MAIL, or of RCPT, where Postfix says what it thinks of the sender. */
async function trySender(client: SmtpClient, from: string, to: string): Promise<number> {
  const mail = await client.command(`MAIL FROM:<${from}>`);
  const code = mail.code < 400 ? (await client.command(`RCPT TO:<${to}>`)).code : mail.code;
  await client.command('RSET');
  return code;
}
