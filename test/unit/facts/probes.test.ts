import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { addresses } from '../../../src/facts/addresses.js';
import { candidates } from '../../../src/facts/candidates.js';
import { clock } from '../../../src/facts/clock.js';
import { disk } from '../../../src/facts/disk.js';
import { dmi } from '../../../src/facts/dmi.js';
import { dpkgState } from '../../../src/facts/dpkg-state.js';
import { firstBoot } from '../../../src/facts/first-boot.js';
import { hostName } from '../../../src/facts/host-name.js';
import { probes } from '../../../src/facts/index.js';
import { initSystem } from '../../../src/facts/init-system.js';
import { listeners } from '../../../src/facts/listeners.js';
import { machine } from '../../../src/facts/machine.js';
import { osRelease } from '../../../src/facts/os-release.js';
import { otherMail } from '../../../src/facts/other-mail.js';
import { outboundSmtp } from '../../../src/facts/outbound-smtp.js';
import { packages } from '../../../src/facts/packages.js';
import type { Probe, ProbeOutput } from '../../../src/facts/probe.js';
import { resolvConf } from '../../../src/facts/resolv-conf.js';
import { units } from '../../../src/facts/units.js';
import { watchedFiles } from '../../../src/facts/watched-files.js';

/** Recorded on booted machines: Debian 12 with Postfix and unbound installed by a run, Debian 13 as it came. */
function recorded(name: string): Record<string, ProbeOutput> {
  return JSON.parse(readFileSync(new URL(`fixtures/${name}.json`, import.meta.url), 'utf8'));
}
const bookworm = recorded('debian-12-postfix');
const trixie = recorded('debian-13-fresh');

function parse<T>(probe: Probe<T>, output: ProbeOutput | string | undefined): T {
  return probe.parse(
    typeof output === 'string' ? { code: 0, stdout: output } : (output ?? { code: 127, stdout: '' }),
  );
}

describe('every probe', () => {
  it.each(Object.entries(probes))('%s makes something of no answer and of rubbish', (_, probe) => {
    for (const stdout of [
      '',
      '\n',
      '--\n--\n',
      '\u0000\u00ff\t -- \n@run x\n@manifest\n{',
      'a b c d e f g\n'.repeat(50),
    ]) {
      expect(() => probe.parse({ code: 1, stdout })).not.toThrow();
    }
  });

  it.each(Object.entries(probes))('%s asks with a script that sh can read', (_, probe) => {
    const result = spawnSync('sh', ['-n'], { input: probe.script });
    expect(result.stderr.toString()).toBe('');
  });
});

describe('system', () => {
  it('release', () => {
    expect(parse(osRelease, bookworm.os)).toMatchObject({
      id: 'debian',
      version: '12',
      codename: 'bookworm',
    });
    expect(parse(osRelease, trixie.os)).toMatchObject({ id: 'debian', version: '13', codename: 'trixie' });
    const ubuntu =
      'ID=ubuntu\nID_LIKE=debian\nVERSION_ID="24.04"\nVERSION_CODENAME=noble\nPRETTY_NAME="Ubuntu 24.04.1 LTS"\n';
    expect(parse(osRelease, ubuntu)).toEqual({
      id: 'ubuntu',
      version: '24.04',
      codename: 'noble',
      name: 'Ubuntu 24.04.1 LTS',
      like: ['debian'],
    });
    expect(parse(osRelease, 'ID="$(id)"\n')).toBeUndefined();
  });

  it('init', () => {
    expect(parse(initSystem, bookworm.init)).toEqual({ pid1: 'systemd', state: 'running', version: 252 });
    expect(parse(initSystem, trixie.init)).toEqual({ pid1: 'systemd', state: 'running', version: 257 });
    expect(parse(initSystem, 'sh\noffline\n')).toEqual({ pid1: 'sh', state: 'offline' });
  });

  it('machine', () => {
    expect(parse(machine, trixie.machine)).toMatchObject({
      arch: 'x86_64',
      dpkgArch: 'amd64',
      cpus: 2,
      memory: 24105,
      swap: 0,
      virtualization: 'systemd-nspawn',
    });
  });

  it('disk', () => {
    const root = parse(disk, bookworm.disk).find(({ path }) => path === '/');
    expect(root).toEqual({ path: '/', size: 6144, free: 5889, inodesFree: 3084008, readOnly: false });
    expect(parse(disk, '/ 4096 100 50 0 0 ro\n')).toEqual([{ path: '/', size: 0, free: 0, readOnly: true }]);
  });

  it('clock', () => {
    expect(parse(clock, bookworm.clock)).toEqual({ epoch: 1795494966, synchronized: false, enabled: false });
    expect(parse(clock, '1795494966\n--\n')).toEqual({ epoch: 1795494966 });
  });

  it('host name', () => {
    expect(parse(hostName, bookworm.hostName)).toMatchObject({
      kernel: 'vps1',
      static: 'vps1',
      hosts: ['127.0.0.1 localhost', '127.0.1.1 vps1', '::1 localhost ip6-localhost ip6-loopback'],
      resetAtBoot: false,
    });
  });

  it('host name that cloud-init writes to /etc/hosts from its template', () => {
    const of = (template: string) => parse(hostName, `${bookworm.hostName}\n--\nvps1\n--\n${template}\n`);
    expect(
      hostName.parse({ code: 0, stdout: 'a\n--\na\n--\n\n--\n\n--\n\n--\nm\n--\ntemplate {{fqdn}}\n' }),
    ).toMatchObject({
      mailName: 'm',
      hostsTemplate: '{{fqdn}}',
    });
    expect(of('')).not.toHaveProperty('hostsTemplate');
  });

  it('firmware', () => {
    expect(
      parse(dmi, 'sys_vendor=Hetzner\nproduct_name=vServer\nbios_vendor=Hetzner\ncloud=hetzner\n'),
    ).toEqual({
      vendor: 'Hetzner',
      product: 'vServer',
      bios: 'Hetzner',
      board: '',
      asset: '',
      cloud: 'hetzner',
    });
  });
});

