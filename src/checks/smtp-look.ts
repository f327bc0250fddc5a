import { messageOf } from '../errors.js';
import { ConversationError, LineClient, type TlsState } from '../mail/line-client.js';
import { SmtpClient } from '../mail/smtp-client.js';
import type { SmtpLook, SmtpProbe } from './dns/smtp-probe.js';

export interface SmtpProbeOptions {
  /** Name for EHLO. */
  ehloName: string;
  /** Milliseconds for a connection and for each reply. */
  timeout: number;
  /** PEM of further trusted roots, for rehearsals. */
  ca?: string;
}

/** One look at a mail port: is TLS offered, and which certificate is served. Never rejects for what the network does. */
export function createSmtpProbe({ ehloName, timeout, ca }: SmtpProbeOptions): SmtpProbe {
  return async ({ address, port, servername }) => {
    const endpoint = { address, port, servername, timeout, ...(ca === undefined ? {} : { ca }) };
    try {
      if (port === 465) {
        const line = await LineClient.connect(endpoint, { tls: true });
        line.close();
        return describe(line.tls);
      }
      const client = await SmtpClient.connect(endpoint);
      try {
        const keywords = await client.ehlo(ehloName);
        if (keywords.has('STARTTLS')) await client.startTls();
        return describe(client.tls);
      } finally {
        client.close();
      }
    } catch (error) {
      if (!(error instanceof ConversationError)) throw error;
      return { ok: false, reason: reasonOf(error), detail: messageOf(error).slice(0, 200) };
    }
  };
}

function reasonOf({ reason }: ConversationError): 'silent' | 'refused' | 'broken' {
  if (reason === 'refused') return 'refused';
  return reason === 'timeout' || reason === 'unreachable' ? 'silent' : 'broken';
}

function describe(tls: TlsState | undefined): SmtpLook {
  if (tls === undefined) return { ok: true, tls: false, chain: [] };
  const { protocol, cipher, dhBits, chain, certificate, reason } = tls;
  return {
    ok: true,
    tls: true,
    version: protocol,
    cipher,
    ...(dhBits === undefined ? {} : { dhBits }),
    chain,
    ...(reason === undefined ? {} : { untrusted: reason }),
    validFrom: Date.parse(certificate.validFrom),
    validTo: Date.parse(certificate.validTo),
  };
}
