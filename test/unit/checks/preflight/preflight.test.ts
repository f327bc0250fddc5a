import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  checkPreflight,
  type PreflightContext,
  type PreflightFacts,
  refuseUnsuitable,
} from '../../../../src/checks/preflight/index.js';
import { checkPort25 } from '../../../../src/checks/preflight/network.js';
import { probes } from '../../../../src/facts/index.js';
import type { OutboundTry } from '../../../../src/facts/outbound-smtp.js';
import type { ProbeOutput } from '../../../../src/facts/probe.js';

const recorded: Record<string, ProbeOutput> = JSON.parse(
  readFileSync(new URL('../../facts/fixtures/debian-13-fresh.json', import.meta.url), 'utf8'),
);

/** A fresh Debian 13 as it was recorded, with a receiver that answers. */
function facts(change: Partial<PreflightFacts> = {}): PreflightFacts {
  const entries = Object.entries(probes).map(([name, probe]) => [
    name,
    probe.parse(recorded[name] ?? { code: 127, stdout: '' }),
  ]);
  const fresh = Object.fromEntries(entries) as PreflightFacts;
  const outbound: OutboundTry[] = [tried('open', 4), tried('open', 6)];
  return { ...fresh, outbound, ...change };
}

function tried(result: OutboundTry['result'], family: 4 | 6, host = 'mx.example.net'): OutboundTry {
  return { host, family, result, detail: result === 'open' ? '220 mx' : 'Connection refused' };
}

const context: PreflightContext = {
  hostname: 'mail.example.org',
  ports: [25, 80, 465, 587, 993],
  packages: ['postfix', 'rspamd'],
  now: 1795494972,
  remoteAddress: '198.51.100.25',
  ipv6: 'auto',
};

function findings(change: Partial<PreflightFacts> = {}, more: Partial<PreflightContext> = {}) {
  return checkPreflight(facts(change), { ...context, ...more });
}

function find(id: string, change: Partial<PreflightFacts> = {}, more: Partial<PreflightContext> = {}) {
  return findings(change, more).find((one) => one.id === id);
}

const machine = facts().machine;

describe('the preflight', () => {
  it('lets a fresh server pass; what is not known stops nothing', () => {
    const all = findings();
    expect(all.filter(({ status }) => status === 'fail' || status === 'warn')).toEqual([]);
    expect(all.find(({ id }) => id === 'SRV-SOURCES')?.status).toBe('unknown');
    expect(() => refuseUnsuitable(all)).not.toThrow();
  });

  it('warns where the kernel filters packets for nobody', () => {
    const refused = { ...facts().firewall, refused: 'Operation not permitted' };
    expect(find('SRV-FILTER', { firewall: refused })).toMatchObject({
      status: 'warn',
      observed: 'Operation not permitted',
    });
    expect(find('SRV-FILTER')).toBeUndefined();
  });

  it.each([
    [1, 'amd64, 1 core, kvm'],
    [2, 'amd64, 2 cores, kvm'],
  ])('names a processor with %i cores', (cpus, text) => {
    const arch = find('SRV-ARCH', {
      machine: { ...machine, dpkgArch: 'amd64', cpus, virtualization: 'kvm' },
    });
    expect(JSON.stringify(arch)).toContain(text);
  });

  it('refuses with exit 5, every reason and every remedy', () => {
    const os = { id: 'fedora', version: '43', codename: '', name: 'Fedora 43', like: [] };
    const listeners = [
      { protocol: 'tcp' as const, address: '0.0.0.0', port: 80, process: 'apache2', pid: 77 },
    ];
    const all = findings({ os, listeners });
    expect(() => refuseUnsuitable(all)).toThrow(
      expect.objectContaining({
        code: 'E_UNSUITABLE',
        exit: 5,
        evidence: [
          'SRV-OS: /etc/os-release: Fedora 43 is not supported. (fedora 43)',
          'SRV-PORT-TAKEN: TCP port 80: apache2 listens on port 80. (apache2, process 77, on 0.0.0.0)',
        ],
        fix: [expect.stringMatching(/^Rebuild the server/), expect.stringMatching(/^Stop it on the server/)],
      }),
    );
  });

  it('every failure and warning says what to do', () => {
    const bad = findings({
      os: undefined,
      init: { pid1: 'sh', state: 'offline' },
      machine: { ...machine, memory: 300, swap: 0 },
      disk: [{ path: '/var/lib', size: 900, free: 100, inodesFree: 10, readOnly: true }],
      clock: { epoch: 5 },
      dpkg: { present: false, audit: [], interrupted: false, locks: [] },
      otherMail: { panels: ['Plesk'] },
      resolvConf: { nameservers: [], content: '' },
      outbound: [tried('timeout', 4)],
    }).filter(({ status }) => status === 'fail' || status === 'warn');
    expect(bad.map(({ id }) => id)).toEqual([
      'SRV-OS',
      'SRV-SYSTEMD',
      'SRV-MEMORY',
      'SRV-WRITABLE',
      'SRV-DISK',
      'SRV-INODES',
      'SRV-CLOCK',
      'SRV-DPKG',
      'SRV-PANEL',
      'SRV-RESOLVER',
      'SRV-PORT25-IPV4',
    ]);
    expect(bad.filter(({ fix }) => fix === undefined)).toEqual([]);
  });
});