describe('packages', () => {
  it('installed ones', () => {
    const found = parse(packages, bookworm.packages);
    expect(found.get('postfix')).toEqual({ version: '3.7.11-0+deb12u1', installed: true, held: false });
    expect(found.has('dovecot-core')).toBe(false);
    expect(parse(packages, trixie.packages).size).toBeGreaterThan(100);
  });

  it('half-installed, removed, held, and twice for two architectures', () => {
    const text = 'a 1 iF \nb 2 rc \nc 3 hi \nlibd 4 ii \nlibd  un \n../e 5 ii \n';
    expect(Object.fromEntries(parse(packages, text))).toEqual({
      a: { version: '1', installed: false, held: false },
      b: { version: '2', installed: false, held: false },
      c: { version: '3', installed: true, held: true },
      libd: { version: '4', installed: true, held: false },
    });
  });

  it('candidates and where they come from', () => {
    const found = parse(candidates, bookworm.candidates);
    expect(found.get('dovecot-core')).toEqual({
      version: '1:2.3.19.1+dfsg1-2.1+deb12u7',
      source: 'http://deb.debian.org/debian-security bookworm-security/main amd64 Packages',
    });
    expect(found.get('postfix')).toEqual({
      version: '3.7.11-0+deb12u1',
      source: 'http://deb.debian.org/debian bookworm/main amd64 Packages',
    });
    expect(parse(candidates, trixie.candidates).size).toBe(0);
  });

  it('pinned ones', () => {
    const text = 'postfix:\n  Installed: (none)\n  Candidate: (none)\n  Package pin: 3.5\n  Version table:\n';
    expect(parse(candidates, text).get('postfix')).toEqual({ pinned: '3.5' });
  });

  it('dpkg in order, cut short, and locked', () => {
    expect(parse(dpkgState, bookworm.dpkg)).toEqual({
      present: true,
      audit: [],
      interrupted: false,
      locks: [],
    });
    expect(parse(dpkgState, { code: 127, stdout: '' }).present).toBe(false);
    const text =
      '/usr/bin/dpkg\n--\nThe following packages are only half configured\n--\n0001\n--\n/var/lib/dpkg/lock-frontend 812 /usr/bin/unattended-upgrade \n';
    expect(parse(dpkgState, text)).toEqual({
      present: true,
      audit: ['The following packages are only half configured'],
      interrupted: true,
      locks: [{ file: '/var/lib/dpkg/lock-frontend', pid: 812, command: '/usr/bin/unattended-upgrade' }],
    });
  });

  it('first-boot jobs', () => {
    expect(parse(firstBoot, trixie.firstBoot)).toEqual({ cloudInit: 'absent', jobs: [] });
    expect(parse(firstBoot, 'status: running\n--\napt-daily.service\n')).toEqual({
      cloudInit: 'running',
      jobs: ['apt-daily.service'],
    });
  });

  it('other mail software', () => {
    expect(parse(otherMail, bookworm.otherMail)).toEqual({ panels: [], queued: 0 });
    expect(parse(otherMail, 'Plesk\nmailcow\nforged\n--\n17\n')).toEqual({
      panels: ['Plesk', 'mailcow'],
      queued: 17,
    });
    const lines = [
      '3',
      'domain Old.test',
      'domain $(id)',
      'for carol@old.TEST',
      'for x@old.test.example',
      'for \u001b@old.test',
    ];
    expect(parse(otherMail, `--\n${lines.join('\n')}\n`)).toEqual({
      panels: [],
      queued: 3,
      queuedHere: ['carol@old.TEST'],
    });
  });
});

