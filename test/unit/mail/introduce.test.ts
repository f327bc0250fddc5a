import { once } from 'node:events';
import net from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { introduce } from '../../../src/mail/introduce.js';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function listen(onConnection: (socket: net.Socket) => void, port = 0): Promise<number> {
  const server = net.createServer(onConnection).listen(port, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => server.close());
  return (server.address() as net.AddressInfo).port;
}

/** A port that nothing listens on. */
async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

it('greets a server as soon as it listens, and says goodbye', async () => {
  const port = await freePort();
  const said: string[] = [];
  const met = introduce(['127.0.0.1'], new AbortController().signal, port);
  await listen((socket) => {
    socket.write('220 mail.example.org ESMTP\r\n');
    socket.on('data', (data) => {
      said.push(data.toString());
      socket.end('221 2.0.0 Bye\r\n');
    });
  }, port);
  await met;
  expect(said).toEqual(['QUIT\r\n']);
});

it('ends with its signal, and with a server that will not talk', async () => {
  const ended = new AbortController();
  const waiting = introduce(['127.0.0.1'], ended.signal, await freePort());
  ended.abort();
  await waiting;
  const port = await listen((socket) => socket.destroy());
  await introduce(['127.0.0.1'], new AbortController().signal, port);
});
