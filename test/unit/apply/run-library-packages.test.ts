import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sha256 } from '../../../src/lib/sha256.js';
import { call, file, LocalServer, owner, step } from '../../helpers/local-run.js';

let server: LocalServer;
beforeEach(() => {
  server = new LocalServer();
  const log = `printf '%s %s\\n' "\${0##*/}" "$*" >>"${server.base}/calls.log"`;
  const installed = `${server.base}/installed`;
  server.program('sleep', log);
  server.program('cloud-init', 'echo "status: done"');
  server.program('debconf-set-selections', `${log}; cat >>"${server.base}/preseed"`);
  server.program(
    'dpkg-query',
    `for name; do :; done; grep -qx "$name" "${installed}" 2>/dev/null && printf 'ii '`,
  );
  server.program(
    'dpkg',
    `${log}; [ "$1" = --audit ] && [ -e "${server.base}/broken" ] && echo broken; case "$*" in *--configure*) rm -f "${server.base}/broken" ;; esac; exit 0`,
  );
  server.program(
    'apt-get',
    `${log}; printf '%s\\n' "$DEBIAN_FRONTEND $NEEDRESTART_MODE" >"${server.base}/environment"
for word; do last=$word; done
case " $* " in
  *' update '*)
    n=$(cat "${server.base}/update-fails" 2>/dev/null || echo 0)
    [ "$n" -gt 0 ] && { echo $((n - 1)) >"${server.base}/update-fails"; echo "E: Could not get lock"; exit 100; }
    exit 0 ;;
  *' -s '*) cat "${server.base}/simulation" 2>/dev/null; exit "$(cat "${server.base}/simulation-status" 2>/dev/null || echo 0)" ;;
  *' --download-only '*)
    case "$*" in *--no-remove*) grep -q '^Remv' "${server.base}/simulation" && { echo 'E: Packages need to be removed but remove is disabled.'; exit 100; } ;; esac
    n=$(cat "${server.base}/download-fails" 2>/dev/null || echo 0)
    [ "$n" -gt 0 ] && { echo $((n - 1)) >"${server.base}/download-fails"; echo 'E: Failed to fetch'; exit 100; }
    echo "$(grep -c '^Inst [^ ]* \\[' "${server.base}/simulation") upgraded, 2 newly installed, $(grep -c '^Remv' "${server.base}/simulation") to remove and 0 not upgraded." ;;
  *' -y install '*)
    printf '%s\\n' "$SYSTEMD_OFFLINE" >"${server.base}/offline"
    n=$(cat "${server.base}/install-fails" 2>/dev/null || echo 0)
    [ "$n" -gt 0 ] && { echo $((n - 1)) >"${server.base}/install-fails"; : >"${server.base}/broken"; echo "E: Sub-process /usr/bin/dpkg returned an error code (1)"; exit 100; }
    for word; do case $word in [a-z]*) printf '%s\\n' "$word" >>"${installed}" ;; esac; done ;;
esac`,
  );
});
afterEach(() => server.remove());

const install = (...names: string[]) =>
  server.execute([step('packages', [call('packages_install', ...names)])]);

function calls(): string[] {
  const file = join(server.base, 'calls.log');
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
}
const aptCalls = () =>
  calls()
    .filter((line) => line.startsWith('apt-get '))
    .map((line) => line.replace(/-o \S+ ?|-q /g, '').replace('apt-get ', ''));

/** A number or text for one of the stand-ins. */
function set(name: string, value: string | number): void {
  server.write(`/../${name}`, `${value}\n`);
}

/** A process that holds a file as apt does. */
async function holdLock(path: string) {
  const holder = spawn('perl', [
    '-e',
    'use Fcntl; open(my $f, "+<", $ARGV[0]) or die; fcntl($f, F_SETLK, pack("s s x4 q q i x4", F_WRLCK, SEEK_SET, 0, 0, 0)) or die "$!"; $| = 1; print "held\\n"; sleep 600',
    path,
  ]);
  await once(holder.stdout, 'data');
  return holder;
}

