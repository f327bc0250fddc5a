import { SmtpClient } from '../../mail/smtp-client.js';
import { endpoint, judgeConversation, type ServerCheck } from './server-check.js';

/** Unknown recipients are refused in the dialogue (no backscatter later), postmaster is taken, VRFY tells nothing. */
export const recipients: ServerCheck = {
  id: 'SMTP-RCPT',
  title: 'Unknown recipients are refused, postmaster is not',
  needs: 'nothing',
  ref: 'RFC 5321 sections 3.5.3 and 4.5.1',
  async run(target, address) {
    const subject = `${address} port 25`;
    const problems: string[] = [];
    try {
      const client = await SmtpClient.connect(endpoint(target, address, 25));
      await client.ehlo(target.ehloName);
      for (const domain of target.domains) {
        await client.command('MAIL FROM:<>');
        const unknown = await client.command(`RCPT TO:<no-such-user-7c1f@${domain}>`);
        if (unknown.code < 400) problems.push(`no-such-user-7c1f@${domain} was accepted`);
        const postmaster = await client.command(`RCPT TO:<postmaster@${domain}>`);
        if (postmaster.code >= 500) problems.push(`postmaster@${domain} was refused: ${postmaster.code}`);
        await client.command('RSET');
      }
      const vrfy = await client.command(`VRFY postmaster@${target.domains[0] ?? target.hostname}`);
      if (vrfy.code === 250) problems.push('VRFY reveals addresses');
      await client.quit();
    } catch (error) {
      return [judgeConversation(error, subject)];
    }
    return [
      {
        status: problems.length === 0 ? 'pass' : 'fail',
        subject,
        message:
          problems.length === 0 ? 'Recipients are checked in the dialogue.' : `${problems.join('; ')}.`,
        ...(problems.length === 0 ? {} : { fix: 'Run smtp-setup apply: it restores the recipient maps.' }),
      },
    ];
  },
};
