import { chmod, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSshFixture, type SshFixture } from '../helpers/ssh-fixture.js';

/**
 * The login user is made up by an `id` in front of PATH, and sudo by a script that reads stdin byte by byte as sudo
 * does and asks up to three times. The real sudo is met in the sandbox (test/e2e).
 */
const FAKE_ID =
  '#!/bin/sh\n[ "$1" = -u ] && { [ -n "$FAKE_UID" ] || FAKE_UID=1000; echo "$FAKE_UID"; exit; }\n';
const FAKE_SUDO = `#!/bin/sh
echo "$*" | head -1 >> "$FAKE_LOG"
mode=$FAKE_SUDO
case $mode in
  missing) echo "sh: 1: sudo: not found" >&2; exit 127;;
  tty) echo "sudo: sorry, you must have a tty to run sudo" >&2; exit 1;;
  denied) [ "$1" = -n ] || { IFS= read -r p; echo "bob is not in the sudoers file." >&2; exit 1; }; exit 1;;
esac
user=0
[ "$mode" = other ] && user=33
if [ "$1" = -n ]; then
  case $mode in nopasswd|other) shift; FAKE_UID=$user exec "$@";; esac
  echo "sudo: a password is required" >&2
  exit 1
fi
[ "$1 $2 $3 $4" = "-S -k -p " ] || { echo "usage: sudo" >&2; exit 1; }
shift 4
[ "$mode" = late-nopasswd ] && { FAKE_UID=0 exec "$@"; }
[ "$mode" = lecture ] && [ ! -e "$FAKE_LOG.lectured" ] && { echo "We trust you." >&2; : > "$FAKE_LOG.lectured"; }
[ "$mode" = lecture-always ] && echo "We trust you." >&2
for try in 1 2 3; do
  IFS= read -r p || { echo "sudo: no password was provided" >&2; exit 1; }
  echo "try:$p" >> "$FAKE_LOG"
  [ "$p" = "$FAKE_PASSWORD" ] && { FAKE_UID=$user exec "$@"; }
  echo "Sorry, try again." >&2
done
exit 1
`;

let fixture: SshFixture;
let logFile: string;
beforeEach(async () => {
  fixture = await createSshFixture();
  await mkdir(join(fixture.home, 'bin'));
  await chmod(await fixture.write('bin/id', FAKE_ID), 0o755);
  await chmod(await fixture.write('bin/sudo', FAKE_SUDO), 0o755);
  logFile = join(fixture.home, 'sudo.log');
});
afterEach(() => fixture.end());

