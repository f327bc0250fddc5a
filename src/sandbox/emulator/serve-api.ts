import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { RawAnswer, RawRequest } from '../cloudflare/emulator.js';
import { closeServer, listen, readBody } from '../cloudflare/server.js';

/** A provider's API without its transport. */
export interface ApiEmulator {
  answer(request: RawRequest): Promise<RawAnswer>;
}

export interface RunningApi {
  /** Scheme, address and port. */
  origin: string;
  close(): Promise<void>;
}

/** Serves an emulator over HTTP; on 127.0.0.1 and any free port when nothing else is said. */
export async function serveApi(
  emulator: ApiEmulator,
  { host = '127.0.0.1', port = 0 }: { host?: string; port?: number } = {},
): Promise<RunningApi> {
  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = 'GET', url = '/', headers } = request;
    const answer = await emulator.answer({ method, url, headers, body: await readBody(request) });
    if (answer === 'reset') request.socket.destroy();
    else response.writeHead(answer.status, answer.headers).end(answer.body);
  };
  const server = createServer((request, response) => {
    respond(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  const address = await listen(server, { host, port });
  const shown = host.includes(':') ? `[${host}]` : host;
  return { origin: `http://${shown}:${address.port}`, close: () => closeServer(server) };
}
