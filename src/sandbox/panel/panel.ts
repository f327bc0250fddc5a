import { createServer, type IncomingMessage, type Server } from 'node:http';
import { isIP } from 'node:net';

/** What the panel may change: the reverse zones of the lab (`lab.dns` fits). */
export interface ReverseZones {
  setPtr(ip: string, target: string | undefined): Promise<void>;
}

/** The VPS provider's panel, reduced to the one thing that a mail server needs from it. */
export interface Panel {
  /** Sets the reverse name of an address; undefined removes it. Throws for an address of another customer. */
  setPtr(ip: string, name: string | undefined): Promise<void>;
}

/** Opens the panel for a customer who has these addresses. */
export function openPanel(dns: ReverseZones, addresses: readonly string[]): Panel {
  return {
    setPtr: async (ip, name) => {
      if (isIP(ip) === 0 || !addresses.includes(ip)) throw new Error(`${ip} is none of your addresses`);
      if (name !== undefined && !/^(?=.{1,253}\.?$)([a-z0-9-]{1,63}\.)*[a-z0-9-]{1,63}\.?$/i.test(name)) {
        throw new Error('this is not a host name');
      }
      await dns.setPtr(ip, name);
    },
  };
}

/** The panel's HTTP API: `PUT /ptr/<address>` with `{"name": "mail.example.test"}`, `DELETE /ptr/<address>`. */
export function createPanelServer(panel: Panel): Server {
  return createServer((request, response) => {
    answer(panel, request).then(
      (status) => response.writeHead(status).end(),
      (error: unknown) => {
        response.writeHead(400, { 'content-type': 'text/plain; charset=utf-8' });
        response.end(error instanceof Error ? error.message : 'bad request');
      },
    );
  });
}

async function answer(panel: Panel, request: IncomingMessage): Promise<number> {
  const ip = /^\/ptr\/([0-9a-f.:%A-F]+)$/.exec(request.url ?? '')?.[1];
  if (ip === undefined) return 404;
  if (request.method === 'DELETE') {
    await panel.setPtr(decodeURIComponent(ip), undefined);
    return 204;
  }
  if (request.method !== 'PUT') return 405;
  const body = JSON.parse(await readText(request)) as { name?: unknown };
  if (typeof body.name !== 'string') throw new Error('name is missing');
  await panel.setPtr(decodeURIComponent(ip), body.name);
  return 204;
}

async function readText(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request as AsyncIterable<Buffer>) {
    text += chunk.toString('utf8');
    if (text.length > 4096) throw new Error('request body too large');
  }
  return text;
}
