import type { ChildProcess } from 'node:child_process';
import { createServer } from 'node:net';
import type { Lab } from '../../src/sandbox/index.js';

export interface LabBridge {
  port: number;
  close(): Promise<void>;
}

/** A port on 127.0.0.1 that leads to a host of the lab, through the client's network: nothing of the lab is seen here. */
export async function openLabBridge(lab: Lab, host: string, port: number): Promise<LabBridge> {
  const children = new Set<ChildProcess>();
  const server = createServer((socket) => {
    const child = lab.client.spawn('socat', ['-', `TCP:${host}:${port},nodelay`]);
    children.add(child);
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    child.stdin?.on('error', () => undefined);
    if (child.stdin && child.stdout) {
      socket.pipe(child.stdin);
      child.stdout.pipe(socket);
    }
    socket.on('close', () => child.kill());
    child.on('close', () => {
      children.delete(child);
      socket.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    close: () =>
      new Promise((resolve) => {
        for (const child of children) child.kill();
        server.close(() => resolve());
      }),
  };
}
