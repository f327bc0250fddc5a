import { connectSmtp, judgeConversation, type ServerCheck, serves, subjectOf } from './server-check.js';

/** The name in the greeting and in the EHLO reply is the host name that PTR and certificate carry. */
export const greeting: ServerCheck = {
  id: 'SMTP-GREETING',
  title: 'Port 25 answers with the host name',
  needs: [],
  ref: 'RFC 5321 section 4.2',
  async run(target, address) {
    if (!serves(target, 25)) return [];
    const subject = subjectOf(address, 25);
    try {
      const client = await connectSmtp(target, address, 25);
      const reply = await client.command(`EHLO ${target.ehloName}`);
      await client.quit();
      const names = [client.greeting.lines[0] ?? '', reply.lines[0] ?? ''].map(
        (line) => line.split(' ')[0] ?? '',
      );
      const right = names.every((name) => name.toLowerCase() === target.hostname);
      return [
        {
          status: right && client.greeting.code === 220 ? 'pass' : 'fail',
          subject,
          message: right ? 'Greeting and EHLO carry the host name.' : 'Greeting or EHLO carry another name.',
          expected: target.hostname,
          observed: names.join(', '),
          ...(right ? {} : { fix: 'Run smtp-setup apply: it sets myhostname.' }),
        },
      ];
    } catch (error) {
      return [judgeConversation(error, subject)];
    }
  },
};
