import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { cacheDirFrom, createLab, type Lab } from '../../src/sandbox/index.js';
import { waitUntil } from '../../src/sandbox/machine/wait-until.js';
import { createConnector, type SshOptions } from '../../src/ssh/connect.js';
import { TRANSIENT_CODES } from '../../src/ssh/failures.js';
import { openLabBridge } from '../helpers/lab-bridge.js';
import { startSshAgent } from '../helpers/ssh-agent.js';
import { createSshFixture, type SshFixture } from '../helpers/ssh-fixture.js';
import { makeKey } from '../helpers/ssh-server.js';

/** The real thing: OpenSSH, PAM and sudo of Debian on a booted VPS. */
let lab: Lab;
let fixture: SshFixture;
let rootKey: string;
let nextPort = 2200;

beforeAll(async () => {
  lab = await createLab({ name: 'it-ssh', cacheDir: cacheDirFrom(process.env), services: [] });
  rootKey = await readFile(lab.vps.sshKeyFile, 'utf8');
  await sh(`
    apt-get update -q
    cd /tmp
    # Unpacked, not installed: fish wants Python and manual pages that no test needs.
    apt-get download -q fish fish-common libpcre2-32-0 tcsh
    for deb in *.deb; do dpkg -x "$deb" /tmp/shells; done
    cp -a /tmp/shells/usr/. /usr/; cp /tmp/shells/bin/tcsh /usr/bin/; ldconfig
    user() {
      useradd -m -s "$2" "$1"; echo "$1:pa ss" | chpasswd
      mkdir -p /home/$1/.ssh; cp /root/.ssh/authorized_keys /home/$1/.ssh/; chown -R $1 /home/$1
    }
    user bob /bin/bash; usermod -aG sudo bob
    printf '%s\\n' 'echo "welcome to the machine"; echo "and its errors" >&2' | cat - /home/bob/.bashrc > /tmp/rc
    cp /tmp/rc /home/bob/.bashrc
    user eve /bin/bash
    user free /bin/bash; user term /bin/bash; user stale /bin/bash
    user cora /usr/bin/tcsh; user finn /usr/bin/fish; user nolog /usr/sbin/nologin
    cat > /etc/sudoers.d/test <<'RULES'
free ALL=(ALL) NOPASSWD: ALL
cora ALL=(ALL) NOPASSWD: ALL
finn ALL=(ALL) ALL
term ALL=(ALL) ALL
Defaults:term requiretty
Defaults:finn lecture=always
RULES
    chage -d 0 stale
  `);
});
afterAll(async () => {
  await lab.down();
});
beforeEach(async () => {
  fixture = await createSshFixture();
  await fixture.write('key', rootKey);
});
afterEach(() => fixture.end());

async function sh(command: string): Promise<void> {
  const result = await lab.vps.exec(`set -e\n${command}`);
  expect(result, `${result.stdout}\n${result.stderr}`).toMatchObject({ code: 0 });
}

async function optionsFor(user: string, extra: Partial<SshOptions> = {}, port = 22): Promise<SshOptions> {
  const bridge = await openLabBridge(lab, lab.vps.ipv4, port);
  fixture.onEnd(() => bridge.close());
  const hostKey = lab.vps.hostKeyFingerprint;
  return fixture.options(bridge, { target: `${user}@127.0.0.1:${bridge.port}`, hostKey, ...extra });
}
const connect = async (user: string, extra: Partial<SshOptions> = {}, port = 22) =>
  fixture.open(await optionsFor(user, extra, port));
const withSudo = (password: string) => ({ prompts: { sudoPassword: async () => password } });

/** A second sshd on the VPS, with lines of its own; returns its port. */
async function startSshd(...lines: string[]): Promise<number> {
  const port = nextPort++;
  const config = [
    'HostKey /etc/ssh/ssh_host_ed25519_key',
    'UsePAM yes',
    `PidFile /run/sshd-${port}.pid`,
    ...lines,
  ];
  await sh(`printf '%s\\n' ${config.map((line) => `'${line}'`).join(' ')} > /tmp/sshd-${port}
    mkdir -p /run/sshd; /usr/sbin/sshd -f /tmp/sshd-${port} -p ${port}`);
  return port;
}