describe('system', () => {
  const release = (id: string, version: string) => ({
    id,
    version,
    codename: '',
    name: `${id} ${version}`,
    like: [],
  });

  it.each([
    ['debian', '12', 'pass'],
    ['debian', '13', 'pass'],
    ['debian', '11', 'fail'],
    ['ubuntu', '22.04', 'pass'],
    ['ubuntu', '24.04', 'pass'],
    ['ubuntu', '26.04', 'pass'],
    ['ubuntu', '25.10', 'fail'],
    ['linuxmint', '22', 'fail'],
  ])('%s %s: %s', (id, version, status) => {
    expect(find('SRV-OS', { os: release(id, version) })?.status).toBe(status);
  });

  it.each([
    [300, 0, 'fail'],
    [500, 0, 'warn'],
    [500, 1024, 'pass'],
    [960, 0, 'pass'],
    [0, 0, 'unknown'],
  ])('%i MiB of memory and %i MiB of swap: %s', (memory, swap, status) => {
    expect(find('SRV-MEMORY', { machine: { ...machine, memory, swap } })?.status).toBe(status);
  });

  it.each([
    [256, 0, 'fail'],
    [350, 0, 'warn'],
    [460, 0, 'pass'],
  ])('%i MiB of memory and %i MiB of swap are for a server that only sends: %s', (memory, swap, status) => {
    const found = find('SRV-MEMORY', { machine: { ...machine, memory, swap } }, { sendsOnly: true });
    expect(found?.status).toBe(status);
  });

  it.each([
    [500, 'fail'],
    [1500, 'warn'],
    [9000, 'pass'],
  ])('%i MiB of disk: %s', (free, status) => {
    const disk = [{ path: '/var/lib', size: 10_000, free, readOnly: false }];
    expect(find('SRV-DISK', { disk })?.status).toBe(status);
  });

  it.each([
    [0, 'pass'],
    [60, 'warn'],
    [-400, 'fail'],
    [400, 'fail'],
  ])('a clock that is %i s off: %s', (skew, status) => {
    const clock = { epoch: context.now + skew, synchronized: true };
    expect(find('SRV-CLOCK', { clock })?.status).toBe(status);
  });

  it('says which host name it will get', () => {
    expect(find('SRV-HOSTNAME')).toMatchObject({
      status: 'info',
      message: 'It is vps1 now and becomes mail.example.org.',
    });
    expect(find('SRV-HOSTNAME', {}, { hostname: 'vps1' })?.status).toBe('pass');
  });
});

