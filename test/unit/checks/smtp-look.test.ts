import { X509Certificate } from 'node:crypto';
import net from 'node:net';
import tls from 'node:tls';
import { afterAll, describe, expect, it } from 'vitest';
import type { SmtpLook } from '../../../src/checks/dns/smtp-probe.js';
import { createSmtpProbe } from '../../../src/checks/smtp-look.js';
import { connectPort } from '../../helpers/smtp-port.js';
import { createTestCa } from '../../helpers/test-ca.js';

const ca = createTestCa();
const host = 'mail.example.org';
const certificate = ca.issue(host);
const leaf = new X509Certificate(certificate.cert).raw;
afterAll(() => ca.close());

/** A server that greets, answers EHLO with these keywords, and goes over to TLS when it offers that. */
function talk(socket: net.Socket, keywords: readonly string[]): void {
  socket.on('error', () => undefined);
  socket.write(`220 ${host} ESMTP\r\n`);
  socket.on('data', (data) => {
    const command = data.toString().trim();
    if (command.startsWith('EHLO'))
      socket.write(['250-hello', ...keywords.map((word) => `250-${word}`), '250 8BITMIME', ''].join('\r\n'));
    if (command !== 'STARTTLS') return;
    socket.removeAllListeners('data');
    socket.write('220 go\r\n', () => {
      const secure = new tls.TLSSocket(socket, { isServer: true, ...certificate });
      secure.on('error', () => undefined);
    });
  });
}

async function look(
  server: net.Server,
  port: 25 | 465,
  options: { servername?: string; trusted?: boolean } = {},
): Promise<SmtpLook> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port: actual } = server.address() as net.AddressInfo;
  const probe = createSmtpProbe({
    ehloName: 'checker.invalid',
    timeout: 5000,
    ...(options.trusted === false ? {} : { ca: ca.ca }),
  });
  try {
    return await connectPort(actual, () =>
      probe({ address: '127.0.0.1', port, servername: options.servername ?? host }),
    );
  } finally {
    server.close();
  }
}
const starttls = () => net.createServer((socket) => talk(socket, ['STARTTLS']));

describe('a look at a mail port', () => {
  it('shows the served certificate behind STARTTLS', async () => {
    const seen = await look(starttls(), 25);
    expect(seen).toMatchObject({ ok: true, tls: true });
    if (!seen.ok) throw new Error(seen.detail);
    expect(seen.version).toMatch(/^TLSv1\.[23]$/);
    expect(seen.cipher).toMatch(/^TLS_|^ECDHE-/);
    expect(seen.untrusted).toBeUndefined();
    expect(Buffer.from(seen.chain[0] ?? [])).toEqual(leaf);
    expect(seen.validTo ?? 0).toBeGreaterThan(Date.now());
    expect(seen.validFrom ?? Number.NaN).toBeLessThanOrEqual(Date.now());
  });

  it('and on 465, where TLS comes first', async () => {
    const server = tls.createServer(certificate, (socket) => socket.write(`220 ${host} ESMTP\r\n`));
    const seen = await look(server, 465);
    expect(seen).toMatchObject({ ok: true, tls: true });
  });

  it('says why a certificate would not be trusted', async () => {
    expect(await look(starttls(), 25, { trusted: false })).toMatchObject({ untrusted: expect.any(String) });
    expect(await look(starttls(), 25, { servername: 'other.example.org' })).toMatchObject({
      untrusted: expect.any(String),
    });
  });

  it('tells a server without TLS, a closed port and a broken conversation apart', async () => {
    expect(
      await look(
        net.createServer((socket) => talk(socket, [])),
        25,
      ),
    ).toEqual({
      ok: true,
      tls: false,
      chain: [],
    });
    expect(
      await look(
        net.createServer((socket) => socket.end()),
        25,
      ),
    ).toMatchObject({ reason: 'broken' });
    const free = net.createServer();
    await new Promise<void>((resolve) => free.listen(0, '127.0.0.1', resolve));
    const { port } = free.address() as net.AddressInfo;
    await new Promise((resolve) => free.close(resolve));
    const probe = createSmtpProbe({ ehloName: 'checker.invalid', timeout: 5000 });
    const closed = await connectPort(port, () => probe({ address: '127.0.0.1', port: 25, servername: host }));
    expect(closed).toMatchObject({ ok: false, reason: 'refused' });
  });
});
