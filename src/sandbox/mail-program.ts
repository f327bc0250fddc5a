import { Exit, SetupError } from '../errors.js';
import type { Lab } from './lab.js';
import { findDaemonFile } from './machine/daemon-file.js';
import type { Rehearsal } from './rehearsal.js';

interface Place {
  address: string;
  hostname: string;
  /** PEM of the authority that signed the server's certificate. */
  ca: string;
  user: string;
  password: string;
}

export type MailOrder = Place &
  (
    | { action: 'send'; port: 465 | 587; from: string; envelopeFrom?: string; to: string; message: string }
    /** Waits for a message whose subject holds `subject`. */
    | { action: 'read'; subject: string; mailbox?: string; timeoutMs: number }
  );

export interface MailReport {
  ok: boolean;
  /** The server's last words, or the message that was read. */
  detail: string;
  /** The certificate verified against the authority and the name. */
  trusted: boolean;
}

export interface SendOptions {
  to: string;
  subject: string;
  body?: string;
  port?: 465 | 587;
  from?: string;
  envelopeFrom?: string;
  user?: string;
  password?: string;
}

/** The rehearsing user's mail program, in the client's network. */
export interface MailProgram {
  send(options: SendOptions): Promise<MailReport>;
  read(options: {
    subject: string;
    user?: string;
    password?: string;
    mailbox?: string;
    timeoutMs?: number;
  }): Promise<MailReport>;
}

export function openMailProgram(lab: Lab, rehearsal: Rehearsal): MailProgram {
  const place = async (user?: string, password?: string): Promise<Place> => ({
    address: lab.vps.ipv4,
    hostname: rehearsal.hostname,
    ca: await lab.acme.roots(),
    user: user ?? rehearsal.mailbox,
    password: password ?? rehearsal.password,
  });
  return {
    async send({ to, subject, body, port, from, envelopeFrom, user, password }) {
      const sender = from ?? user ?? rehearsal.mailbox;
      const message = [
        `From: <${sender}>`,
        `To: <${to}>`,
        `Subject: ${subject}`,
        `Date: ${new Date().toUTCString().replace('GMT', '+0000')}`,
        `Message-ID: <${Math.random().toString(36).slice(2)}@${lab.domain}>`,
        'MIME-Version: 1.0',
        'Content-Type: text/plain; charset=utf-8',
        '',
        body ?? 'Sent in a rehearsal.',
        '',
      ].join('\r\n');
      return talk(lab, {
        ...(await place(user, password)),
        action: 'send',
        port: port ?? 465,
        from: sender,
        ...(envelopeFrom === undefined ? {} : { envelopeFrom }),
        to,
        message,
      });
    },
    async read({ subject, user, password, mailbox, timeoutMs }) {
      return talk(lab, {
        ...(await place(user, password)),
        action: 'read',
        subject,
        ...(mailbox === undefined ? {} : { mailbox }),
        timeoutMs: timeoutMs ?? 120_000,
      });
    },
  };
}

async function talk(lab: Lab, order: MailOrder): Promise<MailReport> {
  const program = await findDaemonFile('mail-client', lab.directory);
  const result = await lab.client.exec(process.execPath, [program], { input: JSON.stringify(order) });
  if (result.code === 0) return JSON.parse(result.stdout);
  throw new SetupError({
    code: 'E_SANDBOX_MAIL',
    exit: Exit.failed,
    what: `The mail program could not ${order.action}.`,
    evidence: result.stderr.split('\n').slice(0, 6),
  });
}
