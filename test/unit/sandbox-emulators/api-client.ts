import { CloudflareEmulator, type EmulatorOptions } from '../../../src/sandbox/cloudflare/emulator.js';
import { createMemoryBackend, type MemoryBackend } from '../../../src/sandbox/cloudflare/zone-backend.js';

export const editToken = 'edit-token-0123456789abcdefghijklmnopq';
export const readToken = 'read-token-0123456789abcdefghijklmnopq';
export const zoneName = 'example.test';
export const zoneId = `${'0'.repeat(31)}1`;

export interface Answer {
  status: number;
  headers: Readonly<Record<string, string>>;
  // biome-ignore lint/suspicious/noExplicitAny: answers of an HTTP API, looked into freely by tests
  body: any;
  text: string;
}

export interface TestApi {
  emulator: CloudflareEmulator;
  backend: MemoryBackend;
  send(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** Below the zone's dns_records. */
  records(method: string, path: string, body?: unknown): Promise<Answer>;
  served(name: string): string[];
}

/** The emulator without its transport, with one zone and two tokens. */
export function makeTestApi(options: EmulatorOptions = {}): TestApi {
  const backend = createMemoryBackend();
  const now = () => new Date('2026-11-24T00:00:00Z');
  const emulator = new CloudflareEmulator({ backend, now, ...options });
  emulator.addZone({ name: zoneName, id: zoneId });
  emulator.addToken({ value: editToken, access: 'edit', zones: 'all' });
  emulator.addToken({ value: readToken, access: 'read', zones: 'all' });
  const send: TestApi['send'] = async (method, path, body, headers = {}) => {
    const answer = await emulator.answer({
      method,
      url: `/client/v4${path}`,
      headers: {
        authorization: `Bearer ${editToken}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body ?? '')),
    });
    if (answer === 'reset') return { status: 0, headers: {}, body: undefined, text: '' };
    const json = answer.headers['content-type']?.includes('json');
    return {
      status: answer.status,
      headers: answer.headers,
      body: json ? JSON.parse(answer.body) : undefined,
      text: answer.body,
    };
  };
  return {
    emulator,
    backend,
    send,
    records: (method, path, body) => send(method, `/zones/${zoneId}/dns_records${path}`, body),
    served: (name) =>
      backend
        .records(zoneName)
        .filter((record) => record.name === name)
        .map(({ ttl, type, rdata }) => `${ttl} ${type} ${rdata}`)
        .sort(),
  };
}
