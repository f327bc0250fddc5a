import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createConnector } from '../../src/ssh/connect.js';
import { startDelayProxy } from '../helpers/delay-proxy.js';
import { createSshFixture, type SshFixture } from '../helpers/ssh-fixture.js';

let fixture: SshFixture;
beforeEach(async () => {
  fixture = await createSshFixture();
});
afterEach(() => fixture.end());

const connect = async (serverOptions = {}) => {
  const server = await fixture.serve(serverOptions);
  return { server, ssh: await fixture.open(fixture.options(server)) };
};

describe('exec', () => {
  it('tells status, output and address, and counts what was run', async () => {
    const { ssh } = await connect();
    expect(ssh.roundTrips).toBe(0);
    const result = await ssh.exec('echo out; echo err >&2; exit 3');
    expect(result).toEqual({ code: 3, stdout: 'out\n', stderr: 'err\n' });
    expect(ssh.roundTrips).toBe(1);
    expect(ssh.remoteAddress).toBe('127.0.0.1');
    expect(ssh.target).toMatchObject({ host: '127.0.0.1', user: 'root' });
  });

  it('tells the signal that ended a command', async () => {
    const { ssh } = await connect({ shell: ['/bin/bash', '-c'] });
    expect(await ssh.exec('kill -TERM $$')).toMatchObject({ code: null, signal: 'SIGTERM' });
  });

  it('hands over stdin as text, bytes and a stream, and closes it', async () => {
    const { ssh } = await connect();
    const bytes = Buffer.alloc(300_000, 7);
    expect((await ssh.exec('cat')).stdout).toBe('');
    expect((await ssh.exec('cat', { stdin: 'h\u00e9llo\n' })).stdout).toBe('h\u00e9llo\n');
    expect((await ssh.exec('sha256sum', { stdin: bytes })).stdout).toContain(
      createHash('sha256').update(bytes).digest('hex'),
    );
    async function* parts() {
      for (let at = 0; at < 5; at++) yield Buffer.from(`${at}`);
    }
    expect((await ssh.exec('cat', { stdin: parts() })).stdout).toBe('01234');
  });

  it('draws from a stream only as fast as the command reads', async () => {
    const { ssh } = await connect();
    let drawn = 0;
    const abort = new AbortController();
    async function* endless() {
      for (;;) {
        drawn++;
        yield Buffer.alloc(65_536);
      }
    }
    // The command reads nothing: what fits into the buffers on the way is drawn, then nothing more.
    const run = ssh.exec('echo started; exec sleep 60', {
      stdin: endless(),
      signal: abort.signal,
      onStdout: () => undefined,
    });
    const settled = run.catch((error: unknown) => error);
    let before = -1;
    while (before !== drawn) {
      before = drawn;
      await ssh.exec('echo a round trip passes');
    }
    expect(drawn).toBeLessThan(200);
    abort.abort();
    expect(await settled).toMatchObject({ code: 'E_CANCELLED' });
  });

  it('lets a command end before it has read its stdin', async () => {
    const { ssh } = await connect();
    const result = await ssh.exec('head -c 3; exit 0', { stdin: Buffer.alloc(4_000_000, 'x') });
    expect(result).toMatchObject({ code: 0, stdout: 'xxx' });
  });

  it('ends the command when the stream that feeds it fails', async () => {
    const { ssh } = await connect();
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('a');
      throw new Error('the file went away');
    }
    await expect(ssh.exec('cat', { stdin: broken() })).rejects.toThrow('the file went away');
  });

  it('tells output as it arrives', async () => {
    const { ssh } = await connect();
    const seen: string[] = [];
    let release: () => void = () => undefined;
    const first = new Promise<void>((resolve) => {
      release = resolve;
    });
    async function* afterFirst() {
      await first;
      yield Buffer.from('go\n');
    }
    // The second line is only printed when the first was already reported.
    const result = await ssh.exec('echo one; read x; echo two', {
      stdin: afterFirst(),
      onStdout: (chunk) => {
        seen.push(chunk.toString());
        release();
      },
    });
    expect(seen.join('')).toBe('one\ntwo\n');
    expect(result.stdout).toBe('one\ntwo\n');
  });

  it('cuts off a server that sends too much', async () => {
    const { ssh } = await connect();
    const run = ssh.exec('yes', { maxOutput: 100_000 });
    await expect(run).rejects.toMatchObject({ code: 'E_SSH_OUTPUT', exit: 1 });
    expect((await ssh.exec('echo still here')).stdout).toBe('still here\n');
  });

  it('can be cancelled before and while it runs; the connection stays', async () => {
    const { ssh, server } = await connect();
    const early = AbortSignal.abort();
    await expect(ssh.exec('echo never', { signal: early })).rejects.toMatchObject({
      code: 'E_CANCELLED',
      exit: 130,
    });
    expect(server.commands.some((line) => line.includes('never'))).toBe(false);
    const abort = new AbortController();
    const run = ssh.exec('echo up; sleep 60', { signal: abort.signal, onStdout: () => abort.abort() });
    await expect(run).rejects.toMatchObject({ code: 'E_CANCELLED', exit: 130 });
    expect((await ssh.exec('echo still here')).stdout).toBe('still here\n');
  });
});

