import { connectSmtp, judgeConversation, type ServerCheck, serves, subjectOf } from './server-check.js';

/** Unknown recipients are refused in the dialogue (no backscatter later), postmaster is taken. */
export const recipients: ServerCheck = {
  id: 'SMTP-RCPT',
  title: 'Unknown recipients are refused, postmaster is not',
  needs: [],
  ref: 'RFC 5321 sections 3.5.3 and 4.5.1',
  async run(target, address) {
    if (!serves(target, 25)) return [];
    const subject = subjectOf(address, 25);
    const problems: string[] = [];
    try {
      const client = await connectSmtp(target, address, 25);
      await client.ehlo(target.ehloName);
      for (const domain of target.domains) {
        await client.command('MAIL FROM:<>');
        if (target.catchAll?.includes(domain) !== true) {
          const unknown = await client.command(`RCPT TO:<no-such-user-7c1f@${domain}>`);
          if (unknown.code < 400) problems.push(`no-such-user-7c1f@${domain} was accepted`);
        }
        const postmaster = await client.command(`RCPT TO:<postmaster@${domain}>`);
        if (postmaster.code >= 500) problems.push(`postmaster@${domain} was refused: ${postmaster.code}`);
        await client.command('RSET');
      }
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
        ...(problems.length === 0
          ? {}
          : {
              fix: 'Run smtp-setup apply: it restores the recipient maps. A catch-all (smtp-setup alias list) takes every name on purpose; without SSH that cannot be told apart.',
            }),
      },
    ];
  },
};
