import type { Finding } from '../checks/check.js';
import { deliveryChecks, judgeTrip } from '../checks/delivery/index.js';
import { travel } from '../checks/delivery/travel.js';
import type { ServerTarget } from '../checks/server/server-check.js';
import { isUnknown, type Resolver } from '../dns/resolver/index.js';
import { messageOf, SetupError } from '../errors.js';
import { readLog } from '../logs/read-log.js';
import type { Story } from '../logs/track.js';
import { ConversationError } from '../mail/line-client.js';
import type { Connection } from '../ssh/connection.js';
import { withCheckLogin } from './check-login.js';
import { type CheckedHost, senderDomain, targetOf } from './check-server.js';
import { readJournal } from './read-journal.js';
import type { Session } from './session.js';

export interface DeliveryOptions {
  /** Where a mail is sent, beside our own mailbox. */
  to?: string;
  /** Seconds to wait for its answer. */
  wait?: number;
}

/** Milliseconds for a mail that never leaves the server, content filters included. */
const ownPatience = 60_000;
const answerSeconds = 30;

/** Sends a mail out and one in, and tells what became of them. Needs a connection for the login. */
export async function checkDelivery(
  session: Session,
  host: CheckedHost,
  { to, wait }: DeliveryOptions,
): Promise<Finding[]> {
  const { context } = session;
  const target = await targetOf(session, host);
  const { connection } = host;
  const domain = target.domains[0] ?? senderDomain(session, host.hostname);
  const sendsOnly = target.domains.length === 0 && domain !== undefined;
  const [address] = host.addresses;
  if (
    connection === undefined ||
    domain === undefined ||
    address === undefined ||
    (sendsOnly && to === undefined)
  ) {
    const message =
      sendsOnly && to === undefined
        ? 'No mail comes to this server, so nothing can come back: say where to send with --to ADDRESS.'
        : domain === undefined
          ? 'The server takes mail for no domain, so nothing can come back.'
          : 'Without SSH there is no mailbox to send from and to.';
    return [
      {
        ...untold(host.hostname, message),
        ...(sendsOnly && connection !== undefined ? { status: 'info' as const } : {}),
      },
    ];
  }
  try {
    return await withCheckLogin(session, connection, domain, async (login) =>
      judgeTrip(
        await travel({
          target: { ...target, timeout: ownPatience },
          address,
          login,
          ...(to === undefined ? {} : { to }),
          patience: ownPatience,
          answerPatience: (wait ?? answerSeconds) * 1000,
          token: Buffer.from(context.randomBytes(8)).toString('hex'),
          clock: context.clock,
          keys: keysFrom(target),
          findStory: (messageId) => findStory(connection, messageId, context.clock() / 1000),
          signal: context.signal,
          sendsOnly,
        }),
      ),
    );
  } catch (error) {
    if (context.signal.aborted) throw error;
    if (!(error instanceof ConversationError) && !(error instanceof SetupError)) throw error;
    return [untold(host.hostname, messageOf(error))];
  }
}

function untold(subject: string, message: string): Finding {
  return {
    id: 'DELIVERY-SUBMIT',
    group: 'Delivery',
    severity: 'fail',
    title: deliveryChecks[0]?.title ?? '',
    subject,
    status: 'unknown',
    message,
    fix: { text: 'Run smtp-setup check delivery where SSH to the server works.' },
  };
}

function keysFrom({ resolver }: ServerTarget): (name: string) => Promise<string | undefined> {
  return async (name) => {
    const answer = await (resolver as Resolver).resolve(name, 'TXT');
    if (isUnknown(answer.status)) throw new Error(answer.detail ?? answer.status);
    return answer.records.flatMap(({ data }) => (data.type === 'TXT' ? [data.text] : []))[0];
  };
}

async function findStory(connection: Connection, messageId: string, now: number): Promise<Story | undefined> {
  const { stories } = readLog(await readJournal(connection, 600, now));
  return stories.find((story) => story.messageId.includes(messageId));
}
