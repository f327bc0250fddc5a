import { connectSmtp, judgeConversation, type ServerCheck, serves, subjectOf } from './server-check.js';

/** Logins belong to 465 and 587: on 25 they only invite password guessing. */
export const noAuthOn25: ServerCheck = {
  id: 'SMTP-AUTH-25',
  title: 'Port 25 takes no logins',
  needs: [],
  ref: 'RFC 8314 section 3',
  async run(target, address) {
    if (!serves(target, 25)) return [];
    const subject = subjectOf(address, 25);
    try {
      const client = await connectSmtp(target, address, 25);
      const plain = await client.ehlo(target.ehloName);
      let encrypted = new Map<string, string>();
      if (plain.has('STARTTLS') && (await client.startTls()).code === 220) {
        encrypted = await client.ehlo(target.ehloName);
      }
      const attempt = await client.authPlain('nobody', 'nothing');
      await client.quit();
      const offered = plain.has('AUTH') || encrypted.has('AUTH') || ![500, 502, 503].includes(attempt.code);
      return [
        {
          status: offered ? 'fail' : 'pass',
          subject,
          message: offered ? 'AUTH is offered on port 25.' : 'AUTH is not offered, and refused when tried.',
          observed: `AUTH answered ${attempt.code}`,
          ...(offered ? { fix: 'Set smtpd_sasl_auth_enable=no for port 25 (smtp-setup apply does).' } : {}),
        },
      ];
    } catch (error) {
      return [judgeConversation(error, subject)];
    }
  },
};
