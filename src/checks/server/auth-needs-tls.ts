import { connectSmtp, judgeConversation, type ServerCheck, serves, subjectOf } from './server-check.js';

/** On 587 nothing but STARTTLS may happen before encryption. */
export const authNeedsTls: ServerCheck = {
  id: 'SUBMISSION-TLS',
  title: 'Port 587 takes logins only under TLS',
  needs: [],
  ref: 'RFC 8314 section 3.3',
  async run(target, address) {
    if (!serves(target, 587)) return [];
    const subject = subjectOf(address, 587);
    try {
      const client = await connectSmtp(target, address, 587);
      const plain = await client.ehlo(target.ehloName);
      const mail = await client.command(`MAIL FROM:<probe@${target.domains[0] ?? target.hostname}>`);
      const startTls = plain.has('STARTTLS') ? await client.startTls() : { code: 0 };
      const encrypted =
        startTls.code === 220 ? await client.ehlo(target.ehloName) : new Map<string, string>();
      await client.quit();
      const problems = [
        ...(plain.has('AUTH') ? ['AUTH offered in cleartext'] : []),
        ...(mail.code < 500 ? [`MAIL accepted in cleartext (${mail.code})`] : []),
        ...(startTls.code === 220 ? [] : ['no STARTTLS']),
        ...(encrypted.has('AUTH') ? [] : ['AUTH not offered under TLS']),
      ];
      return [
        {
          status: problems.length === 0 ? 'pass' : 'fail',
          subject,
          message: problems.length === 0 ? 'STARTTLS first, AUTH after it.' : `${problems.join('; ')}.`,
          ...(problems.length === 0
            ? {}
            : { fix: 'Run smtp-setup apply: it restores the submission service.' }),
        },
      ];
    } catch (error) {
      return [judgeConversation(error, subject)];
    }
  },
};
