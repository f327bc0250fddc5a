import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Receiver, startReceiver } from '../../src/sandbox/receiver/index.js';
import { type Judgement, judgeServer } from '../helpers/outside-judges.js';
import { type CliResult, openWorld, shell, startCli, type World } from '../helpers/world.js';

/**
 * What clouds and images bring along: exim4 with mail in its queue, cloud-init at work, the package system held by
 * somebody, needrestart, systemd-resolved on port 53.
 */
let world: World;
let receiver: Receiver;
beforeAll(async () => {
  world = await openWorld({ name: 'e2e-first-boot', image: 'debian-13' });
  receiver = await startReceiver(world.lab);
  await shell(world, furnish(world.lab.resolver, receiver.domain));
});
afterAll(() => world?.lab.down());

const said = ({ stdout, stderr }: CliResult) => `${stdout}\n${stderr}`;
const initArguments = () => world.rehearsal.initArguments;

function furnish(resolver: string, elsewhere: string): string {
  return `set -e
export DEBIAN_FRONTEND=noninteractive
mkdir -p /etc/cloud/cloud.cfg.d /var/lib/cloud/seed/nocloud /etc/systemd/resolved.conf.d
cat >/etc/cloud/cloud.cfg.d/95-lab.cfg <<'END'
datasource_list: [NoCloud]
network: {config: disabled}
users: []
disable_root: false
ssh_deletekeys: false
cloud_init_modules: [set_hostname, update_hostname, update_etc_hosts]
cloud_config_modules: [runcmd]
cloud_final_modules: [scripts_user]
END
printf 'instance-id: lab\\nlocal-hostname: vps1\\n' >/var/lib/cloud/seed/nocloud/meta-data
cat >/var/lib/cloud/seed/nocloud/user-data <<'END'
#cloud-config
runcmd:
  - [sh, -c, 'until [ -e /run/cloud-gate ]; do sleep 0.2; done']
END
printf '[Resolve]\\nDNS=${resolver}\\n' >/etc/systemd/resolved.conf.d/lab.conf
debconf-set-selections <<'END'
exim4-config exim4/dc_eximconfig_configtype select internet site; mail is sent and received directly using SMTP
exim4-config exim4/mailname string rehearsal.test
END
apt-get -o Acquire::Languages=none update -q
apt-get install -y -q --no-install-recommends exim4-daemon-light cloud-init needrestart systemd-resolved unattended-upgrades lynis
systemctl restart systemd-resolved
[ "$(readlink /etc/resolv.conf)" = ../run/systemd/resolve/stub-resolv.conf ]
printf 'From: root@rehearsal.test\\nTo: sink@${elsewhere}\\nSubject: Left in exim\\n\\nHello\\n' | exim4 -odq sink@${elsewhere}`;
}

/** Stands in for an upgrade that takes its time: apt itself, with the package system in its hands. */
const holdPackages = `systemd-run -q --unit=upgrade apt-get -q -y -o 'DPkg::Pre-Invoke::=until [ -e /run/apt-gate ]; do sleep 0.2; done' install --reinstall netbase
until grep -q ":$(stat -c %i /var/lib/dpkg/lock-frontend) " /proc/locks; do sleep 0.1; done`;

let before: Judgement;

describe('a server with exim4', () => {
  it('is not touched while mail waits that Postfix could not read', async () => {
    const refused = await world.cli(initArguments());
    expect(refused.code, said(refused)).toBe(5);
    expect(said(refused)).toContain('SRV-OTHER-MTA');
    expect(said(refused)).toContain('1 message in its queue');
    expect(await shell(world, 'exim4 -bpc; ls -d /var/lib/smtp-setup 2>/dev/null || true')).toBe('1');
    // What the refusal advises.
    expect(said(refused)).toContain('exim4 -qff');
    await shell(world, 'exim4 -qff');
    [before] = await Promise.all([
      judgeServer(world),
      receiver.waitForMessage(({ raw }) => raw.includes('Left in exim'), 120_000),
    ]);
  });
});

describe('a first boot that is not over', () => {
  it('is waited for, and so is whoever holds the package system', async () => {
    await world.lab.vps.reboot();
    await shell(world, holdPackages);
    const client = startCli(world, initArguments());
    await client.saw(/Waiting for cloud-init/);
    await shell(world, ': >/run/cloud-gate');
    await client.saw(/Waiting for the package system: process \d+ \([^)]*apt-get/);
    await shell(world, ': >/run/apt-gate');
    expect(await client.ended, client.output()).toBe(0);
    const plan = await world.cliWithFlags('plan', ['--exit-code']);
    expect(plan.code, said(plan)).toBe(0);
  });

  it('has left a mail server that keeps its name and its resolver when it boots again', async () => {
    await world.lab.vps.reboot();
    await shell(world, 'cloud-init status --wait || true');
    const plan = await world.cliWithFlags('plan', ['--exit-code']);
    expect(plan.code, said(plan)).toBe(0);
    expect(await shell(world, 'hostname; cat /etc/mailname')).toBe(
      `${world.rehearsal.hostname}\n${world.lab.domain}`,
    );
    expect(
      await shell(world, 'grep ^nameserver /etc/resolv.conf; systemctl is-active systemd-resolved'),
    ).toBe('nameserver 127.0.0.1\nactive');
    expect(await shell(world, 'dpkg --audit; ls -d /var/spool/exim4; command -v exim4 || true')).toBe(
      '/var/spool/exim4',
    );
  });

  it('has left a server that tools which share nothing with us judge no worse', async () => {
    const now = await judgeServer(world);
    expect(now.lynis).toBeGreaterThanOrEqual(before.lynis);
    expect(before.ssh).toEqual(expect.arrayContaining(now.ssh));
  });
});