describe('the login shell', () => {
  it.each([
    [
      'noise on both outputs, without a last newline',
      ['/bin/sh', '-c', 'echo motd; printf news; echo err >&2; exec sh -c "$0"'],
    ],
    ['a restricted bash', ['/bin/bash', '-r', '-c']],
    ['a shell that echoes its commands', ['/bin/sh', '-vxc']],
  ])('may be %s', async (_title, shell) => {
    const { ssh } = await connect({ shell });
    const result = await ssh.exec('printf "%s\\n" "a!b\\\\c" \'$x\'; cat; echo e >&2; exit 7', {
      stdin: 'in',
    });
    expect(result).toMatchObject({ code: 7, stdout: 'a!b\\c\n$x\nin', stderr: 'e\n' });
  });

  it.each([
    ['nologin', ['/bin/sh', '-c', 'echo "This account is currently not available."; exit 1']],
    [
      'an internal-sftp ForceCommand',
      ['/bin/sh', '-c', 'echo "This service allows sftp connections only."; exit 1'],
    ],
    ['a forced command that never mentions ours', ['/bin/sh', '-c', 'echo backup ok']],
  ])('is refused when it is %s', async (_title, shell) => {
    const server = await fixture.serve({ shell });
    const error = await fixture.fail(fixture.options(server));
    expect(error).toMatchObject({ code: 'E_SSH_SHELL', exit: 2 });
    expect(error.evidence.join('\n')).toMatch(/not available|sftp connections only|backup ok/);
  });
});

describe('a server with few sessions', () => {
  it.each([1, 2, 3])('MaxSessions %i: commands wait for each other', async (maxSessions) => {
    const { ssh } = await connect({ maxSessions });
    const runs = Array.from({ length: 7 }, (_, at) => ssh.exec(`echo ${at}`));
    const results = await Promise.all(runs);
    expect(results.map((one) => one.stdout)).toEqual(['0\n', '1\n', '2\n', '3\n', '4\n', '5\n', '6\n']);
  });

  it('never has more than eight at once', async () => {
    const { ssh, server } = await connect();
    let most = 0;
    const look = () => {
      most = Math.max(most, server.sessions());
    };
    // Each lives on after its first word, so that others are seen beside it however slow the machine is.
    await Promise.all(Array.from({ length: 16 }, () => ssh.exec('echo; exec sleep 1', { onStdout: look })));
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(8);
  });

  it('is told apart when it allows none at all', async () => {
    const server = await fixture.serve({ maxSessions: 0 });
    expect(await fixture.fail(fixture.options(server))).toMatchObject({ code: 'E_SSH_CHANNEL' });
  });
});

describe('a line that breaks', () => {
  it('fails running and later commands with E_SSH_LOST', async () => {
    const { ssh, server } = await connect();
    const running = ssh.exec('echo up; sleep 60', { onStdout: () => server.cut() });
    await expect(running).rejects.toMatchObject({ code: 'E_SSH_LOST', exit: 1 });
    await expect(ssh.exec('echo')).rejects.toMatchObject({ code: 'E_SSH_LOST' });
    await ssh.close();
  });

  it('is noticed by keepalives when packets are swallowed', async () => {
    const server = await fixture.serve();
    const proxy = await startDelayProxy({ host: '127.0.0.1', port: server.port }, 0);
    fixture.onEnd(() => proxy.close());
    const ssh = await fixture.open(fixture.options(proxy, { keepaliveMs: 500 }));
    const running = ssh.exec('echo up; sleep 60', { onStdout: () => proxy.freeze() });
    const error = await running.catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'E_SSH_LOST', exit: 1 });
    expect(error).toMatchObject({ evidence: [expect.stringContaining('three keepalives')] });
  });

  it('is opened again by the connector, which asks nothing twice', async () => {
    const server = await fixture.serve({ authorized: [], password: 'pw' });
    const proxy = await startDelayProxy({ host: '127.0.0.1', port: server.port }, 0);
    fixture.onEnd(() => proxy.close());
    const asked: string[] = [];
    const {
      hostKey: _pin,
      identity: _identity,
      ...options
    } = fixture.options(proxy, {
      log: (_level, message) => {
        fixture.log.push(message);
        proxy.admit();
      },
      prompts: {
        confirmHostKey: async () => asked.push('host key') > 0,
        password: async () => {
          asked.push('password');
          return 'pw';
        },
      },
    });
    const connector = createConnector(options);
    const first = await connector.connect();
    proxy.refuse();
    proxy.cut();
    await expect(first.exec('echo')).rejects.toMatchObject({ code: 'E_SSH_LOST' });
    const second = await connector.connect();
    fixture.onEnd(() => second.close());
    expect((await second.exec('echo back')).stdout).toBe('back\n');
    expect(asked).toEqual(['host key', 'password']);
    expect(fixture.log.join('\n')).toContain('Trying again in');
  });

  it('closes twice without complaint, and refuses commands afterwards', async () => {
    const { ssh } = await connect();
    await ssh.close();
    await ssh.close();
    await expect(ssh.exec('echo')).rejects.toMatchObject({ code: 'E_SSH_LOST' });
  });
});

describe('a slow line', () => {
  it('works through the delaying proxy', async () => {
    const server = await fixture.serve();
    const proxy = await startDelayProxy({ host: '127.0.0.1', port: server.port }, 20);
    fixture.onEnd(() => proxy.close());
    const ssh = await fixture.open(fixture.options(proxy));
    expect((await ssh.exec('cat', { stdin: 'far away' })).stdout).toBe('far away');
    expect(proxy.bytes()).toBeGreaterThan(1000);
  });
});
