import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SetupError } from '../../src/errors.js';
import { openSsh, type SshOptions } from '../../src/ssh/connect.js';
import type { SshConnection } from '../../src/ssh/ssh2-connection.js';
import {
  makeKey,
  startSshServer,
  type TestKey,
  type TestServer,
  type TestServerOptions,
} from './ssh-server.js';

/** A home directory, a host key, a user key, servers: all that a test of the SSH room needs, cleaned up together. */
export interface SshFixture {
  home: string;
  hostKey: TestKey;
  userKey: TestKey;
  log: string[];
  serve(options?: TestServerOptions): Promise<TestServer>;
  /** Options that log in to `server` as root with the user key and the pinned host key. */
  options(server: { port: number }, extra?: Partial<SshOptions>): SshOptions;
  open(options: SshOptions): Promise<SshConnection>;
  /** The SetupError that opening ends with. */
  fail(options: SshOptions): Promise<SetupError>;
  write(name: string, text: string): Promise<string>;
  onEnd(work: () => Promise<void>): void;
  end(): Promise<void>;
}

export async function createSshFixture(): Promise<SshFixture> {
  const home = await mkdtemp(join(tmpdir(), 'smtp-setup-ssh-'));
  const hostKey = await makeKey('ed25519');
  const userKey = await makeKey('ed25519');
  const cleanups: (() => Promise<void>)[] = [];
  const log: string[] = [];
  await mkdir(join(home, '.ssh'), { mode: 0o700 });
  await writeFile(join(home, 'key'), userKey.privateText, { mode: 0o600 });
  const open = async (options: SshOptions) => {
    const connection = await openSsh(options);
    cleanups.push(() => connection.close());
    return connection;
  };
  return {
    home,
    hostKey,
    userKey,
    log,
    async serve(options = {}) {
      const server = await startSshServer({
        hostKeys: [hostKey.privateText],
        authorized: [userKey.blob],
        ...options,
      });
      cleanups.push(() => server.close());
      return server;
    },
    options: (server, extra = {}) => ({
      target: `root@127.0.0.1:${server.port}`,
      identity: join(home, 'key'),
      hostKey: hostKey.fingerprint,
      homeDir: home,
      env: {},
      systemDir: join(home, 'etc'),
      log: (_level, message) => void log.push(message),
      ...extra,
    }),
    open,
    async fail(options) {
      try {
        await open(options);
      } catch (error) {
        if (error instanceof Error && error.name === 'SetupError') return error as SetupError;
        throw error;
      }
      throw new Error('the login succeeded');
    },
    async write(name, text) {
      await writeFile(join(home, name), text, { mode: 0o600 });
      return join(home, name);
    },
    onEnd: (work) => void cleanups.push(work),
    async end() {
      for (const work of cleanups.reverse()) await work();
      await rm(home, { recursive: true, force: true });
    },
  };
}
