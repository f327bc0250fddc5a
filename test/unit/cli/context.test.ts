import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, it } from 'vitest';
import { createContext } from '../../../src/cli/context.js';
import { createIo } from '../../../src/ui/io.js';
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
