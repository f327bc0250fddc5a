import { connect, type Socket } from 'node:net';
import { cancelled, describeSocketFailure, timedOut } from './failures.js';

export interface SocketRequest {
  host: string;
  port: number;
  /** 0: any. */
  family: 0 | 4 | 6;
  /** Milliseconds for name resolution and TCP together. */
  timeoutMs: number;
  signal?: AbortSignal;
}

/** Opens a TCP connection; IPv6 and IPv4 addresses are tried in turn. Rejects with a SetupError that names the cause. */
export function openSocket(request: SocketRequest): Promise<Socket> {
  const { host, port, family, timeoutMs, signal } = request;
  const place = `${host} port ${port}`;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(cancelled(signal));
    const socket = connect({
      host,
      port,
      family,
      noDelay: true,
      // Node gives up on an address after 250 ms by default, too little for a far-away server.
      autoSelectFamilyAttemptTimeout: Math.max(10, Math.floor(timeoutMs / 4)),
    });
    const fail = (error: unknown) => {
      settle();
      // Without a listener a late error of a destroyed socket would end the process.
      socket.on('error', () => undefined);
      socket.destroy();
      reject(error);
    };
    const timer = setTimeout(
      () => fail(timedOut(place, [`no TCP connection within ${timeoutMs / 1000} s`])),
      timeoutMs,
    );
    const onAbort = () => fail(cancelled(signal));
    const onError = (error: Error) => fail(describeSocketFailure(place, error));
    const settle = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      socket.off('error', onError);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    socket.once('error', onError);
    socket.once('connect', () => {
      settle();
      resolve(socket);
    });
    return undefined;
  });
}
