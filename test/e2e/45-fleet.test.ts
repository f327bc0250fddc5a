import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { lockPathFor } from '../../src/config/lock-file.js';
import { sideBySide } from '../../src/lib/side-by-side.js';
import { waitUntil } from '../../src/sandbox/machine/wait-until.js';
import { type Receiver, startReceiver } from '../../src/sandbox/receiver/index.js';
import { rentSecondVps, type SecondVps } from '../../src/sandbox/second-vps.js';
import { type CliResult, openProvisioned, shell, type World } from '../helpers/world.js';

/** Two servers of one configuration, made at once: a primary (Debian 12) and its backup (13); then the primary is away. */
let world: World;
let backup: SecondVps;
let receiver: Receiver;
let hosts: { primary: string; backup: string };
const count = 200;

beforeAll(async () => {
  world = await openProvisioned('e2e-fleet', 'debian-12');
  [backup, receiver] = await Promise.all([rentSecondVps(world.lab, 'debian-13'), startReceiver(world.lab)]);
  hosts = { primary: world.rehearsal.hostname, backup: `mail2.${world.lab.domain}` };
  for (const address of [backup.ipv4, backup.ipv6 ?? ''])
    await world.lab.dns.setPtr(address, `${hosts.backup}.`);
  const { lab } = world;
  const common = {
    identity: lab.vps.sshKeyFile,
    resolver: { forwarder: lab.resolver, trustAnchor: lab.trustAnchorFile },
  };
  const config = {
    version: 1,
    servers: {
      [hosts.primary]: { ssh: `root@${lab.vps.ipv4}`, hostKey: lab.vps.hostKeyFingerprint, ...common },
      [hosts.backup]: {
        ssh: `root@${backup.ipv4}`,
        hostKey: backup.hostKeyFingerprint,
        profile: 'backup-mx',
        ...common,
      },
    },
    domains: { [lab.domain]: { server: hosts.primary, dns: 'cloudflare', backup: hosts.backup } },
  };
  await writeFile(world.rehearsal.configFile, stringify(config));
});
afterAll(() => world?.lab.down());

const run = (command: string, ...more: string[]): Promise<CliResult> => {
  const { lab, rehearsal } = world;
  const flags = [
    ...['--config', rehearsal.configFile, '--resolver', lab.resolver],
    ...['--acme-directory', lab.acme.directory, '--acme-ca', lab.acme.caFile],
  ];
  return world.cli([command, ...flags, ...more]);
};
const said = ({ stdout, stderr }: CliResult) => `${stdout}\n${stderr}`;
const at = (local: string) => `${local}@${world.lab.domain}`;
const onBackup = async (command: string) => {
  const result = await backup.exec(['/bin/sh', '-c', command]);
  expect(result.code, result.stdout + result.stderr).toBe(0);
  return result.stdout.trim();
};
/** Mail to the mailbox of the story: a machine may have a word of its own to its administrator. */
const queued = async () =>
  Number(await onBackup(`postqueue -j | grep -cF '"address": "${world.rehearsal.mailbox}"' || true`));
const addUser = (address: string) => {
  const { configFile, passwordFile } = world.rehearsal;
  const flags = ['--password-file', passwordFile, '--config', configFile, '--yes'];
  return world.cli(['user', 'add', address, ...flags]);
};
const swaks = (server: string, to: string) =>
  receiver.sendDirectly(server, { from: `stranger@${receiver.domain}`, to }, ['--quit-after', 'RCPT']);

