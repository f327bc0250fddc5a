import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSsh, type SshOptions } from '../../src/ssh/connect.js';
import type { SshConnection } from '../../src/ssh/ssh2-connection.js';
import {
  makeKey,
  startSshServer,
  type TestKey,
  type TestServer,
  type TestServerOptions,
} from '../helpers/ssh-server.js';

let home: string;
let hostKey: TestKey;
let userKey: TestKey;
let server: TestServer | undefined;
let connection: SshConnection | undefined;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'smtp-setup-ssh-'));
  hostKey = await makeKey('ed25519');
  userKey = await makeKey('ed25519');
  await writeFile(join(home, 'key'), userKey.privateText, { mode: 0o600 });
});

afterEach(async () => {
  await connection?.close();
  await server?.close();
  connection = undefined;
  server = undefined;
  await rm(home, { recursive: true, force: true });
});

async function open(
  serverOptions: TestServerOptions = {},
  options: Partial<SshOptions> = {},
): Promise<SshConnection> {
  server = await startSshServer({
    hostKeys: [hostKey.privateText],
    authorized: [userKey.blob],
    ...serverOptions,
  });
  connection = await openSsh({
    target: `root@127.0.0.1:${server.port}`,
    identity: join(home, 'key'),
    hostKey: hostKey.fingerprint,
    homeDir: home,
    env: {},
    systemDir: join(home, 'etc'),
    ...options,
  });
  return connection;
}

describe('a connection', () => {
  it('runs commands and tells status, output and address', async () => {
    const ssh = await open();
    expect(await ssh.exec('echo out; echo err >&2; exit 3')).toEqual({
      code: 3,
      stdout: 'out\n',
      stderr: 'err\n',
    });
    expect(ssh.remoteAddress).toBe('127.0.0.1');
    expect(ssh.hostKey).toMatchObject({ known: 'pinned', fingerprint: hostKey.fingerprint });
    expect(ssh.roundTrips).toBe(1);
  });

  it('hands stdin to the command', async () => {
    const ssh = await open();
    expect((await ssh.exec('cat', { stdin: 'hello\n' })).stdout).toBe('hello\n');
  });
});
