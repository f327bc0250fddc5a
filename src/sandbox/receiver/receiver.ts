import { randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Lab } from '../lab.js';
import { tailOf } from '../machine/daemon.js';
import type { LabHost } from '../machine/host.js';
import { waitUntil } from '../machine/wait-until.js';
import { commandFailed, type RunResult } from '../run.js';
import { parseStoredMessage, type StoredMessage } from './message.js';
import { dkimSelector, type ReceiverNames } from './names.js';
import { mailLog, mailRoot } from './postfix-config.js';
import { makeDkimKey, prepareReceiver } from './prepare-receiver.js';
import { readVerdicts, type Verdicts } from './verdicts.js';
import { type IndependentVerdict, verifyIndependently } from './verify-independently.js';

export interface ReceiverOptions {
  /** Default `receiver.test`; must not be another zone of the lab. */
  domain?: string;
  /** Host of the lab, default `receiver`; another name needs `last`. */
  hostName?: string;
  /** Last part of its address. */
  last?: number;
}

export interface OutgoingMail {
  from: string;
  to: string | readonly string[];
  subject?: string;
  body?: string;
  /** MAIL FROM; default: `from`. */
  envelopeFrom?: string;
  /** Further header fields. */
  headers?: Readonly<Record<string, string>>;
}

/** A mail server on the other side of the Internet that looks at every message as the big receivers do. */
export interface Receiver extends ReceiverNames {
  readonly labHost: LabHost;
  /** Everything delivered so far, for any address of the domain. */
  messages(): Promise<StoredMessage[]>;
  /** The first delivered message that fits; throws `E_SANDBOX_TIMEOUT` with the end of the mail log. */
  waitForMessage(fits: (message: StoredMessage) => boolean, timeoutMs?: number): Promise<StoredMessage>;
  readVerdicts(message: StoredMessage): Verdicts;
  /** The same questions to other programs: opendkim, python3-dkim, python3-spf. */
  verifyIndependently(message: StoredMessage): Promise<IndependentVerdict>;
  /** Queues a message for delivery by MX, signed with the domain's key when it is from the domain. Returns its Message-ID. */
  sendMail(mail: OutgoingMail): Promise<string>;
  /** Speaks SMTP to a server itself and reports what was said; the exit code is swaks's (0: accepted). */
  sendDirectly(server: string, mail: OutgoingMail, swaks?: readonly string[]): Promise<RunResult>;
  /** Last lines of its mail log. */
  log(lines?: number): Promise<string[]>;
}

/** Starts a receiving mail server with its zone, addresses, PTR, SPF, DKIM and DMARC. Needs the lab's DNS and resolver. */
export async function startReceiver(lab: Lab, options: ReceiverOptions = {}): Promise<Receiver> {
  const domain = options.domain ?? 'receiver.test';
  const host = `mx.${domain}`;
  const hostName = options.hostName ?? 'receiver';
  const key = makeDkimKey();
  const ipv6 = lab.addresses.receiver.ipv6 !== undefined;
  const starting = lab.startHost(hostName, {
    program: { kind: 'container', argv: ['/lab/start.sh'] },
    ...(options.last === undefined ? {} : { last: options.last }),
    prepare: (root) =>
      prepareReceiver(root, { domain, host, ipv6, key, caDirectory: join(lab.acme.host.root, 'lab') }),
  });
  const labHost = await starting;
  await publishNames(lab, { domain, host }, labHost, key.publicBase64);
  const receiver = openReceiverOn(labHost, { domain, host });
  await waitUntil(() => listens(labHost), {
    what: `the mail server ${host} to answer`,
    timeoutMs: 120_000,
    intervalMs: 200,
    evidence: async () => [...(await labHost.tail()), ...(await receiver.log())],
  });
  return receiver;
}

/** A receiver that another process started; undefined when there is none. */
export async function openReceiver(lab: Lab, options: ReceiverOptions = {}): Promise<Receiver | undefined> {
  const labHost = await lab.host(options.hostName ?? 'receiver');
  const domain = options.domain ?? 'receiver.test';
  return labHost && openReceiverOn(labHost, { domain, host: `mx.${domain}` });
}