describe('OpenSSH', () => {
  it('runs commands, carries megabytes, and many at once', async () => {
    const ssh = await connect('root');
    expect((await ssh.exec('id -un')).stdout).toBe('root\n');
    const sent = await ssh.exec('wc -c', { root: true, stdin: Buffer.alloc(3_000_000) });
    expect(sent.stdout.trim()).toBe('3000000');
    const results = await Promise.all(Array.from({ length: 20 }, (_, at) => ssh.exec(`echo ${at}`)));
    expect(results.map((one) => Number(one.stdout))).toEqual(Array.from({ length: 20 }, (_, at) => at));
  });

  it('with MaxSessions 1 lets commands wait for each other', async () => {
    const ssh = await connect('root', {}, await startSshd('MaxSessions 1', 'PermitRootLogin yes'));
    const results = await Promise.all(Array.from({ length: 6 }, (_, at) => ssh.exec(`echo ${at}`)));
    expect(results.map((one) => one.stdout)).toEqual(['0\n', '1\n', '2\n', '3\n', '4\n', '5\n']);
  });

  it('never says "too many failures" to an agent with ten keys', async () => {
    const others = await Promise.all(Array.from({ length: 9 }, () => makeKey('ed25519')));
    const texts = [...others.map((key) => key.privateText), rootKey];
    const agent = await startSshAgent(join(fixture.home, 'agent'), texts);
    fixture.onEnd(() => agent.close());
    const { identity: _identity, ...options } = await optionsFor('root', {
      env: { SSH_AUTH_SOCK: agent.socket },
    });
    expect((await (await fixture.open(options)).exec('echo in')).stdout).toBe('in\n');
  });

  it('may ask for key and password both', async () => {
    const port = await startSshd('AuthenticationMethods publickey,password');
    const ssh = await connect('bob', { prompts: { password: async () => 'pa ss' } }, port);
    expect((await ssh.exec('id -un')).stdout).toBe('bob\n');
    const error = await fixture.fail(await optionsFor('bob', {}, port));
    expect(error).toMatchObject({ code: 'E_SSH_AUTH', exit: 2 });
  });

  it('may ask for the password by keyboard-interactive', async () => {
    const port = await startSshd('KbdInteractiveAuthentication yes', 'PasswordAuthentication no');
    const { identity: _identity, ...options } = await optionsFor(
      'bob',
      { prompts: { password: async () => 'pa ss' } },
      port,
    );
    expect((await (await fixture.open(options)).exec('id -un')).stdout).toBe('bob\n');
  });

  it('with post-quantum key exchange only is told apart', async () => {
    const port = await startSshd('KexAlgorithms sntrup761x25519-sha512@openssh.com');
    const error = await fixture.fail(await optionsFor('root', {}, port));
    expect(error).toMatchObject({ code: 'E_SSH_ALGORITHMS', exit: 2 });
    expect(error.evidence.join('\n')).toContain('sntrup761');
  });

  it('that is going down says so to whom it turns away, and the connector may try again', async () => {
    await sh('echo "The system is going down." > /run/nologin');
    const error = await fixture.fail(await optionsFor('bob'));
    await sh('rm /run/nologin');
    expect(error.evidence).toContain('the server said: The system is going down.');
    expect(TRANSIENT_CODES.has(error.code)).toBe(true);
  });

  it('tells an expired password', async () => {
    expect(await fixture.fail(await optionsFor('stale'))).toMatchObject({
      code: 'E_SSH_PASSWORD_EXPIRED',
      exit: 2,
    });
  });

  it.each([
    ['a nologin shell', 'nolog', []],
    ['a forced sftp', 'bob', ['ForceCommand internal-sftp', 'Subsystem sftp internal-sftp']],
  ])('tells %s', async (_title, user, lines) => {
    const port = lines.length > 0 ? await startSshd(...lines) : 22;
    expect(await fixture.fail(await optionsFor(user, {}, port))).toMatchObject({
      code: 'E_SSH_SHELL',
      exit: 2,
    });
  });

  it('is reached through itself as a jump host, and tells the address it was reached at', async () => {
    const hop = await optionsFor('root');
    const config = `Host inner\nHostName ${lab.vps.ipv4}\nUser root\nProxyJump ${hop.target}\n`;
    await fixture.write('.ssh/config', `${config}Host *\nIdentityFile ~/key\n`);
    await fixture.write(
      '.ssh/known_hosts',
      `[127.0.0.1]:${hop.target.split(':')[1]} ${await readFile(join(lab.vps.root, 'etc/ssh/ssh_host_ed25519_key.pub'), 'utf8')}`,
    );
    const ssh = await fixture.open({ ...hop, target: 'inner' });
    expect(ssh.remoteAddress).toBe(lab.vps.ipv4);
    expect((await ssh.exec('id -un')).stdout).toBe('root\n');
  });
});

