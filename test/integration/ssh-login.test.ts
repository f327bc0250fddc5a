import { readFile, stat, symlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { rememberHostKey } from '../../src/ssh/remember-host-key.js';
import { startSshAgent } from '../helpers/ssh-agent.js';
import { createSshFixture, type SshFixture } from '../helpers/ssh-fixture.js';
import { makeKey, type TestKey } from '../helpers/ssh-server.js';

let fixture: SshFixture;
beforeEach(async () => {
  fixture = await createSshFixture();
});
afterEach(() => fixture.end());

const knownHosts = () => join(fixture.home, '.ssh/known_hosts');
const fileKey = (port: number, key: TestKey, marker = '') =>
  fixture.write('.ssh/known_hosts', `${marker}[127.0.0.1]:${port} ${key.publicText}\n`);

describe('the host key', () => {
  it('on file is accepted, and where it is told', async () => {
    const server = await fixture.serve();
    await fileKey(server.port, fixture.hostKey);
    const { hostKey: _pin, ...options } = fixture.options(server);
    const ssh = await fixture.open(options);
    expect(ssh.hostKey).toMatchObject({ known: 'known', source: `${knownHosts()}:1` });
  });

  it('unknown, with nobody to ask: stops before any login attempt and names fingerprint and flag', async () => {
    const server = await fixture.serve();
    const { hostKey: _pin, ...options } = fixture.options(server);
    const error = await fixture.fail(options);
    expect(error).toMatchObject({ code: 'E_HOST_KEY_UNKNOWN', exit: 2 });
    expect(error.fix.join('\n')).toContain(`--host-key ${fixture.hostKey.fingerprint}`);
    expect(server.attempts).toEqual([]);
  });

  it('unknown: is asked about, and only remembered by rememberHostKey', async () => {
    const server = await fixture.serve();
    const asked: string[][] = [];
    const { hostKey: _pin, ...options } = fixture.options(server, {
      prompts: { confirmHostKey: async (...about) => asked.push(about) > 0 },
    });
    const ssh = await fixture.open(options);
    expect(asked).toEqual([[`127.0.0.1 port ${server.port}`, fixture.hostKey.fingerprint, 'ssh-ed25519']]);
    expect(ssh.hostKey.known).toBe('confirmed');
    await expect(stat(knownHosts())).rejects.toThrow('ENOENT');

    expect(await rememberHostKey(ssh.hostKey)).toBe(true);
    expect(await rememberHostKey(ssh.hostKey)).toBe(false);
    expect((await stat(knownHosts())).mode & 0o777).toBe(0o600);
    const { prompts: _prompts, ...silent } = options;
    expect((await fixture.open(silent)).hostKey.known).toBe('known');
  });

  it('unknown and declined: nothing was sent', async () => {
    const server = await fixture.serve();
    const { hostKey: _pin, ...options } = fixture.options(server, {
      prompts: { confirmHostKey: async () => false },
    });
    expect(await fixture.fail(options)).toMatchObject({ code: 'E_HOST_KEY_DECLINED', exit: 130 });
    expect(server.attempts).toEqual([]);
  });

  it('unknown with StrictHostKeyChecking yes: is not asked about', async () => {
    const server = await fixture.serve();
    await fixture.write('.ssh/config', 'StrictHostKeyChecking yes\n');
    const { hostKey: _pin, ...options } = fixture.options(server, {
      prompts: { confirmHostKey: () => Promise.reject(new Error('asked')) },
    });
    expect(await fixture.fail(options)).toMatchObject({ code: 'E_HOST_KEY_UNKNOWN' });
  });

  it('changed: is a hard stop that names both fingerprints, file and line, and asks nobody', async () => {
    const server = await fixture.serve();
    const old = await makeKey('ed25519');
    await fileKey(server.port, old);
    const { hostKey: _pin, ...options } = fixture.options(server, {
      prompts: { confirmHostKey: () => Promise.reject(new Error('asked')) },
    });
    const error = await fixture.fail(options);
    expect(error).toMatchObject({ code: 'E_HOST_KEY_CHANGED', exit: 2 });
    const evidence = error.evidence.join('\n');
    expect(evidence).toContain(fixture.hostKey.fingerprint);
    expect(evidence).toContain(old.fingerprint);
    expect(evidence).toContain(`${knownHosts()}:1`);
    expect(server.attempts).toEqual([]);
  });

  it('revoked: is a hard stop even when pinned', async () => {
    const server = await fixture.serve();
    await fileKey(server.port, fixture.hostKey, '@revoked ');
    expect(await fixture.fail(fixture.options(server))).toMatchObject({ code: 'E_HOST_KEY_REVOKED' });
  });

  it('is asked for in the type on file, so that no false alarm appears', async () => {
    const rsa = await makeKey('rsa');
    const server = await fixture.serve({ hostKeys: [fixture.hostKey.privateText, rsa.privateText] });
    await fileKey(server.port, rsa);
    const { hostKey: _pin, ...options } = fixture.options(server);
    expect((await fixture.open(options)).hostKey).toMatchObject({
      known: 'known',
      fingerprint: rsa.fingerprint,
    });
  });

  it('may be pinned by the fingerprint of any of the server’s keys', async () => {
    const rsa = await makeKey('rsa');
    const server = await fixture.serve({ hostKeys: [fixture.hostKey.privateText, rsa.privateText] });
    const ssh = await fixture.open(fixture.options(server, { hostKey: rsa.fingerprint }));
    expect(ssh.hostKey).toMatchObject({ known: 'pinned', fingerprint: rsa.fingerprint });
  });

  it('other than the pinned one: stops and names what was presented', async () => {
    const server = await fixture.serve();
    const other = await makeKey('ed25519');
    const error = await fixture.fail(fixture.options(server, { hostKey: other.fingerprint }));
    expect(error).toMatchObject({ code: 'E_HOST_KEY_MISMATCH', exit: 2 });
    expect(error.evidence.join('\n')).toContain(fixture.hostKey.fingerprint);
    expect(server.attempts).toEqual([]);
  });

  it('cannot be checked when known_hosts is unreadable: fails closed', async () => {
    const server = await fixture.serve();
    // A directory in its place: root reads any file, so a mode would prove nothing here.
    await fixture.write('.ssh/config', `UserKnownHostsFile ${fixture.home}/.ssh\n`);
    expect(await fixture.fail(fixture.options(server))).toMatchObject({
      code: 'E_KNOWN_HOSTS_UNREADABLE',
      exit: 2,
    });
  });

  it('is found in spite of a corrupt line, of which a warning tells', async () => {
    const server = await fixture.serve();
    await fixture.write(
      '.ssh/known_hosts',
      `rubbish\n[127.0.0.1]:${server.port} ${fixture.hostKey.publicText}`,
    );
    const { hostKey: _pin, ...options } = fixture.options(server);
    await fixture.open(options);
    expect(fixture.log.join('\n')).toContain('known_hosts:1 is not a valid');
  });

  it('goes into a file without a last newline, through a symbolic link, with a hashed name', async () => {
    const server = await fixture.serve();
    const real = await fixture.write('hosts', '# no newline at the end');
    await symlink(real, knownHosts());
    await fixture.write('.ssh/config', 'HashKnownHosts yes\n');
    const ssh = await fixture.open(fixture.options(server));
    await rememberHostKey(ssh.hostKey);
    const text = await readFile(real, 'utf8');
    expect(text).toMatch(/^# no newline at the end\n\|1\|[^ ]+\|[^ ]+ ssh-ed25519 [^ ]+\n$/);
    const { hostKey: _pin, ...options } = fixture.options(server);
    expect((await fixture.open(options)).hostKey.known).toBe('known');
  });

  it('that cannot be filed is told with the line to add', async () => {
    const server = await fixture.serve();
    const ssh = await fixture.open(fixture.options(server));
    await expect(rememberHostKey({ ...ssh.hostKey, file: `${fixture.home}/key/x` })).rejects.toMatchObject({
      code: 'E_KNOWN_HOSTS_WRITE',
      fix: [expect.stringContaining('ssh-ed25519')],
    });
  });
});

describe('keys', () => {
  it.each(['ed25519', 'rsa', 'ecdsa'] as const)('of type %s log in', async (type) => {
    const key = await makeKey(type);
    const server = await fixture.serve({ authorized: [key.blob] });
    await fixture.write('key', key.privateText);
    await fixture.open(fixture.options(server));
    expect(server.attempts[0]).toBe('none');
  });

  it('that are refused: names what was tried and what the server accepts', async () => {
    const server = await fixture.serve({ authorized: [(await makeKey('ed25519')).blob] });
    const error = await fixture.fail(fixture.options(server));
    expect(error).toMatchObject({ code: 'E_SSH_AUTH', exit: 2 });
    const evidence = error.evidence.join('\n');
    expect(evidence).toContain('the server accepts: publickey');
    expect(evidence).toContain(`${fixture.home}/key: ssh-ed25519 ${fixture.userKey.fingerprint}`);
    expect(error.fix.join('\n')).toContain('ssh-copy-id');
  });

  it('that are encrypted ask for the passphrase once the server wants them', async () => {
    const locked = await makeKey('ed25519', 'right');
    const other = await makeKey('ed25519', 'other');
    const server = await fixture.serve({ authorized: [locked.blob] });
    await fixture.write('.ssh/id_ed25519', other.privateText);
    await fixture.write('.ssh/id_ecdsa', locked.privateText);
    const asked: string[] = [];
    const answers = ['wrong', 'right'];
    const { identity: _identity, ...options } = fixture.options(server, {
      prompts: {
        passphrase: async (file) => {
          asked.push(file);
          return answers.shift();
        },
      },
    });
    await fixture.open(options);
    expect(asked).toEqual([`${fixture.home}/.ssh/id_ecdsa`, `${fixture.home}/.ssh/id_ecdsa`]);
  });

  it('that stay locked after three tries end the login', async () => {
    const locked = await makeKey('ed25519', 'right');
    const server = await fixture.serve({ authorized: [locked.blob] });
    await fixture.write('key', locked.privateText);
    let asked = 0;
    const passphrase = async () => {
      asked++;
      return 'wrong';
    };
    const error = await fixture.fail(fixture.options(server, { prompts: { passphrase } }));
    expect(error).toMatchObject({ code: 'E_SSH_PASSPHRASE', exit: 2 });
    expect(error.fix.join('\n')).toContain('SMTP_SETUP_SSH_PASSPHRASE');
    expect(asked).toBe(3);
  });

  it.each([
    ['missing', undefined, 'no such file'],
    ['the public half', 'public', 'public half'],
    ['a directory', 'directory', 'not a file'],
    ['encrypted, with nobody to ask', 'locked', 'nobody to ask'],
    ['of an unknown format', 'rubbish', 'format is unknown'],
  ])('given by flag but %s: told before anything else', async (_title, what, reason) => {
    const server = await fixture.serve();
    let identity = join(fixture.home, 'absent');
    if (what === 'public') identity = await fixture.write('key.pub', fixture.userKey.publicText);
    if (what === 'directory') identity = fixture.home;
    if (what === 'locked')
      identity = await fixture.write('locked', (await makeKey('ed25519', 'x')).privateText);
    if (what === 'rubbish') identity = await fixture.write('rubbish', 'rubbish');
    const error = await fixture.fail(fixture.options(server, { identity }));
    expect(error).toMatchObject({ code: 'E_SSH_KEY_FILE', exit: 2 });
    expect(error.message).toContain(reason);
    if (what === 'locked') expect(error.fix.join('\n')).toContain('SMTP_SETUP_SSH_PASSPHRASE');
    expect(server.attempts).toEqual([]);
  });

  it('of the configuration that cannot be used are told when the login fails', async () => {
    const server = await fixture.serve({ authorized: [] });
    await fixture.write('ppk', 'PuTTY-User-Key-File-3: ssh-ed25519\n');
    await fixture.write(
      '.ssh/config',
      `IdentityFile ~/ppk\nIdentityFile ~/none\nCertificateFile ~/c-cert.pub\n`,
    );
    const { identity: _identity, ...options } = fixture.options(server);
    const evidence = (await fixture.fail(options)).evidence.join('\n');
    expect(evidence).toContain('PuTTY key of format version 3');
    expect(evidence).toContain('no such file');
    expect(evidence).toContain('certificates cannot be presented');
  });

  it('are found through a Host alias of ssh_config', async () => {
    const server = await fixture.serve();
    const config = `Host box\n  HostName 127.0.0.1\n  Port ${server.port}\n  User root\n  IdentityFile ~/key\n`;
    await fixture.write('.ssh/config', config);
    const { identity: _identity, ...options } = fixture.options(server, { target: 'box' });
    expect((await fixture.open(options)).target).toEqual({
      host: '127.0.0.1',
      port: server.port,
      user: 'root',
    });
  });
});

describe('the agent', () => {
  it('with ten keys: all are tried without "too many failures"', async () => {
    const keys = await Promise.all(Array.from({ length: 10 }, () => makeKey('ed25519')));
    const agent = await startSshAgent(
      join(fixture.home, 'agent'),
      keys.map((key) => key.privateText),
    );
    fixture.onEnd(() => agent.close());
    const server = await fixture.serve({ authorized: [keys[9]!.blob], maxAuthTries: 6 });
    const { identity: _identity, ...options } = fixture.options(server, {
      env: { SSH_AUTH_SOCK: agent.socket },
    });
    await fixture.open(options);
    expect(agent.signatures()).toBe(1);
  });

  it('signs for the key file that names one of its keys, first of all and without a passphrase', async () => {
    const keys = await Promise.all(Array.from({ length: 10 }, () => makeKey('rsa')));
    const right = await makeKey('ed25519');
    const texts = [...keys, right].map((key) => key.privateText);
    const agent = await startSshAgent(join(fixture.home, 'agent'), texts);
    fixture.onEnd(() => agent.close());
    const server = await fixture.serve({ authorized: [right.blob], maxAuthTries: 2 });
    const identity = await fixture.write('right.pub', right.publicText);
    await fixture.open(fixture.options(server, { identity, env: { SSH_AUTH_SOCK: agent.socket } }));
    expect(server.attempts).toEqual(['none', 'publickey ssh-ed25519', 'publickey ssh-ed25519']);
  });

  it('signs with RSA and SHA-2', async () => {
    const rsa = await makeKey('rsa');
    const agent = await startSshAgent(join(fixture.home, 'agent'), [rsa.privateText]);
    fixture.onEnd(() => agent.close());
    const server = await fixture.serve({ authorized: [rsa.blob] });
    const { identity: _identity, ...options } = fixture.options(server, {
      env: { SSH_AUTH_SOCK: agent.socket },
    });
    await fixture.open(options);
  });

  it('is left out with IdentitiesOnly, and with IdentityAgent none', async () => {
    const agent = await startSshAgent(join(fixture.home, 'agent'), [fixture.userKey.privateText]);
    fixture.onEnd(() => agent.close());
    const server = await fixture.serve();
    const { identity: _identity, ...options } = fixture.options(server, {
      env: { SSH_AUTH_SOCK: agent.socket },
    });
    for (const line of ['IdentitiesOnly yes\n', 'IdentityAgent none\n']) {
      await fixture.write('.ssh/config', line);
      expect(await fixture.fail(options)).toMatchObject({ code: 'E_SSH_AUTH' });
    }
    expect(server.attempts.filter((one) => one.startsWith('publickey'))).toEqual([]);
  });

  it('that is dead is told when the login fails, and stops nothing otherwise', async () => {
    const server = await fixture.serve();
    const env = { SSH_AUTH_SOCK: join(fixture.home, 'dead') };
    await fixture.open(fixture.options(server, { env }));
    const { identity: _identity, ...options } = fixture.options(server, { env });
    expect((await fixture.fail(options)).evidence.join('\n')).toContain('agent does not answer');
  });
});

describe('passwords', () => {
  const passwords = (...answers: string[]) => ({ password: async () => answers.shift() });

  it('log in where there is no key', async () => {
    const server = await fixture.serve({ authorized: [], password: 'pw' });
    const { identity: _identity, ...options } = fixture.options(server, { prompts: passwords('no', 'pw') });
    await fixture.open(options);
  });

  it('that are wrong twice end the login', async () => {
    const server = await fixture.serve({ authorized: [], password: 'pw', maxAuthTries: 3 });
    const { identity: _identity, ...options } = fixture.options(server, {
      prompts: passwords('a', 'b', 'c'),
    });
    const error = await fixture.fail(options);
    expect(error).toMatchObject({ code: 'E_SSH_AUTH', exit: 2 });
    expect(error.fix.join('\n')).toContain('SMTP_SETUP_SSH_PASSWORD');
    expect(JSON.stringify([error.evidence, error.fix, error.message, fixture.log])).not.toMatch(/"[abc]"/);
  });

  it('are not asked for when the server takes none', async () => {
    const server = await fixture.serve({ authorized: [] });
    const prompts = { password: () => Promise.reject(new Error('asked')) };
    const { identity: _identity, ...options } = fixture.options(server, { prompts });
    expect((await fixture.fail(options)).evidence).toContain('the server accepts: publickey');
  });

  it('answer keyboard-interactive prompts', async () => {
    const server = await fixture.serve({
      authorized: [],
      keyboardPrompts: ['Password: '],
      keyboardAnswers: ['pw'],
    });
    const { identity: _identity, ...options } = fixture.options(server, { prompts: passwords('pw') });
    await fixture.open(options);
  });

  it('and codes the server asks for are passed on', async () => {
    const server = await fixture.serve({
      authorized: [],
      keyboardPrompts: ['Password: ', 'Code\u001b[31m: '],
      keyboardAnswers: ['pw', '123456'],
    });
    const asked: string[] = [];
    const question = async (_host: string, text: string) => {
      asked.push(text);
      return '123456';
    };
    const { identity: _identity, ...options } = fixture.options(server, {
      prompts: { ...passwords('pw'), question },
    });
    await fixture.open(options);
    expect(asked).toEqual(['Code:']);
  });

  it('that have expired are told', async () => {
    const keyboardPrompts = ['(current) UNIX password: '];
    const server = await fixture.serve({ authorized: [], keyboardPrompts, keyboardAnswers: ['never given'] });
    const { identity: _identity, ...options } = fixture.options(server, { prompts: passwords('pw') });
    expect(await fixture.fail(options)).toMatchObject({ code: 'E_SSH_PASSWORD_EXPIRED', exit: 2 });
  });

  it('complete a key where the server wants both', async () => {
    const server = await fixture.serve({ password: 'pw', bothFactors: true });
    await fixture.open(fixture.options(server, { prompts: passwords('pw') }));
    expect(server.attempts).toEqual(['none', 'publickey ssh-ed25519', 'publickey ssh-ed25519', 'password']);
  });
});

describe('a jump host', () => {
  it('is passed with its own key and host key check', async () => {
    const inner = await fixture.serve();
    const hopKey = await makeKey('ed25519');
    const hop = await fixture.serve({ hostKeys: [hopKey.privateText], allowForwarding: true });
    const config = `Host box\nHostName 127.0.0.1\nPort ${inner.port}\nUser root\nProxyJump me@127.0.0.1:${hop.port}\nHost *\nIdentityFile ~/key\n`;
    await fixture.write('.ssh/config', config);
    const { identity: _identity, ...options } = fixture.options(inner, { target: 'box' });
    const unknown = await fixture.fail(options);
    expect(unknown).toMatchObject({ code: 'E_HOST_KEY_UNKNOWN' });
    expect(unknown.message).toContain(`port ${hop.port}`);
    expect(inner.attempts).toEqual([]);

    await fileKey(hop.port, hopKey);
    const ssh = await fixture.open(options);
    expect((await ssh.exec('echo through')).stdout).toBe('through\n');
    expect(ssh.hostKeys.map((one) => one.known)).toEqual(['known', 'pinned']);
    hop.cut();
    await expect(ssh.exec('echo')).rejects.toMatchObject({ code: 'E_SSH_LOST' });
  });

  it('never gets the password that is there for the server', async () => {
    const inner = await fixture.serve({ authorized: [], password: 'pw' });
    const hop = await fixture.serve({ authorized: [], password: 'pw', allowForwarding: true });
    await fileKey(hop.port, fixture.hostKey);
    const given = { password: async () => 'pw' };
    const { identity: _identity, ...direct } = fixture.options(inner, { given });
    await fixture.open(direct);
    await fixture.write(
      '.ssh/config',
      `Host box\nHostName 127.0.0.1\nPort ${inner.port}\nUser root\nProxyJump me@127.0.0.1:${hop.port}\n`,
    );
    expect(await fixture.fail({ ...direct, target: 'box' })).toMatchObject({ code: 'E_SSH_AUTH' });
    expect(hop.attempts).not.toContain('password');
  });

  it('that cannot reach the target is told', async () => {
    const hop = await fixture.serve();
    await fileKey(hop.port, fixture.hostKey);
    await fixture.write(
      '.ssh/config',
      `Host box\nProxyJump root@127.0.0.1:${hop.port}\nHost *\nIdentityFile ~/key\n`,
    );
    const { identity: _identity, ...options } = fixture.options(hop, { target: 'box' });
    expect(await fixture.fail(options)).toMatchObject({ code: 'E_SSH_JUMP', exit: 2 });
  });
});

describe('what is no usable SSH server', () => {
  const listen = async (answer: string | 'silence' | 'hang up', thenEnd = false) => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      if (answer === 'hang up') socket.destroy();
      else if (answer !== 'silence') socket.write(answer, 'latin1');
      if (thenEnd) socket.end();
      fixture.onEnd(async () => void socket.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    fixture.onEnd(() => new Promise((resolve) => server.close(() => resolve())));
    const address = server.address();
    return { port: typeof address === 'object' && address ? address.port : 0 };
  };

  it('nothing listens', async () => {
    const server = await fixture.serve();
    await server.close();
    expect(await fixture.fail(fixture.options(server))).toMatchObject({ code: 'E_SSH_REFUSED', exit: 2 });
  });

  it('the name does not resolve', async () => {
    const options = fixture.options({ port: 1 }, { target: 'root@no-such-host.invalid' });
    expect(await fixture.fail(options)).toMatchObject({ code: 'E_SSH_DNS', exit: 2 });
  });

  it('it says nothing', async () => {
    const server = await listen('silence');
    expect(await fixture.fail(fixture.options(server, { timeoutMs: 200 }))).toMatchObject({
      code: 'E_SSH_TIMEOUT',
    });
  });

  it('it hangs up', async () => {
    const server = await listen('hang up');
    expect(await fixture.fail(fixture.options(server))).toMatchObject({
      code: 'E_SSH_HANDSHAKE_CUT',
      exit: 2,
    });
  });

  it('it speaks HTTP', async () => {
    const server = await listen('HTTP/1.1 400 Bad Request\r\n\r\n');
    const error = await fixture.fail(fixture.options(server));
    expect(error).toMatchObject({ code: 'E_SSH_NOT_SSH', exit: 2, evidence: ['HTTP/1.1 400 Bad Request'] });
  });

  it('it greets in another language', async () => {
    const server = await listen('220 mail.example ESMTP\r\n', true);
    const error = await fixture.fail(fixture.options(server));
    expect(error).toMatchObject({ code: 'E_SSH_NOT_SSH', exit: 2, evidence: ['220 mail.example ESMTP'] });
  });

  it('it only has post-quantum key exchange', async () => {
    const kexinit = postQuantumOnly();
    const server = await listen(kexinit);
    const error = await fixture.fail(fixture.options(server));
    expect(error).toMatchObject({ code: 'E_SSH_ALGORITHMS', exit: 2 });
    expect(error.evidence.join('\n')).toContain('mlkem768x25519-sha256');
  });

  it('the login is cancelled', async () => {
    const server = await listen('silence');
    const abort = new AbortController();
    const failed = fixture.fail(fixture.options(server, { signal: abort.signal }));
    abort.abort();
    expect(await failed).toMatchObject({ code: 'E_CANCELLED', exit: 130 });
  });
});

/** Identification and KEXINIT (RFC 4253 7.1) of a server that offers nothing but mlkem and sntrup. */
function postQuantumOnly(): string {
  const list = (names: string) => Buffer.concat([Buffer.from([0, 0, 0, names.length]), Buffer.from(names)]);
  const payload = Buffer.concat([
    Buffer.from([20]),
    Buffer.alloc(16, 1),
    list('mlkem768x25519-sha256,sntrup761x25519-sha512@openssh.com'),
    list('ssh-ed25519'),
    ...Array.from({ length: 2 }, () => list('aes256-gcm@openssh.com')),
    ...Array.from({ length: 2 }, () => list('hmac-sha2-256')),
    ...Array.from({ length: 2 }, () => list('none')),
    ...Array.from({ length: 2 }, () => list('')),
    Buffer.from([0, 0, 0, 0, 0]),
  ]);
  const padding = 8 - ((payload.length + 5) % 8) + 8;
  const head = Buffer.alloc(5);
  head.writeUInt32BE(payload.length + padding + 1, 0);
  head[4] = padding;
  return Buffer.concat([Buffer.from('SSH-2.0-Future\r\n'), head, payload, Buffer.alloc(padding)]).toString(
    'latin1',
  );
}
