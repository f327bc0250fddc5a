import type { SmtpClient } from '../../mail/smtp-client.js';
import {
  judgeConversation,
  openSubmission,
  type ServerCheck,
  subjectOf,
  submissionPorts,
} from './server-check.js';

/** On 465 and 587 nobody gets a word in without a login. */
export const loginRequired: ServerCheck = {
  id: 'SUBMISSION-OPEN',
  title: 'The submission ports take mail from logins only',
  needs: [],
  ref: 'RFC 6409 section 4.3',
  run: (target, address) =>
    Promise.all(
      submissionPorts(target).map(async (port) => {
        const subject = subjectOf(address, port);
        let client: SmtpClient | undefined;
        try {
          client = await openSubmission(target, address, port);
          const own = target.domains[0] ?? target.hostname;
          const accepted: string[] = [];
          for (const to of ['relaytest@relay-probe.invalid', `postmaster@${own}`]) {
            const mail = await client.command(`MAIL FROM:<postmaster@${own}>`);
            const code = mail.code < 400 ? (await client.command(`RCPT TO:<${to}>`)).code : mail.code;
            if (code < 400) accepted.push(to);
            await client.command('RSET');
          }
          await client.quit();
          if (accepted.length === 0) {
            return { status: 'pass' as const, subject, message: 'Without a login everything is refused.' };
          }
          return {
            status: 'fail' as const,
            subject,
            message: 'Mail is taken without a login.',
            observed: `accepted for ${accepted.join(', ')}`,
            fix: 'Run smtp-setup apply: its submission services end their restrictions in permit_sasl_authenticated,reject.',
          };
        } catch (error) {
          return judgeConversation(error, subject);
        } finally {
          client?.close();
        }
      }),
    ),
};
