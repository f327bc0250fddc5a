import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { basePath, type CloudflareEmulator } from './emulator.js';

export interface ListenOptions {
  /** 127.0.0.1 when absent. */
  host?: string;
  /** Any free port when absent. */
  port?: number;
  /** PEM texts; HTTP when absent. */
  tls?: { key: string; cert: string };
}

export interface RunningServer {
  /** For CLOUDFLARE_BASE_URL. */
  baseUrl: string;
  close(): Promise<void>;
}

const maxBody = 4 * 1024 * 1024;

/** The body of a request; rejects beyond 4 MiB. */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBody) throw new Error('request body too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Serves the emulator over HTTP or HTTPS. */
export async function serveEmulator(
  emulator: CloudflareEmulator,
  options: ListenOptions = {},
): Promise<RunningServer> {
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    respond(emulator, request, response).catch((error: unknown) => response.destroy(error as Error));
  };
  const server = options.tls ? createTlsServer(options.tls, handle) : createServer(handle);
  const host = options.host ?? '127.0.0.1';
  const address = await listen(server, { host, port: options.port ?? 0 });
  const scheme = options.tls ? 'https' : 'http';
  const shown = host.includes(':') ? `[${host}]` : host;
  return { baseUrl: `${scheme}://${shown}:${address.port}${basePath}`, close: () => closeServer(server) };
}

async function respond(
  emulator: CloudflareEmulator,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const answer = await emulator.answer({
    method: request.method ?? 'GET',
    url: request.url ?? '/',
    headers: request.headers,
    body: await readBody(request),
  });
  if (answer === 'reset') {
    request.socket.destroy();
    return;
  }
  response.writeHead(answer.status, answer.headers).end(answer.body);
}

/** Resolves once the server listens. */
export function listen(
  server: Server,
  where: { host: string; port: number } | { path: string },
): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(where, () => {
      server.off('error', reject);
      resolve(server.address() as AddressInfo);
    });
  });
}

/** Stops listening and cuts what is open. */
export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => (error ? reject(error) : resolve()));
    server.closeAllConnections();
  });
}
