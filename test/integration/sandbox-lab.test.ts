import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  cacheDirFrom,
  createLab,
  findRemains,
  hasLayer,
  type Lab,
  loadLab,
  removeLayer,
} from '../../src/sandbox/index.js';
import { inNamespace } from '../../src/sandbox/net/network.js';
import { tryRun } from '../../src/sandbox/run.js';

const cacheDir = cacheDirFrom(process.env);
const name = 'it-lab';
let lab: Lab;

beforeAll(async () => {
  lab = await createLab({ name, cacheDir, hostname: 'vps1' });
});
afterAll(async () => {
  await lab.down();
});

async function sh(command: string): Promise<string> {
  const result = await lab.vps.exec(command);
  expect(result, command).toMatchObject({ code: 0 });
  return result.stdout.trim();
}

/** The answer of the lab's resolver: its flags and its records' data. */
async function dig(...query: string[]): Promise<{ authentic: boolean; status: string; data: string[] }> {
  const { stdout } = await lab.client.exec('dig', ['+dnssec', '+noall', '+comments', '+answer', ...query]);
  const answers = stdout
    .split('\n')
    .filter((line) => /^[^;]\S*\s+\d+\s+IN\s/.test(line) && !line.includes('RRSIG'));
  return {
    authentic: /flags:[^;]* ad[ ;]/.test(stdout),
    status: /status: (\w+)/.exec(stdout)?.[1] ?? '',
    data: answers.map((line) => line.split(/\s+/).slice(4).join(' ')).sort(),
  };
}

function ssh(host: string, command: string) {
  const options = [
    'StrictHostKeyChecking=no',
    'UserKnownHostsFile=/dev/null',
    'BatchMode=yes',
    'LogLevel=ERROR',
  ];
  const flags = options.flatMap((option) => ['-o', option]);
  return lab.client.exec('ssh', [...flags, '-i', lab.vps.sshKeyFile, `root@${host}`, command]);
}

/** Whether a TCP connection from the VPS opens, is refused, or is left without an answer. */
async function connectFromVps(
  ip: string,
  port: number,
): Promise<'open' | 'refused' | 'silent' | 'unreachable'> {
  const { code, stderr } = await lab.vps.exec(`timeout 3 bash -c 'exec 3<>/dev/tcp/${ip}/${port}'`);
  if (code === 0) return 'open';
  if (code === 124) return 'silent';
  return /unreachable/.test(stderr) ? 'unreachable' : 'refused';
}

describe('the VPS', () => {
  it('is a booted systemd machine with nothing failed', async () => {
    expect(await sh('systemctl is-system-running --wait')).toBe('running');
    expect(await sh('hostname')).toBe('vps1');
    expect(await sh('cat /proc/1/comm')).toBe('systemd');
  });

  it('accepts the lab key over SSH, on IPv4 and IPv6, with the announced host key', async () => {
    for (const address of [lab.vps.ipv4, lab.vps.ipv6 ?? '']) {
      expect(await ssh(address, 'id -un')).toMatchObject({ code: 0, stdout: 'root\n' });
    }
    const scan = await lab.client.exec('sh', [
      '-c',
      `ssh-keyscan -t ed25519 ${lab.vps.ipv4} 2>/dev/null | ssh-keygen -lf -`,
    ]);
    expect(scan.stdout).toContain(lab.vps.hostKeyFingerprint);
  });

  it('installs packages through the caching proxy and cannot reach anything else', async () => {
    await sh(
      'apt-get update -qq && apt-get install -qq --no-install-recommends -y nftables dehydrated busybox',
    );
    const refused = await lab.vps.exec(
      'curl -s -o /dev/null -w "%{http_code}" -x http://198.51.100.254:3142 http://example.com/',
    );
    expect(refused.stdout).toBe('403');
    expect(await connectFromVps('8.8.8.8', 25)).toBe('unreachable');
  });

  it('may use nftables', async () => {
    await sh('nft add table inet trial && nft delete table inet trial');
  });

  it('takes nothing of this machine into its environment', async () => {
    process.env.SANDBOX_TEST_MARKER = 'must-not-leak';
    expect(await sh('env')).not.toContain('must-not-leak');
    delete process.env.SANDBOX_TEST_MARKER;
  });

  it('reboots, and survives a power cut with its disk', async () => {
    const bootId = await sh('cat /proc/sys/kernel/random/boot_id');
    await sh('echo kept > /root/kept && sync');
    await lab.vps.reboot();
    expect(await sh('cat /proc/sys/kernel/random/boot_id')).not.toBe(bootId);
    await lab.vps.powerCut();
    expect(await lab.vps.isRunning()).toBe(false);
    await lab.vps.start();
    expect(await sh('cat /root/kept')).toBe('kept');
  });
});

