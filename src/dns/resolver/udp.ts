import { createSocket } from 'node:dgram';
import { messageOf } from '../../errors.js';
import type { WireReply } from './decode.js';
import type { ServerAddress } from './types.js';
import type { WireFailure } from './wire.js';

export interface Exchange {
  server: ServerAddress;
  message: Buffer;
  /** Undefined: not the answer to this question; `malformed`: it is, but cannot be read. */
  accept(bytes: Buffer): WireReply | 'malformed' | undefined;
  timeoutMs: number;
  signal: AbortSignal | undefined;
}

/** A connected socket with a random port: the kernel drops what comes from elsewhere and reports a closed port. */
export function exchangeUdp(exchange: Exchange): Promise<WireReply | WireFailure> {
  const { server, message, accept, timeoutMs, signal } = exchange;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const socket = createSocket(server.address.includes(':') ? 'udp6' : 'udp4');
    let malformed = false;
    const close = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      socket.close();
    };
    const settle = (value: WireReply | WireFailure) => {
      close();
      resolve(value);
    };
    const onAbort = () => {
      close();
      reject(signal?.reason);
    };
    const fail = (error: unknown) =>
      settle({ ok: false, reason: 'unreachable', detail: messageOf(error).slice(0, 200) });
    const timer = setTimeout(() => {
      settle(
        malformed
          ? { ok: false, reason: 'malformed', detail: 'the reply cannot be decoded' }
          : { ok: false, reason: 'timeout', detail: `no reply over UDP in ${timeoutMs} ms` },
      );
    }, timeoutMs);
    signal?.addEventListener('abort', onAbort, { once: true });
    socket.once('error', fail);
    socket.on('message', (bytes) => {
      const reply = accept(bytes);
      // A spoofed packet may be malformed too: the true one can still come.
      if (reply === 'malformed') malformed = true;
      else if (reply) settle({ ...reply, transport: 'udp' });
    });
    socket.connect(server.port, server.address, () => {
      socket.send(message, (error) => {
        if (error) fail(error);
      });
    });
  });
}
