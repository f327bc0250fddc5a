import net from 'node:net';
import { vi } from 'vitest';

/** Lets code that connects to a well-known port reach a test server's instead. */
export async function connectPort<T>(port: number, run: () => Promise<T>): Promise<T> {
  const real = net.connect;
  const spy = vi
    .spyOn(net, 'connect')
    .mockImplementation(((options: net.TcpNetConnectOpts) =>
      real({ ...options, port })) as typeof net.connect);
  try {
    return await run();
  } finally {
    spy.mockRestore();
  }
}