async function connect(mode: string, password?: string, shell?: readonly string[]) {
  const env = {
    PATH: `${fixture.home}/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
    FAKE_SUDO: mode,
    FAKE_PASSWORD: "pa's $word",
    FAKE_LOG: logFile,
  };
  const server = await fixture.serve({ env, ...(shell ? { shell } : {}) });
  let asked = 0;
  const sudoPassword = async () => {
    asked++;
    return password;
  };
  const options = fixture.options(server, {
    target: `bob@127.0.0.1:${server.port}`,
    prompts: { sudoPassword },
  });
  return { ssh: await fixture.open(options), server, asked: () => asked };
}
const told = async () => (await readFile(logFile, 'utf8').catch(() => '')).split('\n');
const tries = async () => (await told()).filter((line) => line.startsWith('try:'));

describe('root', () => {
  it('needs no sudo for root', async () => {
    const server = await fixture.serve({ env: { PATH: `${fixture.home}/bin:/usr/bin:/bin`, FAKE_UID: '0' } });
    const ssh = await fixture.open(fixture.options(server));
    expect((await ssh.exec('id -u', { root: true })).stdout).toBe('0\n');
  });

  it('is not used where it was not asked for', async () => {
    const { ssh } = await connect('nopasswd');
    expect((await ssh.exec('id -u')).stdout).toBe('1000\n');
  });

  it('comes without a password where sudo wants none', async () => {
    const { ssh, asked } = await connect('nopasswd');
    const result = await ssh.exec('id -u; cat; echo e >&2; exit 4', { root: true, stdin: 'in\n' });
    expect(result).toEqual({ code: 4, stdout: '0\nin\n', stderr: 'e\n' });
    expect(asked()).toBe(0);
    expect(ssh.roundTrips).toBe(1);
  });

  it('comes with the password, asked for once, sent on stdin only', async () => {
    const { ssh, asked, server } = await connect('password', "pa's $word");
    const result = await ssh.exec('id -u; cat; echo e >&2; exit 4', { root: true, stdin: 'in\nmore' });
    expect(result).toEqual({ code: 4, stdout: '0\nin\nmore', stderr: 'e\n' });
    expect((await ssh.exec('id -u', { root: true })).stdout).toBe('0\n');
    expect(asked()).toBe(1);
    expect(server.commands.join('\n')).not.toContain('word');
  });

  it('leaves no word of the command in what sudo logs', async () => {
    const { ssh } = await connect('password', "pa's $word");
    await ssh.exec('echo SECRETISH', { root: true });
    expect((await told()).join('\n')).not.toContain('SECRETISH');
  });

  it('carries large stdin', async () => {
    const { ssh } = await connect('password', "pa's $word");
    const result = await ssh.exec('wc -c', { root: true, stdin: Buffer.alloc(2_000_000, 'x') });
    expect(result.stdout.trim()).toBe('2000000');
  });

  it('tries a wrong password once, and runs nothing of what was to follow', async () => {
    const { ssh } = await connect('password', 'wrong');
    const error = await ssh
      .exec('id -u', { root: true, stdin: 'script\n' })
      .catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'E_SUDO_PASSWORD', exit: 2 });
    expect(JSON.stringify(error)).not.toContain('wrong');
    expect(await tries()).toEqual(['try:wrong']);
    expect((await ssh.exec('echo alive')).stdout).toBe('alive\n');
  });

  it('never runs the password as a command when sudo no longer wants one', async () => {
    const { ssh } = await connect('late-nopasswd', 'echo executed');
    const result = await ssh.exec('id -u', { root: true });
    expect(result).toMatchObject({ code: 0, stdout: '0\n', stderr: '' });
  });

  it.each(['lecture', 'lecture-always'])('is reached in spite of a %s', async (mode) => {
    const { ssh } = await connect(mode, "pa's $word");
    expect((await ssh.exec('id -u', { root: true, stdin: 'x' })).stdout).toBe('0\n');
    expect((await ssh.exec('id -u', { root: true })).stdout).toBe('0\n');
  });

  it('is reached through a noisy login shell', async () => {
    const noisy = ['/bin/sh', '-c', 'date +%N; date +%N >&2; exec sh -c "$0"'];
    const { ssh } = await connect('password', "pa's $word", noisy);
    expect(await ssh.exec('id -u', { root: true })).toEqual({ code: 0, stdout: '0\n', stderr: '' });
    expect(await tries()).toHaveLength(1);
  });

  it.each([
    ['missing', 'E_SUDO_MISSING'],
    ['tty', 'E_SUDO_TTY'],
    ['denied', 'E_SUDO_DENIED'],
    ['other', 'E_SUDO_NOT_ROOT'],
  ])('%s: %s', async (mode, code) => {
    const { ssh } = await connect(mode, "pa's $word");
    await expect(ssh.exec('id -u', { root: true })).rejects.toMatchObject({ code, exit: 2 });
  });

  it.each([
    ['missing', 'E_SUDO_MISSING'],
    ['tty', 'E_SUDO_TTY'],
  ])('%s, with no password to give: %s', async (mode, code) => {
    const { ssh } = await connect(mode);
    await expect(ssh.exec('id -u', { root: true })).rejects.toMatchObject({ code, exit: 2 });
  });

  it('says so when there is no password to give', async () => {
    const { ssh } = await connect('password');
    await expect(ssh.exec('id -u', { root: true })).rejects.toMatchObject({ code: 'E_SUDO_PASSWORD_NEEDED' });
    expect(await tries()).toEqual([]);
  });
});