describe('the names', () => {
  it('validate from the root down, forward and reverse', async () => {
    await lab.dns.setRecords(`mail.${lab.domain}`, 'A', [lab.vps.ipv4]);
    await lab.dns.setPtr(lab.vps.ipv4, `mail.${lab.domain}`);
    await lab.dns.setPtr(lab.vps.ipv6 ?? '', `mail.${lab.domain}`);
    expect(await dig(`mail.${lab.domain}`, 'A')).toEqual({
      authentic: true,
      status: 'NOERROR',
      data: [lab.vps.ipv4],
    });
    const reverse = { authentic: true, status: 'NOERROR', data: [`mail.${lab.domain}.`] };
    expect(await dig('-x', lab.vps.ipv4)).toEqual(reverse);
    expect(await dig('-x', lab.vps.ipv6 ?? '')).toEqual(reverse);
    expect(await dig(`nothing.${lab.domain}`, 'A')).toMatchObject({ authentic: true, status: 'NXDOMAIN' });
  });

  it('show the name servers of a real provider', async () => {
    const { data } = await dig(lab.domain, 'NS');
    expect(data).toEqual(['ada.ns.cloudflare.com.', 'bob.ns.cloudflare.com.']);
    expect((await dig(data[0] ?? '', 'A')).data).toEqual([lab.addresses.dns.ipv4]);
  });

  it('take further zones under any top-level domain, signed or not', async () => {
    await lab.dns.addZone('example.org', { records: ['example.org. 300 TXT "v=spf1 -all"'] });
    await lab.dns.addZone('plain.org', { signed: false, records: ['plain.org. 300 A 198.51.100.80'] });
    expect(await dig('example.org', 'TXT')).toMatchObject({ authentic: true, data: ['"v=spf1 -all"'] });
    expect(await dig('plain.org', 'A')).toEqual({
      authentic: false,
      status: 'NOERROR',
      data: ['198.51.100.80'],
    });
    expect(await lab.dns.readZone('example.org')).toContain('example.org. 300 TXT "v=spf1 -all"');
  });

  it('fail to validate when an answer was forged', async () => {
    await lab.dns.addZone('forged.org', { records: ['forged.org. 300 A 198.51.100.80'] });
    const digest = '0'.repeat(64);
    await lab.dns.update('org.', ['delete forged.org. DS', `add forged.org. 300 DS 1 13 2 ${digest}`]);
    await lab.resolverHost.flush();
    expect((await dig('forged.org', 'A')).status).toBe('SERVFAIL');
  });

  it('are those the machine itself does not see', async () => {
    expect(await readFile('/etc/resolv.conf', 'utf8')).not.toContain('198.51.100.1');
    expect(await sh('cat /etc/resolv.conf')).toBe(`nameserver ${lab.resolver}`);
  });
});

describe('the ACME server', () => {
  it('issues a certificate to the VPS over HTTP-01', async () => {
    const ca = await readFile(lab.acme.caFile, 'utf8');
    await sh(`cat > /root/ca.pem <<'EOF'\n${ca}\nEOF`);
    await sh(
      'mkdir -p /var/www/dehydrated/.well-known && ln -sfn .. /var/www/dehydrated/.well-known/acme-challenge',
    );
    await sh('systemd-run --unit=web busybox httpd -f -p 80 -h /var/www/dehydrated');
    await sh(
      `printf '%s\\n' 'CA="${lab.acme.directory}"' 'WELLKNOWN=/var/www/dehydrated' 'CURL_OPTS="--cacert /root/ca.pem"' KEY_ALGO=prime256v1 ACCOUNT_KEYSIZE=2048 > /root/config`,
    );
    const host = `mail.${lab.domain}`;
    await sh('dehydrated -f /root/config --register --accept-terms');
    await sh(`dehydrated -f /root/config -c -d ${host} -o /root/certs`);
    await sh(`cat > /root/root.pem <<'EOF'\n${await lab.acme.roots()}\nEOF`);
    const verified = await sh(
      `cd /root/certs/${host} && openssl verify -CAfile /root/root.pem -untrusted chain.pem -verify_hostname ${host} cert.pem`,
    );
    expect(verified).toContain('cert.pem: OK');
  });
});