describe('packages', () => {
  const version = { version: '1', installed: true, held: false };

  it('held ones are named', () => {
    const packages = new Map([
      ['rspamd', { ...version, held: true }],
      ['vim', { ...version, held: true }],
    ]);
    expect(findings({ packages }).filter(({ id }) => id === 'SRV-HELD')).toEqual([
      expect.objectContaining({
        status: 'fail',
        subject: 'rspamd',
        fix: { text: expect.stringContaining('apt-mark unhold rspamd') },
      }),
    ]);
  });

  it('lists that know Postfix but not Rspamd lack a component', () => {
    const candidates = new Map([
      ['postfix', { version: '3.8' }],
      ['dovecot-core', { version: '2.3' }],
      ['unbound', { version: '1' }],
      ['certbot', { version: '2' }],
      ['rspamd', {}],
    ]);
    const os = { id: 'ubuntu', version: '24.04', codename: 'noble', name: 'Ubuntu 24.04', like: ['debian'] };
    expect(find('SRV-SOURCES', { candidates, os })).toMatchObject({
      status: 'fail',
      subject: 'rspamd',
      fix: { text: expect.stringContaining('universe') },
    });
  });

  it('locks and first-boot jobs are waited for, not refused', () => {
    const locks = [{ file: '/var/lib/dpkg/lock', pid: 9, command: 'unattended-upgrade' }];
    expect(find('SRV-LOCK', { dpkg: { present: true, audit: [], interrupted: false, locks } })).toMatchObject(
      {
        status: 'info',
        message: 'Process 9 (unattended-upgrade) is at it; the run waits for it.',
      },
    );
    expect(find('SRV-FIRST-BOOT', { firstBoot: { cloudInit: 'running', jobs: [] } })?.status).toBe('info');
    expect(find('SRV-FIRST-BOOT', { firstBoot: { cloudInit: 'error', jobs: [] } })?.status).toBe('warn');
  });

  it('names the packages that are not in order', () => {
    const audit = [
      'The following packages are only half configured, probably due to problems',
      ' adduser              add and remove users',
    ];
    expect(find('SRV-DPKG', { dpkg: { present: true, audit, interrupted: false, locks: [] } })).toMatchObject(
      {
        status: 'warn',
        observed: 'adduser',
      },
    );
  });

  it('another mail server is replaced once its queue is empty', () => {
    const packages = new Map([['exim4-daemon-light', version]]);
    const look = (queued?: number) =>
      find('SRV-OTHER-MTA', {
        packages,
        otherMail: { panels: [], ...(queued === undefined ? {} : { queued }) },
      });
    expect(look(0)).toMatchObject({ status: 'warn', observed: 'its queue is empty' });
    expect(look()).toMatchObject({ status: 'warn', observed: 'its queue could not be counted' });
    expect(look(3)).toMatchObject({
      status: 'fail',
      observed: '3 messages in its queue',
      fix: { text: expect.stringContaining('exim4 -qff') },
    });
  });

  it('a Postfix that somebody set up is told from ours, with a word on its queue', () => {
    const packages = new Map([['postfix', version]]);
    const path = '/etc/postfix/main.cf';
    const files = new Map([
      [path, { type: 'file', mode: '0644', owner: 'root:root', pristine: false } as const],
    ]);
    const otherMail = { panels: [], queued: 2 };
    const look = (more: Parameters<typeof find>[1]) =>
      find('SRV-OTHER-POSTFIX', { packages, files, otherMail, ...more });
    expect(look({})).toMatchObject({
      status: 'warn',
      observed: expect.stringMatching(/^2 messages in its queue/),
    });
    const entry = { path, sha256: '', mode: '0644', owner: 'root:root', group: 'postfix' };
    const manifest = { schema: 1, generation: 1, files: [entry] };
    const { state } = facts();
    expect(look({ state: { ...state, manifest } })).toBeUndefined();
    expect(look({ state: { ...state, pending: ['postfix'] } })).toBeUndefined();
    expect(look({ files: new Map() })).toBeUndefined();

    const local = (...queuedHere: string[]) =>
      find('SRV-LOCAL-QUEUE', { packages, files, otherMail: { panels: [], queued: 2, queuedHere } });
    expect(local('carol@old.test')).toMatchObject({
      status: 'fail',
      observed: 'for carol@old.test',
      fix: { text: expect.stringContaining('postqueue -f') },
    });
    expect(local('root@mail.example.org', 'Root@localhost')).toBeUndefined();
    expect(local('root@old.test')?.status).toBe('fail');
  });
});

describe('ports', () => {
  const listener = (
    port: number,
    process?: string,
    address = '0.0.0.0',
    protocol: 'tcp' | 'udp' = 'tcp',
  ) => ({
    protocol,
    address,
    port,
    ...(process === undefined ? {} : { process, pid: 42 }),
  });

  it.each([
    [25, 'master', 'pass'],
    [25, 'exim4', 'pass'],
    [25, 'docker-proxy', 'fail'],
    [80, 'nginx', 'pass'],
    [80, 'apache2', 'fail'],
    [993, 'dovecot', 'pass'],
    [8080, 'java', 'pass'],
  ])('port %i in the hands of %s: %s', (port, process, status) => {
    const all = findings({ listeners: [listener(port, process)] });
    expect(all.find(({ id }) => id.startsWith('SRV-PORT') && !id.startsWith('SRV-PORT25'))?.status).toBe(
      status,
    );
  });

  it.each([
    ['TCP port 25', listener(25)],
    ['UDP port 53', listener(53, undefined, '127.0.0.1', 'udp')],
  ])('%s in the hands of nobody knows whom is taken, but on a server of ours', (subject, one) => {
    const listeners = [one];
    const taken = findings({ listeners });
    expect(taken.find(({ id }) => id === 'SRV-PORTS')).toBeUndefined();
    expect(taken.find(({ id }) => id === 'SRV-PORT-TAKEN')).toMatchObject({
      status: 'fail',
      subject,
      message: expect.stringContaining('could not be named'),
      fix: { text: expect.stringContaining('ss -lntup') },
    });
    const state = { ...facts().state, manifest: { files: new Map() } as never };
    expect(find('SRV-PORTS', { listeners, state })?.status).toBe('pass');
  });

  it('are unknown where not even the SSH server was seen', () => {
    expect(find('SRV-PORTS', { listeners: [] })?.status).toBe('unknown');
  });

  it('our resolver needs 127.0.0.1:53; the stub of systemd-resolved is not in its way', () => {
    expect(
      find('SRV-PORTS', { listeners: [listener(53, 'systemd-resolve', '127.0.0.53', 'udp')] })?.status,
    ).toBe('pass');
    for (const protocol of ['udp', 'tcp'] as const)
      expect(
        find('SRV-PORT-TAKEN', { listeners: [listener(53, 'dnsmasq', '0.0.0.0', protocol)] }),
      ).toMatchObject({ status: 'fail', subject: `${protocol.toUpperCase()} port 53` });
  });

  it('in the same hands are one thing to do', () => {
    const all = findings({ listeners: [listener(465, 'java'), listener(587, 'java')] });
    expect(() => refuseUnsuitable(all)).toThrow(
      expect.objectContaining({
        evidence: [expect.stringContaining('465'), expect.stringContaining('587')],
        fix: [expect.any(String)],
      }),
    );
  });
});

