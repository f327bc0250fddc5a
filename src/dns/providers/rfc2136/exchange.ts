import { connect } from 'node:net';
import { messageOf } from '../../../errors.js';

export interface ExchangeOptions {
  host: string;
  port: number;
  message: Buffer;
  signal: AbortSignal;
  /** Milliseconds without a byte. */
  idleMs: number;
  maxBytes: number;
  /** Gets each message; true when it was the last. A throw ends the exchange. */
  onMessage(bytes: Buffer): boolean;
}

/** No answer, or not all of it. */
export class NoAnswer extends Error {}

/** Sends one message over TCP (RFC 7766) and hands over what comes back, in messages. Rejects with NoAnswer. */
export function exchangeTcp(options: ExchangeOptions): Promise<void> {
  const { host, port, message, signal, idleMs, maxBytes, onMessage } = options;
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    let received = Buffer.alloc(0);
    let total = 0;
    const finish = (error?: Error): void => {
      signal.removeEventListener('abort', onAbort);
      socket.destroy();
      if (error) reject(error);
      else resolve();
    };
    const onAbort = (): void => finish(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) return onAbort();
    socket.setTimeout(idleMs, () => finish(new NoAnswer(`nothing came for ${idleMs / 1000} s`)));
    socket.on('error', (error) => finish(new NoAnswer(messageOf(error))));
    socket.on('end', () => finish(new NoAnswer('the server closed the connection')));
    socket.on('connect', () => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(message.length);
      socket.write(Buffer.concat([length, message]));
    });
    socket.on('data', (chunk) => {
      total += chunk.length;
      if (total > maxBytes) return finish(new NoAnswer(`more than ${maxBytes} bytes came`));
      received = Buffer.concat([received, chunk]);
      while (received.length >= 2 && received.length >= received.readUInt16BE(0) + 2) {
        const end = received.readUInt16BE(0) + 2;
        const next = received.subarray(2, end);
        received = received.subarray(end);
        try {
          if (onMessage(next)) return finish();
        } catch (error) {
          return finish(error instanceof Error ? error : new Error(String(error)));
        }
      }
    });
  });
}
