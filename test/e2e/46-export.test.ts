import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { lockPathFor } from '../../src/config/lock-file.js';
import { waitUntil } from '../../src/sandbox/machine/wait-until.js';
import { rentSecondVps, type SecondVps } from '../../src/sandbox/second-vps.js';
import { addRecords } from '../helpers/cloudflare-zone.js';
import { type RelayHost, startRelayHost, trustLabAuthority } from '../helpers/relay-host.js';
import { type CliResult, openWorld, shell, type World } from '../helpers/world.js';

/**
 * Two servers that smtp-setup never logs in to: one boots with the exported user-data (cloud-init, Debian 12), the other
 * is given the exported script (Debian 13) and only sends, through a hosted relay. Both fetch the key that they sign with at
 * boot, and the other one its login for the relay.
 */
let world: World;
let second: SecondVps;
let relay: RelayHost;
const login = { user: 'apikey', password: `SG.${randomBytes(18).toString('base64url')} x` };
let hosts: [string, string];
let domains: [string, string];
const selector = 'shared';
/** The names that lead to a server's web pages come with apply; certificates for them are asked for then. */
const noWeb = { 'mta-sts-host': false, autoconfig: false, autodiscover: false };
const pair = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'der' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});
const publicKey = pair.publicKey.toString('base64');

beforeAll(async () => {
  world = await openWorld({ name: 'e2e-export', image: 'debian-12' });
  const { lab, rehearsal } = world;
  [second, relay] = await Promise.all([rentSecondVps(lab, 'debian-13'), startRelayHost(world)]);
  await relay.setLogin(login.user, login.password);
  await trustLabAuthority(world, (command, options) => second.exec(['/bin/sh', '-c', command], options));
  hosts = [rehearsal.hostname, `mail2.${lab.domain}`];
  domains = [lab.domain, `sub.${lab.domain}`];
  await lab.dns.setPtr(second.ipv4, `${hosts[1]}.`);
  const common = {
    identity: lab.vps.sshKeyFile,
    resolver: { forwarder: lab.resolver, trustAnchor: lab.trustAnchorFile },
    ipv6: 'off',
  };
  const through = { provider: 'custom', host: relay.host, spfInclude: relay.spf };
  await writeFile(
    rehearsal.configFile,
    stringify({
      version: 1,
      servers: {
        [hosts[0]]: { ssh: `root@${lab.vps.ipv4}`, hostKey: lab.vps.hostKeyFingerprint, ...common },
        [hosts[1]]: {
          profile: 'send-only',
          ssh: `root@${second.ipv4}`,
          hostKey: second.hostKeyFingerprint,
          ...common,
          relay: through,
        },
      },
      domains: {
        [domains[0]]: { server: hosts[0], dns: 'cloudflare', records: noWeb },
        [domains[1]]: { server: hosts[1], dns: 'cloudflare', mail: 'send-only' },
      },
    }),
  );
  const dkim = [{ selector, publicKey }];
  const lock = { version: 1, servers: {}, domains: { [domains[0]]: { dkim }, [domains[1]]: { dkim } } };
  await writeFile(lockPathFor(rehearsal.configFile), JSON.stringify(lock));
  await addRecords(world, lab.domain, [
    { type: 'A', name: hosts[0], content: lab.vps.ipv4, ttl: 60 },
    { type: 'A', name: hosts[1], content: second.ipv4, ttl: 60 },
  ]);
});
afterAll(() => world?.lab.down());

const said = ({ stdout, stderr }: CliResult) => `${stdout}\n${stderr}`;
const memory = ['--memory', '16000'];
const exportFor = (form: string, hostname: string, ...more: string[]) =>
  world.cli([
    ...['export', form, '--hostname', hostname, '--config', world.rehearsal.configFile, ...memory],
    ...['--acme-directory', world.lab.acme.directory, '--acme-ca', world.lab.acme.caFile, ...more],
  ]);
const onSecond = async (command: string, input?: string) => {
  const result = await second.exec(['/bin/sh', '-c', command], {
    timeoutMs: 900_000,
    ...(input === undefined ? {} : { input }),
  });
  expect(result.code, result.stdout + result.stderr).toBe(0);
  return result.stdout.trim();
};
const onFirst = (command: string) => shell(world, command);
const placeKey = (domain: string) =>
  `mkdir -p -m 700 /root/keys && umask 077 && cat >/root/keys/${domain}.pem <<'END'\n${pair.privateKey}END`;
