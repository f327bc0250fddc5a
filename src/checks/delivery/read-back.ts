import type { Outcome } from '../server/server-check.js';
import { type DeliveryCheck, seconds, type Trip } from './trip.js';

const lookAtLog = 'Ask what became of it: smtp-setup logs --since 10m, and smtp-setup queue.';

/** The copy of the submitted mail lies in the mailbox, and IMAP shows it: the round trip. */
export const readBack: DeliveryCheck = {
  id: 'DELIVERY-ROUND-TRIP',
  title: 'A mail sent comes back and can be read over IMAP',
  ref: 'RFC 9051; RFC 2033',
  run({ submitted, imap, copy, user, incoming: handover }): Outcome[] {
    const subject = user;
    if (!submitted.accepted || handover === undefined) return [];
    if (imap && !imap.accepted) {
      return [
        {
          status: 'fail',
          subject,
          message: 'IMAP refuses a login that was made for this check.',
          observed: imap.detail,
          fix: 'Look at the server: journalctl -u dovecot. Then run smtp-setup apply.',
        },
      ];
    }
    if (copy) {
      return [
        {
          status: 'pass',
          subject,
          message: `Sent, signed, delivered and read in ${seconds(copy.after)}.`,
          observed: seconds(copy.after),
        },
      ];
    }
    return [{ status: 'fail', subject, message: 'The mail never came into the mailbox.', fix: lookAtLog }];
  },
};

/** A stranger's mail comes in through port 25. */
export const incoming: DeliveryCheck = {
  id: 'DELIVERY-IN',
  title: 'A mail from outside comes in and can be read over IMAP',
  ref: 'RFC 5321; RFC 9051',
  run({ incoming: handover, arrived, user, hostname }: Trip): Outcome[] {
    if (handover === undefined) return [];
    if (handover.unreachable) {
      return [
        {
          status: 'unknown',
          subject: `${hostname} port 25`,
          message: 'The port could not be reached from here.',
          observed: handover.reply,
          fix: 'Many networks block port 25. Ask again from another one.',
        },
      ];
    }
    if (!handover.accepted) {
      return [
        {
          status: /^4/.test(handover.reply) ? 'unknown' : 'fail',
          subject: `${hostname} port 25`,
          message: 'A mail to a mailbox that exists is refused.',
          observed: handover.reply,
          fix: lookAtLog,
        },
      ];
    }
    if (!arrived) {
      return [
        { status: 'fail', subject: user, message: 'It was taken and never delivered.', fix: lookAtLog },
      ];
    }
    return [
      {
        status: 'pass',
        subject: user,
        message: `Delivered to ${arrived.mailbox} and read in ${seconds(arrived.after)}.`,
        observed: seconds(arrived.after),
      },
    ];
  },
};
