import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, it } from 'vitest';
import { createContext } from '../../../src/cli/context.js';
import { createIo } from '../../../src/ui/io.js';
import { makeKey, startSshServer } from '../../helpers/ssh-server.js';
import { captureStreams } from '../../helpers/streams.js';

it('gives up connections that are still being made when it closes: the process would live as long as they', async () => {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const reached = once(server, 'connection');
  const context = createContext(
    createIo(captureStreams(), {}),
    { HOME: '/nowhere' },
    new AbortController().signal,
  );
  const connector = await context.createConnector({
    target: `root@127.0.0.1:${(server.address() as AddressInfo).port}`,
  });
  const connecting = expect(connector.connect()).rejects.toMatchObject({ code: 'E_CANCELLED' });
  const [socket] = await reached;
  // Nobody greets: the login is under way for as long as its patience lasts.
  await context.close();
  await connecting;
  socket.destroy();
  server.close();
});

it('gives up a server that refuses as early as it is told to', async () => {
  const key = await makeKey('ed25519');
  const server = await startSshServer({ hostKeys: [key.privateText], password: 'pw' });
  const context = createContext(
    createIo(captureStreams(), {}),
    { HOME: '/nowhere', SMTP_SETUP_SSH_PASSWORD: 'pw' },
    new AbortController().signal,
  );
  const connector = await context.createConnector({
    target: `root@127.0.0.1:${server.port}`,
    hostKey: key.fingerprint,
  });
  await connector.connect();
  await server.close();
  await expect(connector.connect(undefined, 1)).rejects.toMatchObject({ code: 'E_SSH_REFUSED' });
  await context.close();
});

it('ends what one half of a command still waits for when it closes after the error of the other', async () => {
  const streams = captureStreams({ tty: true });
  const context = createContext(createIo(streams, {}), { HOME: '/nowhere' }, new AbortController().signal);
  const { retryRead } = await import('../../../src/dns/providers/retry.js');
  const { signal } = context;
  const log: string[] = [];
  const reading = retryRead(
    { credentials: {}, fetch, signal, log: (line) => void log.push(line) },
    () => Promise.reject(new Error('HTTP 429')),
    () => ({ reason: 'the API asks for patience', retryAfter: 300 }),
  );
  const asker = await context.createAsker();
  const asking = asker.text({ key: 'token', message: 'Token?' });
  const ended = [reading, asking].map((one) => expect(one).rejects.toMatchObject({ code: 'E_CANCELLED' }));
  await context.close();
  await Promise.all(ended);
  expect(log).toHaveLength(1);
});