const status = 'cat /var/lib/smtp-setup/export/status 2>/dev/null || echo gone';

async function waitFor(where: (command: string) => Promise<string>, pattern: RegExp): Promise<void> {
  await waitUntil(async () => pattern.test(await where(status)), {
    what: `the exported server to say ${pattern}`,
    timeoutMs: 600_000,
    evidence: async () => [
      await where(status),
      await where(
        'journalctl -u smtp-setup-export -u cloud-final -n 30 --no-pager -o cat; tail -n 20 /var/lib/smtp-setup/runs/*/log',
      ),
    ],
  });
}

async function bootWithUserData(): Promise<void> {
  const { lab, rehearsal } = world;
  const out = join(rehearsal.home, 'export');
  await mkdir(out);
  const key = ['--dkim-key-file', '/root/keys/{domain}.pem'];
  const tooLarge = await exportFor('cloud-init', hosts[0], ...key);
  expect(tooLarge.code).toBe(2);
  expect(said(tooLarge)).toContain('E_EXPORT_SIZE');
  const url = `http://${lab.client.ipv4}:8099/stage-2.gz`;
  const done = await exportFor('cloud-init', hosts[0], ...key, '--stage-url', url, '--out', out, '--json');
  expect(done.code, said(done)).toBe(0);
  const { sizes } = JSON.parse(done.stdout);
  expect(sizes['user-data']).toBeLessThan(16_384);
  expect(sizes['stage-2.gz']).toBeGreaterThan(16_384);

  await onFirst(
    'export DEBIAN_FRONTEND=noninteractive; apt-get update -q && apt-get install -q -y -o DPkg::Lock::Timeout=300 --no-install-recommends cloud-init',
  );
  // What a provider's image brings; the sandbox's network and keys are not cloud-init's business.
  await onFirst(`cat >/etc/cloud/cloud.cfg.d/99-image.cfg <<'END'
datasource_list: [ NoCloud ]
network: { config: disabled }
ssh_deletekeys: false
disable_root: false
manage_resolv_conf: false
apt: { preserve_sources_list: true }
END
mkdir -p /var/lib/cloud/seed/nocloud
printf 'instance-id: i-1\\nlocal-hostname: vps\\n' >/var/lib/cloud/seed/nocloud/meta-data`);
  await onFirst(placeKey(domains[0]));
  await writeFile(
    join(lab.vps.root, 'var/lib/cloud/seed/nocloud/user-data'),
    await readFile(join(out, 'user-data')),
  );
  const server = lab.client.spawn('python3', [
    ...['-m', 'http.server', '8099', '--bind', lab.client.ipv4, '--directory', out],
  ]);
  try {
    await lab.vps.reboot();
    await waitFor(onFirst, /waiting for the TXT record/);
  } finally {
    server.kill();
  }
}

async function runScript(): Promise<void> {
  const key = ['--dkim-key-command', 'cat "/root/keys/$DKIM_DOMAIN.pem"'];
  const relayLogin = ['--relay-login-file', '/root/keys/{relay}.login'];
  const stranded = await exportFor('script', hosts[1], ...key);
  expect(stranded.code).toBe(2);
  expect(said(stranded)).toContain('E_EXPORT_RELAY');
  const wrong = await exportFor('script', hosts[1], '--release', 'debian-12', ...key, ...relayLogin);
  const refused = await second.exec(['/bin/sh', '-s'], { input: wrong.stdout });
  expect(refused.code).toBe(5);
  expect(refused.stderr).toContain('nothing was changed');
  const script = await exportFor('script', hosts[1], '--release', 'debian-13', ...key, ...relayLogin);
  expect(script.code, said(script)).toBe(0);
  expect(script.stdout).not.toContain('PRIVATE KEY');
  expect(script.stdout).not.toContain(login.password);
  await onSecond(placeKey(domains[1]));
  await onSecond('umask 077; cat >/root/keys/server.login', `${login.user}\n${login.password}`);
  expect(await onSecond('sh -s', script.stdout)).toContain('installed');
  await waitFor(onSecond, /waiting for the TXT record/);
}