describe('network', () => {
  it.each([
    ['one answer among silence', ['timeout', 'open'], 'pass'],
    ['silence', ['timeout', 'timeout'], 'fail'],
    ['refusals', ['refused', 'refused'], 'fail'],
    ['no way out at all', ['unreachable', 'unreachable'], 'unknown'],
    ['names that do not resolve', ['unresolved'], 'unknown'],
    ['nothing tried', [], 'unknown'],
  ] as const)('outgoing port 25, %s: %s', (_, results, status) => {
    expect(find('SRV-PORT25-IPV4', { outbound: results.map((result) => tried(result, 4)) })?.status).toBe(
      status,
    );
  });

  it('a block over IPv6 alone is a warning', () => {
    expect(find('SRV-PORT25-IPV6', { outbound: [tried('open', 4), tried('timeout', 6)] })?.status).toBe(
      'warn',
    );
    expect(find('SRV-PORT25-IPV6', {}, { ipv6: 'off' })).toBeUndefined();
  });

  it('names the VPS provider that blocks, and how it is opened there', () => {
    const dmi = { vendor: 'Hetzner', product: 'vServer', bios: '', board: '', asset: '', cloud: '' };
    const found = find('SRV-PORT25-IPV4', { dmi, outbound: [tried('timeout', 4)] });
    expect(found?.message).toBe('Port 25 is blocked at Hetzner Cloud: no mail can be sent.');
    expect(found?.fix?.text).toMatch(/first invoice/);
  });

  it.each([
    ['10.1.2.3', '203.0.113.9', 'warn'],
    ['100.64.0.1', undefined, 'warn'],
    ['203.0.113.9', '203.0.113.9', 'pass'],
    ['203.0.113.9', '203.0.113.10', 'warn'],
    ['203.0.113.9', undefined, 'pass'],
    ['203.0.113.9', '2001:db8::9', 'pass'],
  ])('address %s, reached as %s: %s', (ipv4, remoteAddress, status) => {
    const addresses = { ipv4, all: [ipv4] };
    const more = remoteAddress === undefined ? {} : { remoteAddress };
    const { remoteAddress: _, ...rest } = context;
    const all = checkPreflight(facts({ addresses }), { ...rest, ...more });
    expect(all.find(({ id }) => id === 'SRV-ADDRESS')?.status).toBe(status);
  });
});

describe('a hosted relay', () => {
  it('makes a blocked port 25 a note, and is offered where there is none', () => {
    const blocked = { outbound: [tried('timeout', 4), tried('timeout', 6)] };
    const port25 = (more: Partial<PreflightContext>) =>
      checkPreflight(facts(blocked), { ...context, ...more }).filter(({ id }) => id.startsWith('SRV-PORT25'));
    expect(port25({ relay: true }).map(({ status }) => status)).not.toContain('fail');
    expect(port25({ relay: true })[0]?.message).toMatch(/through the relay/);
    const [without] = port25({});
    expect(without?.status).toBe('fail');
    expect(without?.fix?.text).toMatch(/--relay PROVIDER/);
    expect(checkPort25(facts(blocked))).toMatch(/Port 25 is blocked/);
    expect(checkPort25(facts())).toBeUndefined();
  });
});
