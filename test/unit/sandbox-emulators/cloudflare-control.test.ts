import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectControl, controlInProcess, serveControl } from '../../../src/sandbox/cloudflare/control.js';
import { serveEmulator } from '../../../src/sandbox/cloudflare/server.js';
import { renderUpdateScript } from '../../../src/sandbox/cloudflare/zone-backend.js';
import { editToken, makeTestApi, zoneName } from './api-client.js';

describe('control socket of the Cloudflare emulator', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'emulator-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  it('does everything the methods in the process do', async () => {
    const { emulator } = makeTestApi();
    const socket = join(directory, 'control.sock');
    const server = await serveControl(controlInProcess(emulator), socket);
    const api = await serveEmulator(emulator);
    const control = connectControl(socket);
    await control.addZone({ name: 'second.test' });
    await control.seed('second.test', { type: 'A', name: '@', content: '198.51.100.1' }, { read_only: true });
    expect(await control.records('second.test')).toMatchObject([
      { name: 'second.test', meta: { read_only: true } },
    ]);
    await control.addFault({ answer: 500 });
    const headers = { authorization: `Bearer ${editToken}` };
    expect((await fetch(`${api.baseUrl}/zones`, { headers })).status).toBe(500);
    await control.addFault({ answer: 500 });
    await control.clearFaults();
    await fetch(`${api.baseUrl}/zones`, { headers, method: 'POST' });
    expect(await control.writeCount()).toBe(1);
    expect(await control.calls()).toHaveLength(2);
    await control.clearCalls();
    expect(await control.writeCount()).toBe(0);
    await control.addToken({ value: 'another-token-0123456789abcdefghijklmn', access: 'read', zones: 'all' });
    await control.expireToken(editToken);
    expect((await fetch(`${api.baseUrl}/zones`, { headers })).status).toBe(403);
    await expect(control.records('nowhere.test')).rejects.toThrow('no zone nowhere.test');
    await server.close();
    await api.close();
  });

  it('renders one update message, removals first', () => {
    const record = { name: `x.${zoneName}`, ttl: 300, type: 'A', rdata: '198.51.100.1' };
    const script = renderUpdateScript({ address: '198.51.100.53', port: 53 }, zoneName, {
      add: [{ ...record, rdata: '198.51.100.2' }],
      remove: [record],
    });
    expect(script).toBe(
      [
        'server 198.51.100.53 53',
        'zone example.test.',
        'update delete x.example.test. A 198.51.100.1',
        'update add x.example.test. 300 A 198.51.100.2',
        'send',
        'quit',
        '',
      ].join('\n'),
    );
  });
});
