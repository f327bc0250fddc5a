import { existsSync, mkdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { before } from '../../../src/facts/before.js';
import { call, file, LocalServer, step } from '../../helpers/local-run.js';

let server: LocalServer;
beforeEach(() => {
  server = new LocalServer();
});
afterEach(() => server.remove());

const extra = { 'zz-test.sh': 'demo_die() { kill -9 $$; }\ndemo_leave() { rm -f "$ROOT/run/demo"; }\n' };
const run = (steps: ReturnType<typeof step>[], generation: number) =>
  server.execute(steps, generation, [], extra);
const store = (path: string) => join(server.state, 'before', path);
const list = () => readFileSync(store('list'), 'utf8').trim().split('\n');

function write(path: string, content: string, expect = 'absent') {
  return step(
    'files-demo',
    [
      call('group_begin', 'demo'),
      call('put', path, '0644', file(path, '').owner, expect),
      call('group_swap'),
      call('group_reload'),
      call('group_done'),
    ],
    [file(path, content)],
  );
}

const uninstall = (...more: ReturnType<typeof call>[]) =>
  step('uninstall', [
    call('uninstall_units', 'demo.service', 'web.service'),
    call('uninstall_components', 'demo', 'other-one'),
    call('uninstall_files'),
    ...more,
    call('uninstall_services', 'demo.service', 'web.service'),
    call('uninstall_end'),
  ]);

const sha = async (text: string) => (await import('../../../src/lib/sha256.js')).sha256(text);

describe('what the server was before', () => {
  it('is kept at the first write, whatever comes later', async () => {
    server.write('/etc/demo/main.cf', 'theirs\n', 0o600);
    await run([write('/etc/demo/main.cf', 'ours\n', await sha('theirs\n'))], 0);
    await run([write('/etc/demo/main.cf', 'ours, newer\n', await sha('ours\n'))], 1);
    await run([write('/etc/demo/deep/er/new.cf', 'ours\n')], 2);
    expect(list()).toEqual([
      'file /etc/demo/main.cf',
      'folder /etc/demo/deep/er',
      'folder /etc/demo/deep',
      'absent /etc/demo/deep/er/new.cf',
    ]);
    expect(readFileSync(store('tree/etc/demo/main.cf'), 'utf8')).toBe('theirs\n');
  });

  it('is not made up on a server that an earlier version set up', async () => {
    server.write('/etc/smtp-setup/users', '');
    await run([write('/etc/demo/main.cf', 'ours\n')], 0);
    expect(existsSync(store('list'))).toBe(false);
  });

  it('is what the small files replaced, too', async () => {
    server.write('/etc/hostname', 'old\n');
    await run([step('name', [call('small_file', `${server.root}/etc/hostname`, 'mail.example.org')])], 0);
    expect(list()).toEqual(['file /etc/hostname']);
  });

  it('counts the packages from where an installation that was cut began', async () => {
    server.program('dpkg-query', `cat "${server.base}/dpkg"`);
    const dpkg = (...names: string[]) =>
      writeFileSync(join(server.base, 'dpkg'), names.map((name) => `ii |${name}\n`).join(''));
    dpkg('exim4', 'openssh-server');
    await run([step('one', [call('before_packages_begin'), call('demo_die')])], 0);
    dpkg('openssh-server', 'postfix');
    await run([step('two', [call('before_packages_begin')])], 1);
    dpkg('openssh-server', 'postfix', 'rspamd');
    await run([step('three', [call('before_packages_end')])], 2);
    expect(readFileSync(store('installed'), 'utf8')).toBe('postfix\nrspamd\n');
    expect(readFileSync(store('removed'), 'utf8')).toBe('exim4\n');
  });

  it('is read by the client, strangers to a path left out', () => {
    const stdout =
      'known\n--\n/etc/a\n/etc/../b\nrelative\n--\n/etc/c d\n/etc/e\n--\npostfix\n$(id)\n--\nexim4\n';
    expect(before.parse({ code: 0, stdout })).toEqual({
      replaced: ['/etc/a'],
      added: ['/etc/e'],
      installed: ['postfix'],
      removed: ['exim4'],
    });
    expect(before.parse({ code: 0, stdout: '' })).toBeUndefined();
  });
});

describe('uninstall', () => {
  async function setUp() {
    server.write('/etc/demo/main.cf', 'theirs\n', 0o600);
    mkdirSync(join(server.root, 'etc/demo'), { recursive: true });
    symlinkSync('../run/stub', join(server.root, 'etc/resolv.conf'));
    await run(
      [
        write('/etc/demo/main.cf', 'ours\n', await sha('theirs\n')),
        step('more', [
          call('before_keep', '/etc/resolv.conf'),
          call('small_file', `${server.root}/etc/resolv.conf`, 'nameserver 127.0.0.1'),
          call('small_file', `${server.root}/etc/mailname`, 'example.org'),
        ]),
      ],
      0,
    );
    server.write('/etc/smtp-setup/users', 'ada@example.org:{X}\n');
    server.write('/run/demo', '');
    server.write('/var/vmail/example.org/ada/Maildir/cur/1', 'mail\n');
    server.activate('demo.service');
  }

  it('notes what was enabled by its links', async () => {
    const units = join(server.root, 'etc/systemd/system');
    mkdirSync(join(units, 'multi-user.target.wants'), { recursive: true });
    mkdirSync(join(units, 'web.service.d'));
    symlinkSync('/lib/systemd/system/ssh.service', join(units, 'multi-user.target.wants/ssh.service'));
    symlinkSync('/lib/systemd/system/ssh.service', join(units, 'sshd.service'));
    symlinkSync('/lib/systemd/system/vmail.service', join(units, 'mail.service'));
    await run([step('nothing', [])], 0);
    expect(readFileSync(store('enabled'), 'utf8').trim().split('\n').sort()).toEqual([
      'ssh.service',
      'ssh.service',
      'vmail.service',
    ]);
  });

  it('puts files, links and modes back, stops what did not run, and keeps mail and lists', async () => {
    await setUp();
    server.activate('web.service');
    writeFileSync(store('active'), 'web.service\n');
    writeFileSync(store('enabled'), 'web.service\n');
    const { status } = await run([uninstall()], 1);
    expect(status).toBe(0);
    expect(server.read('/etc/demo/main.cf')).toBe('theirs\n');
    expect(server.modeOf('/etc/demo/main.cf')).toBe('600');
    expect(readlinkSync(join(server.root, 'etc/resolv.conf'))).toBe('../run/stub');
    expect(server.tree()).toEqual([
      '/etc/demo/main.cf',
      '/etc/resolv.conf',
      '/var/vmail/example.org/ada/Maildir/cur/1',
    ]);
    expect([server.isActive('demo.service'), server.isActive('web.service')]).toEqual([false, true]);
    expect(server.manifest).toBe('absent');
    expect(server.tree(join(server.state, 'kept')).join()).toMatch(/\/etc\/smtp-setup\/users$/);
    expect(existsSync(store('list'))).toBe(false);
  });

  it('is finished by the next run when it was killed midway, and then there is nothing to do', async () => {
    await setUp();
    await run([uninstall(call('demo_die'))], 1);
    expect(server.manifest).not.toBe('absent');
    const { status } = await run([uninstall()], 2);
    expect(status).toBe(0);
    expect(server.read('/etc/demo/main.cf')).toBe('theirs\n');
    expect(server.manifest).toBe('absent');
  });

  it('loses no mail that waits', async () => {
    await setUp();
    for (const name of ['maildrop', 'incoming', 'active', 'deferred', 'hold'])
      mkdirSync(join(server.root, 'var/spool/postfix', name), { recursive: true });
    server.write('/var/spool/postfix/deferred/A/A1B2', 'mail');
    server.activate('postfix.service');
    const refused = await run([step('queue', [call('uninstall_queue', '0')])], 1);
    expect(refused.result?.message).toBe('1 messages wait in the queue; they would be lost');
    expect(server.isActive('postfix.service')).toBe(true);
    expect((await run([step('queue', [call('uninstall_queue', '1')])], 2)).status).toBe(0);
    expect(server.isActive('postfix.service')).toBe(false);
  });

  it('removes the packages that came with us and that nobody else needs, and brings back those that gave way', async () => {
    await setUp();
    writeFileSync(store('installed'), 'nginx\npostfix\n');
    writeFileSync(store('removed'), 'exim4\n');
    server.program('dpkg-query', "printf 'ii |%s\\n' nginx postfix site");
    server.program('dpkg', ':');
    server.program('apt-mark', ':');
    // `site` needs nginx; an orphan of somebody else's is none of our business.
    server.program(
      'apt-get',
      `printf '%s\\n' "$*" >>"${server.base}/apt.log"
case "$*" in *-s*autoremove*) printf 'Remv postfix [1]\\nRemv orphan [1]\\n' ;; *-s*purge*) echo 'Purg postfix [1]' ;; esac`,
    );
    const { status, log } = await run([step('packages', [call('uninstall_packages')])], 1);
    expect(status, log).toBe(0);
    const calls = readFileSync(join(server.base, 'apt.log'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.replace(/-o \S+ /g, '').replace(/^-q /, ''));
    expect(calls).toEqual([
      '-s autoremove',
      '-s purge postfix',
      '-y purge postfix',
      'update',
      '-y install exim4',
    ]);
  });

  it('clears away what removed packages left, and nothing that others brought before, meanwhile or since', async () => {
    const made = (path: string) => mkdirSync(join(server.root, path), { recursive: true });
    made('etc/theirs/empty');
    writeFileSync(join(server.base, 'dpkg'), 'ii |site\n');
    server.program('dpkg-query', `cat "${server.base}/dpkg"`);
    await run([step('before', [call('before_packages_begin')])], 0);
    for (const path of ['etc/app/conf.d', 'etc/owned']) made(path);
    server.write('/etc/used/file', '');
    writeFileSync(join(server.base, 'dpkg'), 'ii |app\nii |site\n');
    await run([step('installed', [call('before_packages_end')])], 1);
    made('etc/later');
    writeFileSync(store('active'), 'was.service\n');
    const units = [
      'app.service',
      'app@1.service',
      'old.service',
      'was.service',
      'theirs.service',
      'fine.service',
    ];
    for (const unit of units) server.activate(unit);
    server.program(
      'systemctl',
      `case $1 in
list-units)
  for unit in app.service app@1.service old.service was.service theirs.service; do echo "$unit not-found active"; done
  echo 'fine.service loaded active' ;;
stop) rm -f "${server.base}/active/$2" ;;
esac`,
    );
    server.program(
      'dpkg',
      `case $1 in
-L) [ "$2" = app ] && printf '%s\\n' /usr/bin/app /lib/systemd/system/app.service /usr/lib/systemd/system/app@.service \\
  /lib/systemd/system/was.service /lib/systemd/system/fine.service /etc/init.d/old ;;
-S) [ "$2" = "${server.root}/etc/owned" ] ;;
esac`,
    );
    server.program('apt-mark', ':');
    server.program(
      'apt-get',
      `case "$*" in
*-s*autoremove*) echo 'Remv app [1]' ;;
*-s*purge*) echo 'Purg app [1]' ;;
*purge*) echo 'ii |site' >"${server.base}/dpkg"; [ ! -e "${server.base}/cut" ] ;;
esac`,
    );
    // Cut when the packages have gone: the next run finds none of them, and still what they left.
    writeFileSync(join(server.base, 'cut'), '');
    expect((await run([step('cut', [call('uninstall_packages')])], 2)).status).toBe(1);
    expect((await run([step('packages', [call('uninstall_packages')])], 3)).status).toBe(0);
    expect(units.filter((unit) => server.isActive(unit))).toEqual([
      'was.service',
      'theirs.service',
      'fine.service',
    ]);
    const folders = ['etc/theirs/empty', 'etc/app', 'etc/owned', 'etc/used', 'etc/later'];
    expect(folders.filter((path) => existsSync(join(server.root, path)))).toEqual([
      'etc/theirs/empty',
      'etc/owned',
      'etc/used',
      'etc/later',
    ]);
  });

  it('closes the ports that it opened in a filter of somebody else, and no others', async () => {
    await setUp();
    const log = join(server.base, 'filter.log');
    server.program(
      'ufw',
      `[ "$1" = show ] || { printf '%s\\n' "ufw $*" >>"${log}"; exit; }
printf "ufw allow 22/tcp\\nufw allow 25/tcp comment 'smtp-setup'\\nufw allow 80/tcp comment 'mine'\\n"`,
    );
    server.program('firewall-cmd', `printf '%s\\n' "firewall-cmd $*" >>"${log}"`);
    await run([step('open', [call('firewall_open_firewalld', '465')])], 1);
    writeFileSync(log, '');
    expect((await run([step('leave', [call('firewall_leave')])], 2)).status).toBe(0);
    expect(readFileSync(log, 'utf8').trim().split('\n')).toEqual([
      'ufw delete allow 25/tcp',
      'firewall-cmd --state',
      'firewall-cmd --quiet --permanent --remove-port=465/tcp',
      'firewall-cmd --quiet --remove-port=465/tcp',
    ]);
  });
});
