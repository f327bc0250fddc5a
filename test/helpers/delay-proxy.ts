import { connect, createServer, type Socket } from 'node:net';

export interface DelayProxy {
  port: number;
  /** Bytes passed on so far, both directions. */
  bytes(): number;
  /** Cuts all connections; new ones are accepted again. */
  cut(): void;
  /** Swallows everything from now on without closing: a half-open line. */
  freeze(): void;
  /** From now on connections are refused by hanging up at once, until `admit`. */
  refuse(): void;
  admit(): void;
  close(): Promise<void>;
}

/** A TCP proxy on 127.0.0.1 that adds half of `rttMs` to each direction, in order; 0 passes everything at once. */
export async function startDelayProxy(
  target: { host: string; port: number },
  rttMs: number,
): Promise<DelayProxy> {
  const sockets = new Set<Socket>();
  let frozen = false;
  let refusing = false;
  let passed = 0;
  const pass = (from: Socket, to: Socket) => {
    from.on('data', (chunk) => {
      if (frozen) return;
      const send = () => {
        if (frozen || to.destroyed) return;
        passed += chunk.length;
        to.write(chunk);
      };
      if (rttMs === 0) send();
      else setTimeout(send, rttMs / 2);
    });
    from.on('close', () => {
      sockets.delete(from);
      if (rttMs === 0) to.destroy();
      else setTimeout(() => to.destroy(), rttMs / 2);
    });
    from.on('error', () => undefined);
  };
  const server = createServer((near) => {
    if (refusing) {
      near.destroy();
      return;
    }
    const far = connect({ ...target, noDelay: true });
    near.setNoDelay(true);
    sockets.add(near).add(far);
    pass(near, far);
    pass(far, near);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const cut = () => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  return {
    port: address.port,
    bytes: () => passed,
    cut,
    freeze() {
      frozen = true;
    },
    refuse() {
      refusing = true;
    },
    admit() {
      refusing = false;
    },
    close: () =>
      new Promise((resolve) => {
        cut();
        server.close(() => resolve());
      }),
  };
}