describe('network', () => {
  it('listeners, by ss', () => {
    expect(parse(listeners, bookworm.listeners)).toContainEqual({
      protocol: 'tcp',
      address: '::',
      port: 25,
      process: 'master',
      pid: 2123,
    });
    expect(parse(listeners, trixie.listeners)).toHaveLength(2);
    const lines = 'udp UNCONN 0 0 127.0.0.53%lo:53 0.0.0.0:* users:(("systemd-resolve",pid=400,fd=13))\n';
    expect(parse(listeners, lines)).toEqual([
      { protocol: 'udp', address: '127.0.0.53', port: 53, process: 'systemd-resolve', pid: 400 },
    ]);
  });

  it('listeners, by the kernel tables', () => {
    const lines = [
      'tcp   sl  local_address rem_address   st',
      'tcp    0: 0100007F:0019 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0 0 1',
      'tcp    1: 0100007F:1F90 0100007F:A000 01 00000000:00000000 00:00000000 00000000     0 0 1',
      'tcp6    0: 00000000000000000000000001000000:0035 00000000000000000000000000000000:0000 0A 0 0 0',
      'tcp6    1: B80D0120000000000000000025000000:0050 00000000000000000000000000000000:0000 0A 0 0 0',
      'udp    0: 00000000:0044 00000000:0000 07 00000000:00000000 00:00000000 00000000     0 0 1',
    ];
    expect(parse(listeners, lines.join('\n'))).toEqual([
      { protocol: 'tcp', address: '127.0.0.1', port: 25 },
      { protocol: 'tcp', address: '::1', port: 53 },
      { protocol: 'tcp', address: '2001:db8:0:0:0:0:0:25', port: 80 },
      { protocol: 'udp', address: '0.0.0.0', port: 68 },
    ]);
  });

  it('addresses: by route, else the first there is', () => {
    expect(parse(addresses, bookworm.addresses)).toEqual({
      ipv4: '198.51.100.25',
      ipv6: '2001:db8::25',
      all: ['198.51.100.25', '2001:db8::25'],
    });
    expect(parse(addresses, '203.0.113.9\n--\n10.0.0.5\n203.0.113.9\nfd00::1%eth0\nrubbish\n')).toEqual({
      ipv4: '203.0.113.9',
      ipv6: 'fd00::1',
      all: ['10.0.0.5', '203.0.113.9', 'fd00::1'],
    });
  });

  it('resolv.conf', () => {
    expect(parse(resolvConf, bookworm.resolvConf)).toEqual({
      nameservers: ['198.51.100.1'],
      content: 'nameserver 198.51.100.1\n',
    });
    const stub =
      '../run/systemd/resolve/stub-resolv.conf\n--\nnameserver 127.0.0.53\nnameserver bogus\noptions edns0\n';
    expect(parse(resolvConf, stub)).toMatchObject({
      link: '../run/systemd/resolve/stub-resolv.conf',
      nameservers: ['127.0.0.53'],
    });
  });

  it('outbound port 25', () => {
    const tries = parse(outboundSmtp, bookworm.outbound);
    expect(tries).toContainEqual({
      host: '198.51.100.1',
      family: 4,
      address: '198.51.100.1',
      result: 'refused',
      detail: 'Connection refused',
    });
    expect(tries).toContainEqual({
      host: 'no-such.test',
      family: 4,
      result: 'unresolved',
      detail: 'Name or service not known',
    });
    expect(parse(outboundSmtp, 'h\t5\t\topen\tx\nh\t4\t\tforged\tx\n')).toEqual([]);
  });
});

describe('units', () => {
  it('states by full name, with an instance by its own', () => {
    const found = parse(units, bookworm.units);
    expect(found.get('postfix@-.service')).toMatchObject({ active: 'active', sub: 'running' });
    expect(found.get('unbound.service')).toEqual({ active: 'inactive', sub: 'dead', enabled: 'enabled' });
    expect(found.get('ssh.service')).toMatchObject({ active: 'active', enabled: 'enabled' });
  });

  it('failed ones, with or without a bullet', () => {
    const text =
      '● a.service loaded failed failed A\nb.service loaded failed failed B\n--\na.service enabled enabled\n';
    const found = parse(units, text);
    expect(found.get('a.service')).toEqual({ active: 'failed', sub: 'failed', enabled: 'enabled' });
    expect(found.get('b.service')).toEqual({ active: 'failed', sub: 'failed', enabled: '' });
  });
});

describe('watched files', () => {
  it('type, mode, owner, hash, and whether they are as packaged', () => {
    const found = parse(watchedFiles, bookworm.files);
    expect(found.get('/etc/hello/hello.conf')).toEqual({
      type: 'file',
      mode: '0644',
      owner: 'root:root',
      sha256: '5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03',
      pristine: false,
    });
    expect(found.get('/etc/unbound/unbound.conf')).toMatchObject({ type: 'file', pristine: true });
    expect(found.get('/etc/mtab')).toEqual({
      type: 'link',
      mode: '0777',
      owner: 'root:root',
      pristine: false,
    });
    expect(found.get('/etc/apt')).toMatchObject({ type: 'other' });
  });

  it('as packaged by ucf, too', () => {
    const sum = '0123456789abcdef0123456789abcdef';
    const text = `0644 root:root regular file /etc/dovecot/dovecot.conf\n--\n--\n${sum}  /etc/dovecot/dovecot.conf\n--\n /etc/dovecot/dovecot.conf ${sum}\n`;
    expect(parse(watchedFiles, text).get('/etc/dovecot/dovecot.conf')?.pristine).toBe(true);
  });
});