describe('packages_install', () => {
  it('updates, simulates, installs, without a question', async () => {
    const { result, events } = await install('postfix', 'rspamd');
    expect(result).toMatchObject({ code: 0, changed: true });
    expect(aptCalls()).toEqual(['update', '-s install postfix rspamd', '-y install postfix rspamd']);
    expect(calls().find((line) => line.includes('-y install'))).toContain('--force-confold');
    expect(readFileSync(join(server.base, 'environment'), 'utf8').trim()).toBe('noninteractive l');
    expect(readFileSync(join(server.base, 'preseed'), 'utf8')).toContain('select No configuration');
    expect(events.filter(([kind]) => kind === 'progress').map(([, , text]) => text)).toEqual([
      'Fetching the package lists',
      'Downloading and unpacking 0 packages',
    ]);
  });

  it('leaves systemd alone while packages are only added, and has it read their units once', async () => {
    set('simulation', 'Inst postfix (3.7.11-0+deb12u1 Debian:12.1/stable [amd64])');
    await install('postfix');
    expect(readFileSync(join(server.base, 'offline'), 'utf8').trim()).toBe('1');
    expect(server.systemctlCalls).toEqual(['daemon-reload']);
  });

  it('lets maintainer scripts restart what they upgrade', async () => {
    set('simulation', 'Inst libssl3 [3.0.1] (3.0.2 Debian:12.1/stable [amd64])\nInst postfix (3.7.11)');
    await install('postfix');
    expect(readFileSync(join(server.base, 'offline'), 'utf8').trim()).toBe('0');
    expect(server.systemctlCalls).toEqual([]);
  });

  it('judges and downloads as one what several steps install', async () => {
    set('simulation', 'Inst postfix (3.7.11)\nInst rspamd (3.4)');
    const both = [call('packages_fetch', 'postfix', 'rspamd'), call('packages_install', 'rspamd')];
    const { result } = await server.execute([
      step('early', both),
      step('packages', [call('packages_install', 'postfix')]),
    ]);
    expect(result?.code).toBe(0);
    expect(aptCalls()).toEqual([
      'update',
      '-y install --download-only --no-remove postfix rspamd',
      '-y install --no-remove rspamd',
      '-y install --no-remove postfix',
    ]);
    expect(readFileSync(join(server.base, 'offline'), 'utf8').trim()).toBe('1');
  });

  it.each([
    ['replaces', 'Remv exim4-base [4.96]\nInst postfix (3.7.11)\nInst rspamd (3.4)', 2, 3],
    ['upgrades', 'Inst libssl3 [3.0.1] (3.0.2)\nInst postfix (3.7.11)\nInst rspamd (3.4)', 1, 2],
  ])('judges each step by itself where apt %s something', async (_what, simulation, downloads, judged) => {
    set('simulation', simulation);
    const both = [call('packages_fetch', 'postfix', 'rspamd'), call('packages_install', 'rspamd')];
    const { result } = await server.execute([
      step('early', both),
      step('packages', [call('packages_install', 'postfix')]),
    ]);
    expect(result?.code).toBe(0);
    expect(aptCalls().filter((line) => line.includes('--download-only'))).toHaveLength(downloads);
    expect(aptCalls().filter((line) => line.startsWith('-y install --no-remove'))).toEqual([]);
    expect(aptCalls().filter((line) => line.startsWith('-s '))).toHaveLength(judged);
  });

  it.each([
    [2, 0, undefined],
    [3, 1, /cannot be downloaded: .*E: Failed to fetch/],
  ])('tries a download that stops three times (%i failures)', async (failures, code, message) => {
    set('simulation', 'Inst postfix (3.7.11)');
    set('download-fails', failures);
    const { result } = await server.execute([
      step('packages', [call('packages_fetch', 'postfix'), call('packages_install', 'postfix')]),
    ]);
    expect(result?.code).toBe(code);
    if (message !== undefined) expect(result?.message).toMatch(message);
  });

  it('refuses what would remove packages of somebody else before anything is downloaded', async () => {
    set('simulation', 'Remv their-server [1.0]\nInst postfix (3.7.11)');
    const { result } = await server.execute([
      step('packages', [call('packages_fetch', 'postfix'), call('packages_install', 'postfix')]),
    ]);
    expect(result).toMatchObject({
      code: 1,
      message: 'apt would remove packages that are not ours: their-server',
    });
    expect(aptCalls().filter((line) => line.includes('install') && !line.includes('--no-remove'))).toEqual([
      '-s install postfix',
    ]);
  });

  it('does nothing when all are there', async () => {
    set('installed', 'postfix');
    const { result } = await install('postfix');
    expect(result).toMatchObject({ code: 0, changed: false });
    expect(aptCalls()).toEqual([]);
  });

  it('installs only what is missing', async () => {
    set('installed', 'postfix');
    await install('postfix', 'rspamd');
    expect(aptCalls().at(-1)).toBe('-y install rspamd');
  });

  describe('of a Postfix that has no main.cf', () => {
    const path = '/etc/postfix/main.cf';
    const list = () => readFileSync(join(server.state, 'before/list'), 'utf8');
    beforeEach(() => server.write('/etc/postfix/master.cf', 'smtp inet\n'));

    it('leaves one with which nothing listens, and which the next plan knows as ours', async () => {
      await install('postfix');
      expect(server.read(path)).toContain('\nmaster_service_disable = inet\n');
      expect(server.modeOf(path)).toBe('644');
      const { manifest } = server;
      expect(typeof manifest === 'string' ? manifest : manifest.files).toMatchObject([
        { path, mode: '0644', owner: 'root:root', group: 'postfix', sha256: sha256(server.read(path) ?? '') },
      ]);
      expect(list()).toContain(`absent ${path}\n`);
    });

    it('counts it as nothing when the real one comes', async () => {
      const real = {
        ...step('files-postfix', [
          call('group_begin', 'postfix'),
          call('put', path, '0644', owner, 'absent'),
          call('group_swap'),
          call('group_done'),
        ]),
        files: [{ ...file(path, 'myhostname = x\n'), group: 'postfix' }],
      };
      const { result } = await server.execute([
        step('packages', [call('packages_install', 'postfix')]),
        real,
      ]);
      expect(result?.code).toBe(0);
      expect(server.read(path)).toBe('myhostname = x\n');
      expect(list()).not.toContain(`file ${path}\n`);
      const [run] = readdirSync(join(server.state, 'backups'));
      expect(readFileSync(join(server.state, 'backups', run ?? '', 'postfix/list'), 'utf8')).toBe(
        `absent ${path}\n`,
      );
    });

    it('touches none that is there', async () => {
      server.write(path, 'theirs\n');
      await install('postfix');
      expect(server.read(path)).toBe('theirs\n');
      expect(server.manifest).toMatchObject({ files: [] });
    });
  });

  it('leaves the answers of a Postfix that is there alone', async () => {
    server.write('/etc/postfix/main.cf', 'x\n');
    await install('rspamd');
    expect(existsSync(join(server.base, 'preseed'))).toBe(false);
  });

  describe('whose answer debconf does not take', () => {
    const refuse = (times: number) =>
      server.program(
        'debconf-set-selections',
        `n=$(cat "${server.base}/refused" 2>/dev/null || echo 0)
[ "$n" -lt ${times} ] || exec cat >>"${server.base}/preseed"
echo $((n + 1)) >"${server.base}/refused"
echo 'debconf: DbDriver "config": /var/cache/debconf/config.dat is locked by another process' >&2
exit 1`,
      );

    it('gives it again, as debconf waits for nobody', async () => {
      refuse(2);
      const { result } = await install('postfix');
      expect(result).toMatchObject({ code: 0 });
      expect(readFileSync(join(server.base, 'preseed'), 'utf8')).toContain('select No configuration');
    });

    it('says so after five tries, with what debconf says', async () => {
      refuse(9);
      const { result } = await install('postfix');
      expect(result?.message).toMatch(/^debconf takes no answer: .*config\.dat is locked by another process/);
      expect(aptCalls()).toEqual([]);
    });
  });

  it('tries the lists again: apt does not wait for their lock', async () => {
    set('update-fails', 2);
    const { result, events } = await install('postfix');
    expect(result?.code).toBe(0);
    expect(aptCalls().filter((line) => line === 'update')).toHaveLength(3);
    expect(events.map(([, , text]) => text)).toContain('The package lists cannot be fetched now; try 2 of 5');
  });

  it("gives up on the lists after five tries, with apt's own words", async () => {
    set('update-fails', 9);
    const { result } = await install('postfix');
    expect(result?.message).toBe(
      'the package lists cannot be fetched: E: Could not get lock E: Could not get lock E: Could not get lock',
    );
    expect(aptCalls()).toEqual(['update', 'update', 'update', 'update', 'update']);
  });

  it('refuses to let apt remove what is not a stock mail server', async () => {
    set('simulation', 'Remv exim4-daemon-light [4.96]\nRemv webmail-suite [1.0]\nInst postfix (3.7)');
    const { result } = await install('postfix');
    expect(result?.message).toBe('apt would remove packages that are not ours: webmail-suite');
    expect(aptCalls().some((line) => line.startsWith('-y'))).toBe(false);
  });

  it('lets apt replace a stock mail server', async () => {
    set('simulation', 'Remv exim4-daemon-light [4.96]\nRemv exim4-base [4.96]\nInst postfix (3.7)');
    expect((await install('postfix')).result?.code).toBe(0);
  });

  it('says what apt says when a package cannot be had', async () => {
    set('simulation', 'Reading package lists...\nE: Unable to locate package rspamd');
    set('simulation-status', 100);
    const { result } = await install('rspamd');
    expect(result?.message).toBe('apt cannot install rspamd: E: Unable to locate package rspamd');
  });

  it('finishes an interrupted installation first', async () => {
    set('broken', '');
    const { result } = await install('postfix');
    expect(result?.code).toBe(0);
    const order = calls().filter((line) => /--configure|-f install|update/.test(line));
    expect(order[0]).toContain('dpkg --force-confdef --force-confold --configure -a');
    expect(order[1]).toContain('-f install');
    expect(order[2]).toContain('update');
  });

  it('repairs and tries again when the installation breaks off', async () => {
    set('install-fails', 1);
    const { result } = await install('postfix');
    expect(result?.code).toBe(0);
    expect(calls().some((line) => line.includes('--configure -a'))).toBe(true);
    expect(aptCalls().filter((line) => line === '-y install postfix')).toHaveLength(2);
  });

  it('gives up after three installations, with the errors from the log', async () => {
    set('install-fails', 9);
    const { result } = await install('postfix');
    expect(result?.message).toMatch(/^apt-get install failed: E: Sub-process/);
    expect(aptCalls().filter((line) => line === '-y install postfix')).toHaveLength(3);
  });

  it("waits for the package system's lock and says who holds it, breaks nothing", async () => {
    server.write('/var/lib/dpkg/lock-frontend', '');
    const holder = await holdLock(join(server.root, 'var/lib/dpkg/lock-frontend'));
    try {
      const { result } = await install('postfix');
      expect(result?.message).toMatch(
        new RegExp(`^the package system is still locked after 0 s by process ${holder.pid} \\(perl -e `),
      );
      expect(aptCalls()).toEqual([]);
    } finally {
      holder.kill('SIGKILL');
    }
  });

  it('takes no lock on a file of the same number elsewhere for it', async () => {
    server.write('/var/lib/dpkg/lock-frontend', '');
    server.write('/elsewhere', '');
    server.program(
      'stat',
      `case "$*" in *lock-frontend) set -- -c %i "${server.root}/elsewhere" ;; esac; exec /usr/bin/stat "$@"`,
    );
    const holder = await holdLock(join(server.root, 'elsewhere'));
    try {
      expect((await install('postfix')).result?.code).toBe(0);
    } finally {
      holder.kill('SIGKILL');
    }
  });

  it('waits for cloud-init', async () => {
    server.program('cloud-init', 'echo "status: running"');
    const { result } = await install('postfix');
    expect(result?.message).toBe('cloud-init has not ended after 0 s; nothing was changed');
  });

  it.each([
    ['cloud-init', 'first_boot_job() { echo cloud-init; }'],
    ['the package system', 'dpkg_lock_holder() { echo somebody; }'],
  ])('is stopped, not failed, while it waits for %s', async (what, busy) => {
    const more = {
      'zz-test.sh': `${busy}\nstop_me() { kill -TERM $$; packages_install postfix; }\n`,
    };
    const { result, events } = await server.execute([step('packages', [call('stop_me')])], 0, [], more);
    expect(result).toMatchObject({ code: 130, message: `stopped while waiting for ${what}, as asked` });
    expect(events.map(([kind]) => kind)).not.toContain('failed');
  });

  describe('of somebody who takes the lock in between', () => {
    /** Nobody holds it until the given words were said to apt. */
    const heldAfter = (words: string, told = ':') => ({
      'zz-test.sh': `dpkg_lock_holder() { grep -q -e '${words}' "${server.base}/calls.log" || return 0; ${told}; echo 'process 77'; }\n`,
    });
    const run = (more: Record<string, string>, ...fns: string[]) =>
      server.execute(
        [
          step(
            'packages',
            fns.map((fn) => call(fn, 'postfix')),
          ),
        ],
        0,
        [],
        more,
      );
    const locked = 'the package system is still locked after 0 s by process 77';

    it.each([
      ['the lists', 'debconf-set-selections', ['packages_install'], []],
      ['the download', ' update$', ['packages_fetch'], ['update']],
      ['the installation', ' -s ', ['packages_install'], ['update', '-s install postfix']],
    ])('waits for it once before %s, and says so', async (_what, words, fns, asked) => {
      const { result } = await run(heldAfter(words), ...fns);
      expect(result).toMatchObject({ code: 1, message: locked });
      expect(aptCalls()).toEqual(asked);
    });

    it.each(['packages_fetch', 'packages_install'])('is told to stop meanwhile, in %s', async (fn) => {
      const { result } = await run(heldAfter('apt-get .* \\(update\\|-s\\)', 'kill -TERM $$'), fn);
      expect(result).toMatchObject({ code: 130 });
    });

    it('waits before the next try', async () => {
      set('download-fails', 9);
      set('simulation', 'Inst postfix (3.7.11)');
      const { result } = await run(heldAfter(' -s '), 'packages_fetch');
      expect(result).toMatchObject({ code: 1, message: locked });
    });
  });
});