describe('faults', () => {
  it('block a port without the VPS seeing a rule', async () => {
    const server = ['socat', 'TCP-LISTEN:25,fork,reuseaddr', 'EXEC:true'];
    const receiver = await lab.startHost('receiver', { program: { kind: 'process', argv: server } });
    await expect.poll(() => connectFromVps(receiver.ipv4, 25), { timeout: 60_000 }).toBe('open');
    await lab.vps.blockOutbound(25, 'reject');
    expect(await connectFromVps(receiver.ipv4, 25)).toBe('refused');
    await lab.vps.unblock();
    await lab.vps.blockOutbound(25);
    expect(await connectFromVps(receiver.ipv4, 25)).toBe('silent');
    expect(await connectFromVps(lab.addresses.acme.ipv4, 14000)).toBe('open');
    expect(await sh('nft list ruleset')).toBe('');
    await (await loadLab(name)).vps.unblock();
    expect(await connectFromVps(receiver.ipv4, 25)).toBe('open');
    await lab.vps.blockInbound(22, 'reject');
    expect((await ssh(lab.vps.ipv4, 'true')).stderr).toContain('refused');
    await lab.vps.unblock();
  });

  it('cut the link and restore it', async () => {
    const greet = inNamespace(name, 'client', [
      'timeout',
      '2',
      'bash',
      '-c',
      `exec 3<>/dev/tcp/${lab.vps.ipv4}/22`,
    ]);
    const [command = '', ...args] = greet;
    await lab.vps.cutLink();
    expect((await tryRun(command, args)).code).not.toBe(0);
    await lab.vps.restoreLink();
    await lab.vps.waitForSsh();
    expect((await tryRun(command, args)).code).toBe(0);
  });

  it('stop and start a service', async () => {
    await lab.resolverHost.stop();
    expect((await lab.client.exec('dig', ['+time=1', '+tries=1', lab.domain])).code).not.toBe(0);
    await lab.resolverHost.start();
    expect((await dig(lab.domain, 'NS')).authentic).toBe(true);
  });
});

describe('layers and other processes', () => {
  it('keep a disk with its deletions, and start others from it while the first goes on', async () => {
    await sh('echo layered > /root/layered && rm -rf /usr/share/doc/curl');
    await lab.vps.saveLayer('it-layer');
    expect(await hasLayer(cacheDir, 'debian-12', 'it-layer')).toBe(true);
    expect(await hasLayer(cacheDir, 'debian-13', 'it-layer')).toBe(false);
    const second = await createLab({
      name: 'it-second',
      cacheDir,
      layer: 'it-layer',
      services: [],
      ipv6: false,
    });
    try {
      const look = await second.vps.exec(
        'cat /root/layered; ls -d /usr/share/doc/curl; ip -6 -br address show eth0',
      );
      expect(look).toMatchObject({ stdout: 'layered\n' });
      await sh('echo changed > /root/layered');
      expect((await second.vps.exec('cat /root/layered')).stdout).toBe('layered\n');
      await expect(lab.vps.saveLayer('it-layer', { restart: false })).rejects.toMatchObject({
        code: 'E_SANDBOX_LAYER_BUSY',
      });
    } finally {
      await second.down();
      await lab.vps.start();
    }
    expect(await findRemains('it-second')).toEqual([]);
    await removeLayer(cacheDir, (await imageDirOf(name)) ?? '', 'it-layer');
  });

  it('find a running lab again', async () => {
    const again = await loadLab(name);
    expect((await again.vps.exec('hostname')).stdout).toBe('vps1\n');
    expect(again.vps.hostKeyFingerprint).toBe(lab.vps.hostKeyFingerprint);
    expect(await (await again.host('receiver'))?.isRunning()).toBe(true);
    await expect(createLab({ name, cacheDir })).rejects.toMatchObject({ code: 'E_SANDBOX_EXISTS' });
  });
});

async function imageDirOf(labName: string): Promise<string | undefined> {
  return JSON.parse(await readFile(`/run/smtp-setup-sandbox/${labName}/state.json`, 'utf8')).imageDir;
}
