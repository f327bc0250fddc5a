import { createServer, type Server, type Socket } from 'node:net';
import { afterEach } from 'vitest';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** Listens on a free port of 127.0.0.1 until the test is over; returns the port. */
export async function listen(onSocket: (socket: Socket) => void): Promise<number> {
  const server = createServer(onSocket);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** A server that answers each command by its first matching rule; 250 without one. */
export function serveRules(
  rules: readonly [RegExp, string][],
  hello = '220 mail.example.org ESMTP',
): Promise<number> {
  return listen((socket) => {
    socket.write(`${hello}\r\n`);
    let buffer = '';
    socket.on('data', (chunk) => {
      buffer += chunk.toString();
      for (let end = buffer.indexOf('\n'); end >= 0; end = buffer.indexOf('\n')) {
        const line = buffer.slice(0, end).trim();
        buffer = buffer.slice(end + 1);
        const rule = rules.find(([pattern]) => pattern.test(line));
        socket.write(`${rule?.[1] ?? (line.startsWith('QUIT') ? '221 bye' : '250 ok')}\r\n`);
      }
    });
    socket.on('error', () => socket.destroy());
  });
}

/** A server whose messages end where `end` matches: what follows it is taken for commands again. */
export function serveData(end: RegExp): Promise<number> {
  return listen((socket) => {
    socket.write('220 mail.example.org ESMTP\r\n');
    let buffer = '';
    let inData = false;
    const work = (): void => {
      for (;;) {
        if (inData) {
          const found = end.exec(buffer);
          if (!found) return;
          buffer = buffer.slice(found.index + found[0].length);
          inData = false;
          socket.write('250 2.0.0 queued\r\n');
          continue;
        }
        const at = buffer.indexOf('\n');
        if (at < 0) return;
        const line = buffer.slice(0, at).trim();
        buffer = buffer.slice(at + 1);
        inData = line === 'DATA';
        socket.write(inData ? '354 go ahead\r\n' : '250 ok\r\n');
      }
    };
    socket.on('data', (chunk) => {
      buffer += chunk.toString('latin1');
      work();
    });
    socket.on('error', () => socket.destroy());
  });
}
