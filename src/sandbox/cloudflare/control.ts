import { createServer, request as httpRequest, type IncomingMessage } from 'node:http';
import type { Call, CloudflareEmulator } from './emulator.js';
import type { Fault } from './faults.js';
import { closeServer, listen, readBody } from './server.js';
import type { StoredRecord } from './stored-record.js';
import type { TokenSettings } from './token-store.js';
import type { Body, ZoneSettings } from './zone-store.js';

/** The test's side of the emulator; the same in this process and over its control socket. */
export interface CloudflareControl {
  addZone(settings: ZoneSettings): Promise<void>;
  addToken(settings: TokenSettings): Promise<void>;
  expireToken(value: string): Promise<void>;
  addFault(fault: Fault): Promise<void>;
  clearFaults(): Promise<void>;
  /** A record made by someone else; `meta.read_only` makes it Cloudflare's own. */
  seed(zone: string, record: Body, meta?: Readonly<Record<string, boolean>>): Promise<void>;
  records(zone: string): Promise<StoredRecord[]>;
  calls(): Promise<readonly Call[]>;
  writeCount(): Promise<number>;
  clearCalls(): Promise<void>;
}

/** Control without a transport. */
export function controlInProcess(emulator: CloudflareEmulator): CloudflareControl {
  return {
    addZone: async (settings) => void emulator.addZone(settings),
    addToken: async (settings) => emulator.addToken(settings),
    expireToken: async (value) => emulator.tokens.expire(value),
    addFault: async (fault) => emulator.addFault(fault),
    clearFaults: async () => emulator.faults.clear(),
    seed: async (zone, record, meta) => void (await emulator.seed(zone, record, meta)),
    records: async (zone) => emulator.records(zone),
    calls: async () => emulator.callLog(),
    writeCount: async () => emulator.writeCount(),
    clearCalls: async () => emulator.clearCalls(),
  };
}

type Method = keyof CloudflareControl;

/**
 * Serves the control methods on a unix socket: POST /<method> with a JSON array of arguments. A socket in the file
 * system crosses network namespaces, so nothing of the lab needs an address outside them.
 */
export async function serveControl(
  control: CloudflareControl,
  socketPath: string,
): Promise<{ close(): Promise<void> }> {
  const server = createServer((request, response) => {
    invoke(control, request).then(
      (result) => response.end(JSON.stringify(result ?? null)),
      (error: unknown) => response.writeHead(400).end(error instanceof Error ? error.message : 'failed'),
    );
  });
  await listen(server, { path: socketPath });
  return { close: () => closeServer(server) };
}

async function invoke(control: CloudflareControl, request: IncomingMessage): Promise<unknown> {
  const method = (request.url ?? '').slice(1);
  if (request.method !== 'POST' || !Object.hasOwn(control, method)) throw new Error(`no method ${method}`);
  const text = (await readBody(request)).toString('utf8');
  const parameters: unknown = text === '' ? [] : JSON.parse(text);
  if (!Array.isArray(parameters)) throw new Error('arguments must be an array');
  const call = control[method as Method] as (...parameters: unknown[]) => Promise<unknown>;
  return call(...parameters);
}

/** Control over the socket that `serveControl` listens on. */
export function connectControl(socketPath: string): CloudflareControl {
  const call = (method: Method, ...parameters: unknown[]): Promise<unknown> =>
    postJson(socketPath, `/${method}`, parameters);
  return {
    addZone: async (settings) => void (await call('addZone', settings)),
    addToken: async (settings) => void (await call('addToken', settings)),
    expireToken: async (value) => void (await call('expireToken', value)),
    addFault: async (fault) => void (await call('addFault', fault)),
    clearFaults: async () => void (await call('clearFaults')),
    seed: async (zone, record, meta) => void (await call('seed', zone, record, meta ?? {})),
    records: async (zone) => (await call('records', zone)) as StoredRecord[],
    calls: async () => (await call('calls')) as Call[],
    writeCount: async () => (await call('writeCount')) as number,
    clearCalls: async () => void (await call('clearCalls')),
  };
}

/** POSTs JSON over a unix socket and resolves to the JSON answer; rejects with the answer's text on an error. */
export function postJson(socketPath: string, path: string, value: unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ socketPath, path, method: 'POST' }, (response) => {
      readBody(response).then((body) => {
        const text = body.toString('utf8');
        if (response.statusCode !== 200) reject(new Error(text));
        else resolve(JSON.parse(text));
      }, reject);
    });
    request.once('error', reject);
    request.end(JSON.stringify(value));
  });
}
