import { verifyDkim } from '../../mail/dkim-verify.js';
import type { DeliveryCheck } from './trip.js';

/** The mail carries a signature of its own domain that verifies with the key in DNS: DMARC passes by it alone. */
export const signed: DeliveryCheck = {
  id: 'DELIVERY-DKIM',
  title: 'What leaves the server is signed, and the signature verifies',
  ref: 'RFC 6376; RFC 7489 section 3.1.1',
  async run({ copy, user, keys }) {
    if (!copy) return [];
    const domain = user.slice(user.indexOf('@') + 1);
    const results = await verifyDkim(copy.raw, keys);
    const subject = domain;
    const observed = results
      .map(
        ({ result, domain: by, selector, detail }) =>
          `${result}${by ? ` d=${by} s=${selector}` : ''} (${detail})`,
      )
      .join('; ');
    const good = results.find(({ result, domain: by }) => result === 'pass' && by === domain);
    if (good)
      return [{ status: 'pass', subject, message: `Signed with ${good.selector}, and valid.`, observed }];
    const unknown = results.every(({ result }) => result === 'temperror');
    return [
      {
        status: unknown ? 'unknown' : 'fail',
        subject,
        message: unknown
          ? 'The key could not be looked up.'
          : 'The mail has no valid signature of its domain: DMARC cannot pass by DKIM.',
        expected: `a signature with d=${domain}`,
        observed,
        fix: 'Run smtp-setup check dns --only dkim, then smtp-setup apply.',
      },
    ];
  },
};

/** Where the sender sits is nobody's business. */
export const privacy: DeliveryCheck = {
  id: 'DELIVERY-PRIVACY',
  title: 'The mail does not tell where its sender sits',
  ref: 'RFC 6409 section 8',
  run({ copy, user, ehloName }) {
    if (!copy) return [];
    const head = copy.raw.split(/\r?\n\r?\n/, 1)[0] ?? '';
    const telling = head
      .replace(/\r?\n[ \t]+/g, ' ')
      .split(/\r?\n/)
      .filter(
        (line) =>
          /^(?:Received|X-Originating-IP|User-Agent|X-Mailer):/i.test(line) &&
          (line.includes(ehloName) || /^[XU]/i.test(line)),
      );
    if (telling.length === 0) {
      return [
        {
          status: 'pass',
          subject: user,
          message: 'Neither address nor program of the sender is in the headers.',
        },
      ];
    }
    return [
      {
        status: 'fail',
        subject: user,
        message: 'The headers tell the address or the program of the sender.',
        observed: telling.join(' | ').slice(0, 300),
        fix: 'Run smtp-setup apply: it restores the header checks of the submission services.',
      },
    ];
  },
};
