import { ConversationError, LineClient } from '../../mail/line-client.js';
import {
  connectSmtp,
  endpoint,
  judgeConversation,
  type Outcome,
  type ServedPort,
  type ServerCheck,
  type ServerTarget,
  subjectOf,
} from './server-check.js';

/** OpenSSL 3 lets neither version be used but with the ciphers of security level 0. */
const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' } as const;

/** TLS 1.0 and 1.1 are over (RFC 8996): a server that still takes them can be talked down to them. */
export const tlsVersions: ServerCheck = {
  id: 'TLS-OLD',
  title: 'TLS 1.0 and 1.1 are refused',
  needs: [],
  ref: 'RFC 8996',
  run: (target, address) =>
    Promise.all(
      target.ports.filter(({ mode }) => mode !== 'plain').map((served) => tryOld(target, address, served)),
    ),
};

async function tryOld(target: ServerTarget, address: string, { port, mode }: ServedPort): Promise<Outcome> {
  const subject = subjectOf(address, port);
  try {
    const accepted = await negotiate(target, address, port, mode === 'tls');
    if (accepted === undefined) {
      return {
        status: 'pass',
        subject,
        message: 'A client that offers nothing newer than TLS 1.1 is refused.',
      };
    }
    return {
      status: 'fail',
      subject,
      message: `${accepted} is accepted.`,
      expected: 'TLS 1.2 or newer only',
      observed: accepted,
      fix:
        port === 993
          ? 'Run smtp-setup apply: it sets ssl_min_protocol = TLSv1.2. Look for another value in /etc/smtp-setup/local/dovecot.conf.'
          : 'Run smtp-setup apply: it sets smtpd_tls_protocols = >=TLSv1.2. Look for another value in /etc/smtp-setup/local/postfix-main.cf.',
    };
  } catch (error) {
    return judgeConversation(error, subject);
  }
}

/** The old version that the server agreed to; undefined when it refused. */
async function negotiate(
  target: ServerTarget,
  address: string,
  port: number,
  atOnce: boolean,
): Promise<string | undefined> {
  if (atOnce) {
    const wanted = { ...endpoint(target, address, port), tls: old };
    return refusedAsUndefined(async () => {
      const line = await LineClient.connect(wanted, { tls: true });
      line.close();
      return line.tls?.protocol;
    });
  }
  const client = await connectSmtp(target, address, port, { tls: old });
  try {
    const keywords = await client.ehlo(target.ehloName);
    // Without STARTTLS there is nothing to refuse; TLS-CERT says so.
    if (!keywords.has('STARTTLS')) return undefined;
    return await refusedAsUndefined(async () => {
      await client.startTls();
      return client.tls?.protocol;
    });
  } finally {
    client.close();
  }
}

async function refusedAsUndefined(handshake: () => Promise<string | undefined>): Promise<string | undefined> {
  try {
    return await handshake();
  } catch (error) {
    if (!(error instanceof ConversationError) || error.reason !== 'tls') throw error;
    // This machine's own OpenSSL was built or configured without them: nothing was asked.
    if (/no protocols available|no ciphers available|internal error/i.test(error.message)) {
      throw new ConversationError('unreachable', `this machine cannot speak TLS 1.1: ${error.message}`);
    }
    return undefined;
  }
}
