import { describe, expect, it } from 'vitest';
import { closeServer, listen } from '../../../src/sandbox/cloudflare/server.js';
import { createPanelServer, openPanel } from '../../../src/sandbox/panel/panel.js';

function makePanel() {
  const ptr = new Map<string, string | undefined>();
  const dns = { setPtr: async (ip: string, name: string | undefined) => void ptr.set(ip, name) };
  return { ptr, panel: openPanel(dns, ['198.51.100.25', '2001:db8::25']) };
}

describe('panel of the VPS provider', () => {
  it('sets and removes the reverse name of an own address', async () => {
    const { panel, ptr } = makePanel();
    await panel.setPtr('198.51.100.25', 'mail.example.test');
    await panel.setPtr('2001:db8::25', 'mail.example.test.');
    expect([...ptr]).toEqual([
      ['198.51.100.25', 'mail.example.test'],
      ['2001:db8::25', 'mail.example.test.'],
    ]);
    await panel.setPtr('198.51.100.25', undefined);
    expect(ptr.get('198.51.100.25')).toBeUndefined();
  });

  it.each([
    ['198.51.100.26', 'mail.example.test'],
    ['mail', 'mail.example.test'],
    ['198.51.100.25', 'mail example'],
    ['198.51.100.25', 'a\nb'],
    ['198.51.100.25', ''],
  ])('refuses %j for %j', async (ip, name) => {
    const { panel, ptr } = makePanel();
    await expect(panel.setPtr(ip, name)).rejects.toThrow();
    expect(ptr.size).toBe(0);
  });

  it('does the same over HTTP', async () => {
    const { panel, ptr } = makePanel();
    const server = createPanelServer(panel);
    const { port } = await listen(server, { host: '127.0.0.1', port: 0 });
    const send = async (method: string, path: string, body?: string): Promise<number> =>
      (await fetch(`http://127.0.0.1:${port}${path}`, { method, ...(body === undefined ? {} : { body }) }))
        .status;
    expect(await send('PUT', '/ptr/198.51.100.25', '{"name":"mail.example.test"}')).toBe(204);
    expect(await send('PUT', '/ptr/2001%3Adb8%3A%3A25', '{"name":"mail.example.test"}')).toBe(204);
    expect(ptr.size).toBe(2);
    expect(await send('DELETE', '/ptr/198.51.100.25')).toBe(204);
    expect(ptr.get('198.51.100.25')).toBeUndefined();
    expect(await send('PUT', '/ptr/198.51.100.99', '{"name":"x.test"}')).toBe(400);
    expect(await send('PUT', '/ptr/198.51.100.25', '{}')).toBe(400);
    expect(await send('PUT', '/ptr/198.51.100.25', 'nonsense')).toBe(400);
    expect(await send('GET', '/ptr/198.51.100.25')).toBe(405);
    expect(await send('GET', '/other')).toBe(404);
    await closeServer(server);
  });
});
