import { request } from 'node:https';
import { isIP } from 'node:net';
import { checkServerIdentity, type TLSSocket } from 'node:tls';
import { messageOf } from '../errors.js';
import type { PinnedFetch, PinnedRequest, PinnedResponse } from './pinned-fetch.js';

export interface FetchOptions {
  /** PEM of further trusted roots, for rehearsals. */
  ca?: string;
  /**
   * The server's authority is a private one whose root need not be known here (amendment A6): name and dates must be good
   * all the same.
   */
  privateCa?: boolean;
  /** 443, but for tests. */
  port?: number;
  signal?: AbortSignal;
}

/** HTTPS GET to exactly the given addresses, the name only in SNI, Host and the certificate check. */
export function createPinnedFetch(options: FetchOptions = {}): PinnedFetch {
  return async (wanted) => {
    let last: PinnedResponse = { ok: false, reason: 'network', detail: 'no address to connect to' };
    for (const address of wanted.addresses) {
      last = await fetchFrom(address, wanted, options);
      // A bad certificate or an answer is a verdict; only a dead address is worth another try.
      if (last.ok || last.reason === 'certificate') return last;
    }
    return last;
  };
}

const certificateErrors =
  /^(?:CERT_|ERR_TLS_CERT|DEPTH_ZERO_SELF_SIGNED|SELF_SIGNED_CERT|UNABLE_TO_(?:GET_ISSUER|VERIFY)|HOSTNAME_MISMATCH|INVALID_CA)/;

function fetchFrom(address: string, wanted: PinnedRequest, options: FetchOptions): Promise<PinnedResponse> {
  const { url, maxBytes, timeoutMs } = wanted;
  return new Promise((resolve, reject) => {
    let settled = false;
    const settle = (response: PinnedResponse) => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      outgoing.destroy();
      resolve(response);
    };
    const outgoing = request({
      host: address,
      servername: url.hostname,
      port: options.port ?? 443,
      path: `${url.pathname}${url.search}`,
      method: 'GET',
      headers: { host: url.hostname, 'user-agent': 'smtp-setup', accept: 'text/plain' },
      agent: false,
      family: isIP(address),
      ...(options.ca === undefined ? {} : { ca: [options.ca] }),
      ...(options.privateCa === true ? { rejectUnauthorized: false } : {}),
      ...(options.signal && { signal: options.signal }),
    });
    const timer = setTimeout(
      () => settle({ ok: false, reason: 'timeout', detail: `no answer in ${timeoutMs} ms` }),
      timeoutMs,
    );
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      if (options.signal?.aborted) {
        clearTimeout(timer);
        reject(options.signal.reason);
        return;
      }
      const code = error.code ?? '';
      const detail = messageOf(error).slice(0, 300);
      if (certificateErrors.test(code)) settle({ ok: false, reason: 'certificate', detail });
      else settle({ ok: false, reason: code === 'ECONNREFUSED' ? 'refused' : 'network', detail });
    });
    outgoing.on('socket', (socket) =>
      socket.once('secureConnect', () => {
        const fault =
          options.privateCa === true ? faultBesideRoot(socket as TLSSocket, url.hostname) : undefined;
        if (fault !== undefined) settle({ ok: false, reason: 'certificate', detail: fault });
      }),
    );
    outgoing.on('response', (incoming) => {
      const chunks: Buffer[] = [];
      let size = 0;
      const certificate = datesOf(incoming.socket as TLSSocket);
      const done = (tooLong: boolean) =>
        settle({
          ok: true,
          status: incoming.statusCode ?? 0,
          contentType: (incoming.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '',
          body: Buffer.concat(chunks).subarray(0, maxBytes).toString('utf8'),
          tooLong,
          ...(certificate === undefined ? {} : { certificate }),
        });
      incoming.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        size += chunk.length;
        if (size > maxBytes) done(true);
      });
      incoming.on('end', () => done(false));
    });
    outgoing.end();
  });
}

/** What OpenSSL says of a chain whose root is not known here; a self-signed leaf is another matter. */
const unknownRoots =
  /^(?:SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_GET_ISSUER_CERT(?:_LOCALLY)?|UNABLE_TO_VERIFY_LEAF_SIGNATURE)$/;

function faultBesideRoot(socket: TLSSocket, name: string): string | undefined {
  const reason = socket.authorizationError as unknown;
  const code = reason instanceof Error ? ((reason as NodeJS.ErrnoException).code ?? reason.message) : reason;
  if (!socket.authorized && !unknownRoots.test(String(code))) return String(code);
  const wrongName = checkServerIdentity(name, socket.getPeerCertificate());
  if (wrongName !== undefined) return wrongName.message.slice(0, 300);
  const dates = datesOf(socket);
  const now = Date.now();
  return dates !== undefined && dates.validFrom <= now && now <= dates.validTo
    ? undefined
    : 'certificate has expired';
}

function datesOf(socket: TLSSocket): { validFrom: number; validTo: number } | undefined {
  const { valid_from: from, valid_to: to } = socket.getPeerCertificate();
  const dates = { validFrom: Date.parse(from), validTo: Date.parse(to) };
  return Number.isNaN(dates.validFrom) || Number.isNaN(dates.validTo) ? undefined : dates;
}