describe('login shells', () => {
  it.each(['bob', 'cora', 'finn'])('of %s run the command as sh would', async (user) => {
    const ssh = await connect(user);
    const command = `printf '%s|' "a!b" 'c\\d' '\\\\' "it's" 'é€' '$HOME' '!!'\necho "two" # done\ncat; echo e >&2; exit 7`;
    expect(await ssh.exec(command, { stdin: 'in' })).toEqual({
      code: 7,
      stdout: "a!b|c\\d|\\\\|it's|é€|$HOME|!!|two\nin",
      stderr: 'e\n',
    });
  });
});

describe('sudo', () => {
  it.each([
    ['with its password, through a noisy .bashrc', 'bob', 'pa ss'],
    ['without one', 'free', 'unused'],
    ['without one, from csh', 'cora', 'unused'],
    ['with its password, from fish, after a lecture', 'finn', 'pa ss'],
  ])('makes root %s', async (_title, user, password) => {
    const ssh = await connect(user, withSudo(password));
    const result = await ssh.exec('id -u; cat; echo e >&2; exit 4', { root: true, stdin: 'in\n' });
    expect(result).toEqual({ code: 4, stdout: '0\nin\n', stderr: 'e\n' });
    expect((await ssh.exec('id -un')).stdout).toBe(`${user}\n`);
  });

  it('is given a wrong password once only, and no log has a word of it', async () => {
    const ssh = await connect('bob', withSudo('wr0ng-canary'));
    const run = ssh.exec('touch /tmp/never', { root: true, stdin: 'x' });
    await expect(run).rejects.toMatchObject({ code: 'E_SUDO_PASSWORD', exit: 2 });
    const log = await waitUntil(
      async () => {
        const { stdout } = await lab.vps.exec('journalctl -q --no-pager; ls /tmp');
        return stdout.includes('1 incorrect password attempt') && stdout;
      },
      { what: 'sudo to log the wrong password', timeoutMs: 60_000 },
    );
    expect(log).not.toMatch(/canary|[2-9] incorrect password attempt|never/);
  });

  it.each([
    ['eve', 'E_SUDO_DENIED'],
    ['term', 'E_SUDO_TTY'],
  ])('refuses %s: %s', async (user, code) => {
    const ssh = await connect(user, withSudo('pa ss'));
    await expect(ssh.exec('id', { root: true })).rejects.toMatchObject({ code, exit: 2 });
  });
});

describe('a connection over a restless network', () => {
  it('notices swallowed packets, and the connector comes back when they flow again', async () => {
    const connector = createConnector(await optionsFor('root', { keepaliveMs: 1000, timeoutMs: 5000 }));
    const first = await connector.connect();
    const cut: Promise<void>[] = [];
    const running = first.exec('echo up; sleep 600', { onStdout: () => void cut.push(lab.vps.cutLink()) });
    await expect(running).rejects.toMatchObject({ code: 'E_SSH_LOST', exit: 1 });
    await Promise.all(cut);
    const back = connector.connect();
    await lab.vps.restoreLink();
    const second = await back;
    fixture.onEnd(() => second.close());
    expect((await second.exec('echo back')).stdout).toBe('back\n');
  });

  it('survives a reboot of the server', async () => {
    const connector = createConnector(await optionsFor('root', { keepaliveMs: 500, timeoutMs: 5000 }));
    const first = await connector.connect();
    const before = (await first.exec('cat /proc/sys/kernel/random/boot_id; stat -c %Y /proc/1')).stdout;
    const running = first.exec('echo up; sleep 600').catch((error: unknown) => error);
    const [lost] = await Promise.all([running, lab.vps.reboot()]);
    expect(lost).toMatchObject({ code: 'E_SSH_LOST' });
    const second = await connector.connect();
    fixture.onEnd(() => second.close());
    expect((await second.exec('cat /proc/sys/kernel/random/boot_id; stat -c %Y /proc/1')).stdout).not.toBe(
      before,
    );
  });
});
