import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../errors.js';
import type { Story } from '../../logs/track.js';
import { ImapClient } from '../../mail/imap-client.js';
import { ConversationError } from '../../mail/line-client.js';
import type { SmtpClient } from '../../mail/smtp-client.js';
import {
  connectSmtp,
  endpoint,
  openSubmission,
  type ProbeLogin,
  type ServerTarget,
} from '../server/server-check.js';
import type { Arrival, Handover, Trip } from './trip.js';

export interface Route {
  target: ServerTarget;
  /** Where to connect: the first of the target's addresses that answers is enough. */
  address: string;
  login: ProbeLogin;
  to?: string;
  /** Milliseconds to wait for a mail of our own. */
  patience: number;
  /** Milliseconds to wait for the answer of `to`. */
  answerPatience: number;
  /** Unique, in subject and Message-ID. */
  token: string;
  /** Milliseconds since the epoch. */
  clock(): number;
  keys: Trip['keys'];
  /** What the server's log says of a Message-ID. */
  findStory(messageId: string): Promise<Story | undefined>;
  signal: AbortSignal;
  /** No mail comes to the server: it is only seen whether the mail to `to` leaves. */
  sendsOnly?: boolean;
}

const mailboxes = ['INBOX', 'Junk'];

/** Sends one mail out and one in, and watches where they arrive. Rejects only when the signal aborts. */
export async function travel(route: Route): Promise<Trip> {
  const { target, login, token, to } = route;
  const domain = login.user.slice(login.user.indexOf('@') + 1);
  const ids = { out: `out.${token}@${domain}`, in: `in.${token}@${target.ehloName}` };
  const submitted = await submit(route, ids.out);
  if (route.sendsOnly) return watchLeaving(route, submitted, ids.out);
  const outAt = route.clock();
  const incoming = await handIn(route, ids.in);
  const inAt = route.clock();
  const box = await openBox(route);
  try {
    const find = (
      search: (client: ImapClient, mailbox: string) => Promise<string | undefined>,
      since: number,
      most: number,
    ) =>
      box.client === undefined ? Promise.resolve(undefined) : waitFor(route, box.client, search, since, most);
    const byId = (id: string) => (client: ImapClient, mailbox: string) => client.findMessage(mailbox, id);
    const copy = submitted.accepted ? await find(byId(ids.out), outAt, route.patience) : undefined;
    const arrived = incoming.accepted ? await find(byId(ids.in), inAt, route.patience) : undefined;
    const wanted = to !== undefined && submitted.accepted;
    const answer = wanted
      ? await find(
          (client, mailbox) => client.findText(mailbox, `Re: ${subjectFor(token)}`),
          outAt,
          route.answerPatience,
        )
      : undefined;
    const story = wanted ? await watchStory(route, to, ids.out, outAt + route.patience) : undefined;
    return {
      hostname: target.hostname,
      user: login.user,
      ehloName: target.ehloName,
      submitted,
      incoming,
      imap: box.state,
      waited: Math.round(route.answerPatience / 1000),
      keys: route.keys,
      ...(copy === undefined ? {} : { copy }),
      ...(arrived === undefined ? {} : { arrived }),
      ...(to === undefined ? {} : { to }),
      ...(answer === undefined ? {} : { answer }),
      ...(story === undefined ? {} : { story }),
    };
  } finally {
    box.client?.close();
  }
}

/** The server's own log is the only witness: nothing comes back to it. */
async function watchLeaving(route: Route, submitted: Handover, messageId: string): Promise<Trip> {
  const { target, login, to } = route;
  const wanted = to !== undefined && submitted.accepted;
  const story = wanted ? await watchStory(route, to, messageId, route.clock() + route.patience) : undefined;
  return {
    hostname: target.hostname,
    user: login.user,
    ehloName: target.ehloName,
    submitted,
    waited: 0,
    keys: route.keys,
    ...(to === undefined ? {} : { to }),
    ...(story === undefined ? {} : { story }),
  };
}

/** What the log says of it once it says what became of the mail to `to`, or of all of it; else what it says at `end`. */
async function watchStory(
  route: Route,
  to: string,
  messageId: string,
  end: number,
): Promise<Story | undefined> {
  for (;;) {
    const story = await route.findStory(messageId);
    const settled =
      story?.done ||
      story?.events.some(({ event }) => event.kind === 'delivery' && event.to === to.toLowerCase());
    if (settled || route.clock() > end) return story;
    await sleep(500, undefined, { signal: route.signal });
  }
}

