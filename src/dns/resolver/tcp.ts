import { connect } from 'node:net';
import { messageOf } from '../../errors.js';
import type { WireReply } from './decode.js';
import type { Exchange } from './udp.js';
import type { WireFailure } from './wire.js';

/** One question over TCP (RFC 7766): two bytes of length, then the message; never reads past the announced length. */
export function exchangeTcp(exchange: Exchange): Promise<WireReply | WireFailure> {
  const { server, message, accept, timeoutMs, signal } = exchange;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const socket = connect({ host: server.address, port: server.port });
    let received = Buffer.alloc(0);
    const close = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      socket.destroy();
    };
    const settle = (value: WireReply | WireFailure) => {
      close();
      resolve(value);
    };
    const onAbort = () => {
      close();
      reject(signal?.reason);
    };
    const timer = setTimeout(
      () => settle({ ok: false, reason: 'timeout', detail: `no reply over TCP in ${timeoutMs} ms` }),
      timeoutMs,
    );
    signal?.addEventListener('abort', onAbort, { once: true });
    socket.on('error', (error) =>
      settle({ ok: false, reason: 'unreachable', detail: messageOf(error).slice(0, 200) }),
    );
    socket.on('end', () =>
      settle({ ok: false, reason: 'unreachable', detail: 'the server closed the TCP connection' }),
    );
    socket.on('connect', () => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(message.length);
      socket.write(Buffer.concat([length, message]));
    });
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 2) return;
      const length = received.readUInt16BE(0);
      if (received.length < length + 2) return;
      const reply = accept(received.subarray(2, length + 2));
      settle(
        reply === undefined || reply === 'malformed'
          ? { ok: false, reason: 'malformed', detail: 'the reply over TCP does not fit the question' }
          : { ...reply, transport: 'tcp' },
      );
    });
  });
}