async function publishNames(
  lab: Lab,
  { domain, host }: ReceiverNames,
  { ipv4, ipv6 }: LabHost,
  publicKey: string,
): Promise<void> {
  const dkim = `v=DKIM1; k=rsa; p=${publicKey}`;
  const pieces = (dkim.match(/.{1,255}/g) ?? []).map((piece) => `"${piece}"`).join(' ');
  await lab.dns.addZone(domain, {
    records: [
      `${host}. 300 A ${ipv4}`,
      ...(ipv6 === undefined ? [] : [`${host}. 300 AAAA ${ipv6}`]),
      `${domain}. 300 MX 10 ${host}.`,
      `${domain}. 300 TXT "v=spf1 a:${host} -all"`,
      `${host}. 300 TXT "v=spf1 a -all"`,
      `${dkimSelector}._domainkey.${domain}. 300 TXT ${pieces}`,
      `_dmarc.${domain}. 300 TXT "v=DMARC1; p=reject"`,
    ],
  });
  await lab.dns.setPtr(ipv4, host);
  if (ipv6 !== undefined) await lab.dns.setPtr(ipv6, host);
}

async function listens(host: LabHost): Promise<boolean> {
  const ask = 'for port in 25 11332; do exec 3<>/dev/tcp/127.0.0.1/$port || exit 1; exec 3<&-; done';
  return (await host.exec(['bash', '-c', ask])).code === 0;
}

function openReceiverOn(labHost: LabHost, names: ReceiverNames): Receiver {
  const inbox = join(labHost.root, mailRoot, 'inbox/new');
  const log = (lines = 20) => tailOf(join(labHost.root, mailLog), lines);
  const messages = async (): Promise<StoredMessage[]> => {
    const files = (await readdir(inbox)).sort();
    return Promise.all(
      files.map(async (file) => parseStoredMessage(await readFile(join(inbox, file), 'utf8'))),
    );
  };
  return {
    ...names,
    labHost,
    messages,
    log,
    waitForMessage: (fits, timeoutMs = 120_000) =>
      waitUntil(async () => (await messages()).find(fits), {
        what: `a message at ${names.domain}`,
        timeoutMs,
        intervalMs: 200,
        evidence: log,
      }),
    readVerdicts: (message) => readVerdicts(message, names.host),
    verifyIndependently: (message) => verifyIndependently(labHost, message),
    sendMail: async (mail) => {
      const { text, messageId, sender, recipients } = composeMail(mail, names);
      const argv = ['sendmail', '-i', '-f', sender, '--', ...recipients];
      const result = await labHost.exec(argv, { input: text });
      if (result.code !== 0) throw commandFailed(argv, result);
      return messageId;
    },
    sendDirectly: async (server, mail, swaks = []) => {
      const { text, sender, recipients } = composeMail(mail, names);
      const envelope = ['--from', sender === '' ? '<>' : sender, '--to', recipients.join(',')];
      const argv = ['swaks', '--server', server, '--helo', names.host, ...envelope, '--data', '-', ...swaks];
      return labHost.exec(argv, { input: text.replace(/\n/g, '\r\n') });
    },
  };
}

/** A plain message (RFC 5322) with LF line ends, as sendmail(1) takes it. */
function composeMail(mail: OutgoingMail, { domain }: ReceiverNames) {
  const messageId = `<${randomUUID()}@${domain}>`;
  const recipients = typeof mail.to === 'string' ? [mail.to] : [...mail.to];
  const fields: Record<string, string> = {
    From: mail.from,
    To: recipients.join(', '),
    Subject: mail.subject ?? 'A message of the rehearsal',
    Date: new Date().toUTCString().replace('GMT', '+0000'),
    'Message-ID': messageId,
    'MIME-Version': '1.0',
    'Content-Type': 'text/plain; charset=utf-8',
    ...mail.headers,
  };
  const head = Object.entries(fields).map(([name, value]) => `${name}: ${value}`);
  return {
    messageId,
    recipients,
    sender: mail.envelopeFrom ?? mail.from,
    text: `${head.join('\n')}\n\n${mail.body ?? 'Hello from the other side.\n'}`,
  };
}
