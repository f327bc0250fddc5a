import { messageOf } from '../../errors.js';
import type { Finding } from '../check.js';
import type { Outcome } from '../server/server-check.js';
import { incoming, readBack } from './read-back.js';
import { received, sent } from './sent.js';
import { privacy, signed } from './signed.js';
import { submitted } from './submitted.js';
import type { DeliveryCheck, Trip } from './trip.js';

/** Every check of a mail's way. A new one is one object and one line here. */
export const deliveryChecks: readonly DeliveryCheck[] = [
  submitted,
  readBack,
  signed,
  privacy,
  incoming,
  sent,
  received,
];

/** A check that breaks is unknown, never a pass. */
export async function judgeTrip(trip: Trip): Promise<Finding[]> {
  const findings = await Promise.all(
    deliveryChecks.map(async (check): Promise<Finding[]> => {
      try {
        return (await check.run(trip)).map((outcome) => toFinding(check, outcome));
      } catch (error) {
        return [toFinding(check, { status: 'unknown', subject: trip.user, message: messageOf(error) })];
      }
    }),
  );
  return findings.flat();
}

function toFinding({ id, title, ref }: DeliveryCheck, { fix, ...rest }: Outcome): Finding {
  return {
    id,
    group: 'Delivery',
    severity: 'fail',
    title,
    ref,
    ...rest,
    ...(fix ? { fix: { text: fix } } : {}),
  };
}
