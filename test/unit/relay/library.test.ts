import type { AddressInfo } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { callLibrary } from '../../helpers/library-call.js';
import { LocalServer } from '../../helpers/local-run.js';
import { createTestCa } from '../../helpers/test-ca.js';

const ca = createTestCa();
const certificate = ca.issue('localhost');
const elsewhere = ca.issue('elsewhere.test');
afterAll(() => ca.close());

/** A relay that speaks TLS from the first byte and knows one login. */
async function listen(
  offer: string,
  tls = certificate,
): Promise<{ server: Server; port: number; said: string[] }> {
  const said: string[] = [];
  const server = createServer(tls, (socket: TLSSocket) => {
    socket.write('220 relay.test ESMTP\r\n');
    let buffer = '';
    let name: string | undefined;
    let awaited: 'nothing' | 'user' | 'password' = 'nothing';
    const answer = (line: string): string => {
      if (awaited === 'user') {
        name = line;
        awaited = 'password';
        return '334 UGFzc3dvcmQ6';
      }
      if (awaited === 'password') {
        awaited = 'nothing';
        return verdict(`\0${Buffer.from(name ?? '', 'base64')}\0${Buffer.from(line, 'base64')}`);
      }
      if (line.startsWith('EHLO')) return `250-relay.test\r\n250 ${offer}`;
      if (line === 'AUTH LOGIN') {
        awaited = 'user';
        return '334 VXNlcm5hbWU6';
      }
      if (line.startsWith('AUTH PLAIN ')) return verdict(Buffer.from(line.slice(11), 'base64').toString());
      return line === 'QUIT' ? '221 bye' : '500 what?';
    };
    socket.on('data', (data) => {
      buffer += data.toString();
      for (let end = buffer.indexOf('\n'); end >= 0; end = buffer.indexOf('\n')) {
        const line = buffer.slice(0, end).trim();
        buffer = buffer.slice(end + 1);
        said.push(line);
        socket.write(`${answer(line)}\r\n`);
      }
    });
    socket.on('error', () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, port: (server.address() as AddressInfo).port, said };
}

const verdict = (login: string) =>
  login === '\0apikey\0SG.secret with blank' ? '235 2.7.0 Welcome' : '535 5.7.8 Bad credentials';

let machine: LocalServer;
beforeEach(() => {
  machine = new LocalServer();
  machine.program('postfix', `printf '%s\\n' "$*" >>"${machine.base}/postfix.log"`);
  machine.write('/etc/ssl/certs/ca-certificates.crt', ca.ca);
});
afterEach(() => machine.remove());

const store = (port: number, mechanisms: string, login = 'apikey\nSG.secret with blank') =>
  callLibrary(
    machine,
    [['relay_store', 'server', 'localhost', String(port), 'wrapper', mechanisms, 'relay']],
    { relay: login },
  );
const file = '/etc/smtp-setup/relay/server';

describe.each(['PLAIN', 'LOGIN'])('a login of the kind %s', (mechanism) => {
  let relay: Awaited<ReturnType<typeof listen>>;
  beforeAll(async () => {
    relay = await listen(`AUTH ${mechanism} CRAM-MD5`);
  });
  afterAll(() => relay.server.close());

  it('is tried, and lies where only root reads it; Postfix learns of it, once', async () => {
    expect(await store(relay.port, 'PLAIN,LOGIN')).toMatchObject({ status: 0, changed: true });
    expect(machine.read(file)).toBe('localhost apikey:SG.secret with blank\n');
    expect([machine.modeOf(file), machine.modeOf('/etc/smtp-setup/relay')]).toEqual(['600', '700']);
    expect(relay.said.join(' ')).not.toContain('MAIL FROM');
    expect(await store(relay.port, 'PLAIN,LOGIN')).toMatchObject({ status: 0, changed: false });
    const forgotten = await callLibrary(machine, [['relay_forget', 'server']]);
    expect(forgotten).toMatchObject({ status: 0, changed: true });
    expect(machine.read(file)).toBeUndefined();
  });

  it('that is refused is not taken, and the one before stays', async () => {
    await store(relay.port, 'PLAIN,LOGIN');
    const refused = await store(relay.port, 'PLAIN,LOGIN', 'apikey\nwrong');
    expect(refused).toMatchObject({
      status: 1,
      problem: 'localhost refuses the login: 535 5.7.8 Bad credentials',
    });
    expect(refused.output).not.toContain('wrong');
    expect(machine.read(file)).toContain('SG.secret');
  });
});

describe('a relay', () => {
  const attempt = async (port: number, mechanisms = 'PLAIN') => {
    machine.write('/login', 'localhost apikey:SG.secret with blank\n');
    const { status, output } = await callLibrary(machine, [
      ['relay_try', `${machine.root}/login`, 'localhost', String(port), 'wrapper', mechanisms],
    ]);
    return { status, output: output.trim() };
  };

  it('whose certificate is for another name hears no login', async () => {
    const { server, port, said } = await listen('AUTH PLAIN', elsewhere);
    const { status, output } = await attempt(port);
    server.close();
    expect({ status, output }).toMatchObject({
      status: 4,
      output: expect.stringMatching(/^tls\tno\t.*hostname mismatch/i),
    });
    expect(said).toEqual([]);
  });

  it('whose authority nobody knows hears no login', async () => {
    const other = createTestCa();
    const { server, port, said } = await listen('AUTH PLAIN', other.issue('localhost'));
    const { status, output } = await attempt(port);
    server.close();
    other.close();
    expect({ status, output }).toMatchObject({
      status: 4,
      output: expect.stringMatching(/^tls\tno\tits certificate: /),
    });
    expect(said).toEqual([]);
  });

  it('that knows none of our mechanisms is told so', async () => {
    const { server, port } = await listen('AUTH CRAM-MD5');
    const { status, output } = await attempt(port);
    server.close();
    expect(status).toBe(4);
    expect(output).toMatch(/login\tno\tit offers no login of the kind PLAIN, but CRAM-MD5$/);
  });

  it('that nobody can trust gets no login of ours to keep', async () => {
    const { server, port } = await listen('AUTH PLAIN', elsewhere);
    const refused = await store(port, 'PLAIN');
    server.close();
    expect(refused).toMatchObject({
      status: 1,
      problem: expect.stringMatching(/cannot be trusted with a login/),
    });
    expect(machine.read(file)).toBeUndefined();
  });

  it('that does not answer is no reason to refuse a login', async () => {
    const { server, port } = await listen('AUTH PLAIN');
    server.close();
    expect(await attempt(port)).toEqual({ status: 5, output: 'connect\tno\tthe connection was refused' });
    expect(await store(port, 'PLAIN')).toMatchObject({
      status: 0,
      changed: true,
      output: expect.stringContaining('could not be tried'),
    });
  });
});