export function subjectFor(token: string): string {
  return `smtp-setup check ${token}`;
}

async function submit(route: Route, messageId: string): Promise<Handover> {
  const { target, address, login, to } = route;
  return converse(
    () => openSubmission(target, address, 465),
    async (client) => {
      const reply = await client.authPlain(login.user, login.password);
      if (reply.code !== 235) return reply;
      return handOver(client, {
        sender: login.user,
        recipients: [
          ...(route.sendsOnly && to !== undefined ? [] : [login.user]),
          ...(to === undefined ? [] : [to]),
        ],
        header: { From: login.user, To: to ?? login.user, 'User-Agent': 'smtp-setup check' },
        messageId,
        route,
      });
    },
  );
}

async function handIn(route: Route, messageId: string): Promise<Handover> {
  const { target, address, login } = route;
  return converse(
    async () => {
      const client = await connectSmtp(target, address, 25);
      const keywords = await client.ehlo(target.ehloName);
      if (keywords.has('STARTTLS') && (await client.startTls()).code === 220)
        await client.ehlo(target.ehloName);
      return client;
    },
    (client) =>
      handOver(client, {
        // No address of ours could take a bounce.
        sender: '',
        recipients: [login.user],
        header: { From: `check@${target.ehloName}`, To: login.user, 'Auto-Submitted': 'auto-generated' },
        messageId,
        route,
      }),
  );
}

interface Mail {
  sender: string;
  recipients: readonly string[];
  header: Readonly<Record<string, string>>;
  messageId: string;
  route: Route;
}

async function handOver(client: SmtpClient, { sender, recipients, header, messageId, route }: Mail) {
  let reply = await client.command(`MAIL FROM:<${sender}>`);
  for (const recipient of recipients)
    if (reply.code < 400) reply = await client.command(`RCPT TO:<${recipient}>`);
  if (reply.code >= 400) return reply;
  const fields = {
    ...header,
    Subject: subjectFor(route.token),
    Date: new Date(route.clock()).toUTCString().replace('GMT', '+0000'),
    'Message-ID': `<${messageId}>`,
    'MIME-Version': '1.0',
    'Content-Type': 'text/plain; charset=utf-8',
  };
  const head = Object.entries(fields).map(([name, value]) => `${name}: ${value}`);
  return client.data(
    [
      ...head,
      '',
      'This mail was sent by smtp-setup check delivery, to see whether mail arrives',
      'and what the receiving server finds about it. It can be deleted.',
      '',
    ].join('\r\n'),
  );
}

async function converse(
  open: () => Promise<SmtpClient>,
  talk: (client: SmtpClient) => Promise<{ code: number; lines: readonly string[] }>,
): Promise<Handover> {
  let client: SmtpClient | undefined;
  try {
    client = await open();
    const { code, lines } = await talk(client);
    const { tls } = client;
    await client.quit();
    return {
      accepted: code === 250,
      reply: `${code} ${lines.join(' ')}`.slice(0, 300),
      ...(tls === undefined ? {} : { tls }),
    };
  } catch (error) {
    if (!(error instanceof ConversationError)) throw error;
    const unreachable = ['timeout', 'silent', 'unreachable', 'later'].includes(error.reason);
    return { accepted: false, reply: messageOf(error), ...(unreachable ? { unreachable } : {}) };
  } finally {
    client?.close();
  }
}

async function openBox({ target, address, login }: Route) {
  let client: ImapClient | undefined;
  try {
    client = await ImapClient.connect(endpoint(target, address, 993));
    if (await client.login(login.user, login.password))
      return { client, state: { accepted: true, detail: '' } };
    client.close();
    return { state: { accepted: false, detail: 'the login was refused' } };
  } catch (error) {
    client?.close();
    if (!(error instanceof ConversationError)) throw error;
    return { state: { accepted: false, detail: error.message } };
  }
}

/** Looks every quarter of a second, in the inbox and where spam goes. */
async function waitFor(
  route: Route,
  client: ImapClient,
  search: (client: ImapClient, mailbox: string) => Promise<string | undefined>,
  since: number,
  most: number,
): Promise<Arrival | undefined> {
  for (;;) {
    for (const mailbox of mailboxes) {
      const raw = await search(client, mailbox);
      if (raw !== undefined) return { raw, mailbox, after: route.clock() - since };
    }
    if (route.clock() - since > most) return undefined;
    await sleep(250, undefined, { signal: route.signal });
  }
}
