import { type Answer, isUnknown } from '../../dns/resolver/types.js';
import { reverseNameOf } from '../../dns/reverse-name.js';
import type { SmtpClient } from '../../mail/smtp-client.js';
import { connectSmtp, judgeConversation, type ServerCheck, serves, subjectOf } from './server-check.js';

/** What the server calls itself, its address's reverse name, and that name's address: receivers compare all three. */
export const ehloPtr: ServerCheck = {
  id: 'SMTP-PTR',
  title: 'The server calls itself what its address is called',
  needs: ['resolver'],
  ref: 'RFC 5321 section 4.1.4; RFC 1912 section 2.1',
  async run(target, address) {
    const { resolver } = target;
    const reverse = reverseNameOf(address);
    // Where nobody listens on 25, the submission port says the name that Postfix uses when it sends.
    const port = [25, 587].find((one) => serves(target, one));
    if (!resolver || reverse === undefined || port === undefined) return [];
    const subject = subjectOf(address, port);
    let client: SmtpClient | undefined;
    let said: string;
    try {
      client = await connectSmtp(target, address, port);
      const reply = await client.command(`EHLO ${target.ehloName}`);
      said = (reply.lines[0]?.split(' ')[0] ?? '').toLowerCase();
      await client.quit();
    } catch (error) {
      return [judgeConversation(error, subject)];
    } finally {
      client?.close();
    }
    const ptr = await resolver.resolve(reverse, 'PTR');
    const names = targetsOf(ptr);
    if (isUnknown(ptr.status)) {
      return [
        { status: 'unknown', subject, message: `The reverse name of ${address} could not be looked up.` },
      ];
    }
    const fix = `In the panel of the server’s provider, set the reverse DNS (PTR) of ${address} to ${target.hostname}.`;
    const observed = `EHLO ${said}, PTR ${names.join(', ') || 'none'}`;
    if (!names.includes(said)) {
      return [
        {
          status: 'fail',
          subject,
          message:
            'The name in EHLO is not the reverse name of the address; many receivers refuse mail for that.',
          expected: target.hostname,
          observed,
          fix: said === target.hostname ? fix : `Run smtp-setup apply: it sets myhostname. ${fix}`,
        },
      ];
    }
    const forward = await resolver.resolve(said, address.includes(':') ? 'AAAA' : 'A');
    if (isUnknown(forward.status)) {
      return [
        { status: 'unknown', subject, message: `The address of ${said} could not be looked up.`, observed },
      ];
    }
    const addresses = forward.records.flatMap(({ data }) =>
      data.type === 'A' || data.type === 'AAAA' ? [data.address] : [],
    );
    if (addresses.includes(address)) {
      return [{ status: 'pass', subject, message: 'EHLO, reverse name and address agree.', observed }];
    }
    return [
      {
        status: 'fail',
        subject,
        message: `The name in EHLO does not lead back to ${address}.`,
        expected: address,
        observed: `${said}: ${addresses.join(', ') || 'no address'}`,
        fix: 'Run smtp-setup apply: it publishes the address of the host name.',
      },
    ];
  },
};

function targetsOf({ records }: Answer): string[] {
  return records.flatMap(({ data }) => (data.type === 'PTR' ? [data.target.replace(/\.$/, '')] : []));
}