describe('a primary and its backup', () => {
  it('are shown in one plan, with their zone once', async () => {
    const plan = await run('plan');
    expect(plan.code, said(plan)).toBe(0);
    for (const host of Object.values(hosts)) expect(plan.stdout).toContain(`Plan for ${host}: `);
    expect(plan.stdout.match(/^DNS: /gm)).toHaveLength(1);
    expect(plan.stdout).toContain('2 servers: 2 to change, 0 as planned');
  });

  it('are made at once; the second MX follows the first, and then nothing is left to do', async () => {
    const added = await addUser(world.rehearsal.mailbox);
    expect(added.code, said(added)).toBe(0);
    // The primary has little to do. What it waits for is let go when the backup has begun.
    const lists = '/etc/smtp-setup/.accounts.lock';
    await shell(
      world,
      `systemd-run -q --unit=gate flock ${lists} timeout 300 sh -c 'until [ -e /run/gate ]; do sleep 0.1; done'
while flock -n ${lists} true; do sleep 0.1; done`,
    );
    const openGate = async () => {
      const begun = "cat /var/lib/smtp-setup/runs/*/events 2>/dev/null | grep -c '\tstep\t' || true";
      try {
        await waitUntil(async () => (await onBackup(begun)) !== '0', {
          what: 'the run of the backup to begin beside that of the primary',
          timeoutMs: 120_000,
        });
      } finally {
        await shell(world, ': >/run/gate');
      }
    };
    const [apply] = await Promise.all([run('apply', '--yes', '--json'), openGate()]);
    expect(apply.code, said(apply)).toBe(0);
    // Side by side: each begins before the other ends.
    const events = apply.stderr.split('\n').filter((line) => line.startsWith('{'));
    const first = (host: string) => events.findIndex((line) => line.includes(`"${host} install-`));
    const last = (host: string) => events.findLastIndex((line) => line.includes(`"${host} install-`));
    expect(first(hosts.backup)).toBeLessThan(last(hosts.primary));
    expect(first(hosts.primary)).toBeLessThan(last(hosts.backup));
    const lock = JSON.parse(await readFile(lockPathFor(world.rehearsal.configFile), 'utf8'));
    expect(Object.keys(lock.servers).sort()).toEqual(Object.values(hosts).sort());
    const records = await world.rehearsal.cloudflare.control.records(world.lab.domain);
    const exchanges = records.flatMap(({ type, content, priority }) =>
      type === 'MX' ? [`${priority} ${content}`] : [],
    );
    expect(exchanges.sort()).toEqual([`10 ${hosts.primary}`, `20 ${hosts.backup}`]);
    const plan = await run('plan', '--exit-code');
    expect(plan.code, said(plan)).toBe(0);
    expect(plan.stdout).toContain('2 servers: 0 to change, 2 as planned');
  });

  it('do not hold each other up: one that cannot be reached is named, the other is put right', async () => {
    const { lab, rehearsal } = world;
    await shell(world, 'rm /etc/postfix/submission_header_checks');
    const config = await readFile(rehearsal.configFile, 'utf8');
    await writeFile(
      rehearsal.configFile,
      config.replace(backup.hostKeyFingerprint, `SHA256:${'A'.repeat(43)}`),
    );
    const apply = await run('apply', '--yes', '--json');
    await writeFile(rehearsal.configFile, config);
    expect(apply.code, said(apply)).toBe(1);
    expect(JSON.parse(apply.stdout).servers).toEqual([
      expect.objectContaining({ hostname: hosts.primary, changed: true }),
      { hostname: hosts.backup, error: expect.objectContaining({ code: expect.any(String) }) },
    ]);
    expect(apply.stderr).toContain(`not as planned: ${hosts.backup}; as planned: ${hosts.primary}`);
    await shell(world, 'test -s /etc/postfix/submission_header_checks');
    const whose = await run('plan', '--ssh', `root@${lab.vps.ipv4}`);
    expect(whose.code).toBe(2);
    expect(said(whose)).toContain('E_ONE_SERVER');
  });

  it('leaves mailboxes, logins and every port but 25 to the primary', async () => {
    await onBackup('test ! -e /usr/sbin/dovecot');
    const listening = await onBackup("ss -ltnH 'not src 127.0.0.0/8 and not src [::1]' | awk '{print $4}'");
    expect(listening).not.toMatch(/:(465|587|993|143|110|4190)$/m);
  });

  it('learns at once of a mailbox that comes, and of one that goes', async () => {
    expect((await swaks(backup.ipv4, at('late'))).stdout).toContain('550 5.1.1');
    const added = await addUser(at('late'));
    expect(added.code, said(added)).toBe(0);
    const taken = await swaks(backup.ipv4, at('late'));
    expect(taken.code, taken.stdout).toBe(0);
    const removed = await world.cli([
      'user',
      'rm',
      at('late'),
      '--config',
      world.rehearsal.configFile,
      '--yes',
    ]);
    expect(removed.code, said(removed)).toBe(0);
    expect((await swaks(backup.ipv4, at('late'))).stdout).toContain('550 5.1.1');
  });

  it('cannot be told of one while it is away: that is said, and the next apply tells it', async () => {
    await onBackup('systemctl stop ssh.socket ssh 2>/dev/null; systemctl stop ssh');
    const added = await addUser(at('behind'));
    await onBackup('systemctl start ssh');
    expect(added.code, said(added)).toBe(1);
    expect(said(added)).toContain('E_BACKUP_BEHIND');
    expect(await shell(world, 'cat /etc/smtp-setup/users')).toContain(at('behind'));
    expect((await swaks(backup.ipv4, at('behind'))).stdout).toContain('550 5.1.1');
    const apply = await run('apply', '--yes');
    expect(apply.code, said(apply)).toBe(0);
    const taken = await swaks(backup.ipv4, at('behind'));
    expect(taken.code, taken.stdout).toBe(0);
  });

  it('keeps everything while the primary is away, and refuses whom the primary would', async () => {
    await shell(world, 'postfix stop; systemctl stop postfix');
    const unknown = await swaks(backup.ipv4, at('nobody'));
    expect(unknown.code).not.toBe(0);
    expect(unknown.stdout).toContain('550 5.1.1');
    const elsewhere = await swaks(backup.ipv4, 'sink@elsewhere.test');
    expect(elsewhere.stdout).toMatch(/[45]54 [45]\.7\.1/);
    await sideBySide([...Array(count).keys()], 8, (one) =>
      receiver.sendMail({
        from: `stranger@${receiver.domain}`,
        to: world.rehearsal.mailbox,
        subject: `Away ${one}`,
      }),
    );
    await waitUntil(async () => (await queued()) === count, {
      what: `${count} messages in the queue of the backup`,
      timeoutMs: 300_000,
      evidence: async () => [`${await queued()} are there`, ...(await receiver.log(5))],
    });
    // The plan of a backup whose primary cannot be asked goes on with the list that it has.
    await shell(world, 'systemctl stop ssh');
    const plan = await run('plan', '--exit-code', '--server', hosts.backup);
    await shell(world, 'systemctl start ssh');
    expect(plan.code, said(plan)).toBe(0);
    expect(plan.stderr).toContain('the backup keeps its list');
  });

  it('hands everything over afterwards: none is lost, none comes twice, none goes back', async () => {
    await shell(world, 'systemctl start postfix');
    const arrived = async () =>
      (
        await shell(
          world,
          `grep -rhi '^Subject: Away ' /var/vmail/${world.lab.domain}/ada/Maildir/new /var/vmail/${world.lab.domain}/ada/Maildir/cur || true`,
        )
      )
        .split('\n')
        .filter((line) => line !== '');
    await onBackup('postqueue -f');
    await waitUntil(async () => (await queued()) === 0, {
      what: 'the queue of the backup to be empty',
      timeoutMs: 300_000,
      evidence: async () => [await onBackup('postqueue -p | tail -n 20')],
    });
    await waitUntil(async () => (await arrived()).length >= count, {
      what: 'all of it to be in the mailbox',
      timeoutMs: 300_000,
      evidence: async () => [`${(await arrived()).length} are there`],
    });
    const subjects = await arrived();
    expect(subjects).toHaveLength(count);
    expect(new Set(subjects).size).toBe(count);
    expect((await receiver.messages()).filter(({ envelopeFrom }) => envelopeFrom === '')).toEqual([]);
  });
});
