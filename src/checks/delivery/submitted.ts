import type { DeliveryCheck } from './trip.js';

/** The server takes a mail from a login, under TLS. */
export const submitted: DeliveryCheck = {
  id: 'DELIVERY-SUBMIT',
  title: 'A login can send',
  ref: 'RFC 6409',
  run({ submitted: { accepted, unreachable, reply }, hostname }) {
    const subject = `${hostname} port 465`;
    if (accepted) return [{ status: 'pass', subject, message: 'The mail was taken.', observed: reply }];
    return [
      {
        status: unreachable ? 'unknown' : 'fail',
        subject,
        message: unreachable ? 'The port could not be reached from here.' : 'The mail was not taken.',
        observed: reply,
        fix: unreachable
          ? 'Ask again from another network.'
          : 'Ask what the server says: smtp-setup logs --since 10m, and smtp-setup check server.',
      },
    ];
  },
};