describe('servers that other engines build', () => {
  it('install themselves from user-data in two stages, and from a script, and wait for the key', async () => {
    await Promise.all([bootWithUserData(), runScript()]);
    // Until strangers can verify it, mail is put off.
    for (const where of [onFirst, onSecond]) {
      expect(await where('cat /etc/rspamd/local.d/dkim_signing.conf')).not.toContain(`${selector}.key`);
      expect(await where('postfix status && systemctl is-active dovecot rspamd')).toBe('active\nactive');
    }
    await onSecond(
      `printf 'Subject: Exported\n\nhello\n' | sendmail -f root@${domains[1]} sink@${relay.spf}`,
    );
    const putOff = "journalctl -q --no-pager -o cat -t postfix/cleanup | grep 'milter-reject' || true";
    await waitUntil(async () => /4\.7\.1 Signing is not possible/.test(await onSecond(putOff)), {
      what: 'mail to be put off that cannot be signed yet',
      timeoutMs: 120_000,
      evidence: async () => [await onSecond(`${putOff}; postqueue -p; ls /var/spool/postfix/maildrop`)],
    });
  });

  it('sign once the record is visible, get their certificates, and leave nothing of the export behind', async () => {
    await addRecords(
      world,
      world.lab.domain,
      domains.map((domain) => ({
        type: 'TXT',
        name: `${selector}._domainkey.${domain}`,
        content: `v=DKIM1; k=rsa; p=${publicKey}`,
        ttl: 60,
      })),
    );
    await Promise.all([waitFor(onFirst, /^gone$/), waitFor(onSecond, /^gone$/)]);
    for (const where of [onFirst, onSecond]) {
      expect(await where('readlink /etc/smtp-setup/tls')).toContain('issued-');
      expect(await where('ls /etc/systemd/system | grep smtp-setup-export || true')).toBe('');
      expect(await where('ls /run | grep smtp-setup-export || true')).toBe('');
    }
  });

  it('send through the relay with the login that was fetched, which lies where only root reads it', async () => {
    expect(await onSecond("stat -c '%a %U' /etc/smtp-setup/relay /etc/smtp-setup/relay/server")).toBe(
      '700 root\n600 root',
    );
    expect(await onSecond(`grep -rlF -- '${login.password}' /etc /var /run /usr/local || true`)).toBe(
      '/etc/smtp-setup/relay/server',
    );
    // What waited goes now; where pickup is just ending, by itself within a minute.
    await onSecond('postkick public pickup W || true');
    const message = await relay.receiver.waitForMessage(
      ({ raw }) => raw.includes('Subject: Exported'),
      120_000,
    );
    const received = message.headers.filter(({ name }) => name === 'received').map(({ value }) => value);
    expect(received.join('\n')).toMatch(/by mx\.relay\.test .*with ESMTPSA/s);
    // The relay passes it on as it came: signed.
    const signature = message.headers.find(({ name }) => name === 'dkim-signature')?.value;
    expect(signature).toMatch(new RegExp(`d=${domains[1]};.*s=${selector};`, 's'));
  });

  it('are what apply would have made: a plan finds nothing to change on them', async () => {
    const { lab, rehearsal } = world;
    const plan = await world.cli([
      ...['plan', '--json', '--config', rehearsal.configFile, '--resolver', lab.resolver],
    ]);
    expect(plan.code, said(plan)).toBe(0);
    const { servers } = JSON.parse(plan.stdout);
    expect(servers).toHaveLength(2);
    for (const { server, zones } of servers) {
      expect(server).toEqual([]);
      // Those that were there before it have not been asked for again.
      const roles = zones[0].changes.map(({ role }: { role: string }) => role);
      expect(roles).not.toContain('dkim');
      expect(roles).not.toContain('a');
    }
  });

  it('are not begun anew by an engine that runs the script again', async () => {
    const key = ['--relay-login-file', '/root/keys/{relay}.login'];
    const script = await exportFor('script', hosts[1], '--release', 'debian-13', ...key);
    expect(await onSecond('sh -s', script.stdout)).toContain('nothing was changed');
  });
});
