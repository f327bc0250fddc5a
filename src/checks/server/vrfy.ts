import type { SmtpClient, SmtpReply } from '../../mail/smtp-client.js';
import { connectSmtp, judgeConversation, type ServerCheck, serves, subjectOf } from './server-check.js';

/** VRFY and EXPN must not tell strangers which addresses exist: the same answer to all is fine. */
export const vrfy: ServerCheck = {
  id: 'SMTP-VRFY',
  title: 'VRFY and EXPN reveal no addresses',
  needs: [],
  ref: 'RFC 5321 section 7.3',
  async run(target, address) {
    if (!serves(target, 25)) return [];
    const subject = subjectOf(address, 25);
    const domain = target.domains[0] ?? target.hostname;
    let client: SmtpClient | undefined;
    try {
      client = await connectSmtp(target, address, 25);
      await client.ehlo(target.ehloName);
      const known = await client.command(`VRFY postmaster@${domain}`);
      const unknown = await client.command(`VRFY no-such-user-7c1f@${domain}`);
      const expanded = await client.command('EXPN postmaster');
      await client.quit();
      const told = [
        ...(known.code < 252 || known.code !== unknown.code
          ? [`VRFY says ${say(known)} of one that exists and ${say(unknown)} of one that does not`]
          : []),
        ...(expanded.code >= 250 && expanded.code < 300 ? [`EXPN says ${say(expanded)}`] : []),
      ];
      if (told.length === 0) {
        return [
          { status: 'pass', subject, message: 'Neither command tells anything.', observed: say(known) },
        ];
      }
      return [
        {
          status: 'fail',
          subject,
          message: 'Strangers can find out which addresses exist.',
          observed: told.join('; '),
          fix: 'Set disable_vrfy_command = yes (smtp-setup apply does).',
        },
      ];
    } catch (error) {
      return [judgeConversation(error, subject)];
    } finally {
      client?.close();
    }
  },
};

function say({ code, lines }: SmtpReply): string {
  return `${code} ${lines[0] ?? ''}`.trim().slice(0, 80);
}
