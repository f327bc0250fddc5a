import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Receiver, startReceiver } from '../../src/sandbox/receiver/index.js';
import { knock } from '../helpers/knock.js';
import { type Judgement, judgeServer } from '../helpers/outside-judges.js';
import { type CliResult, openWorld, shell, type World } from '../helpers/world.js';

/**
 * A server that has worked for years: its own Postfix with mail in the queue and MX pointing to it, a web site on 80 and
 * 443 (of IPv4 on its one address, where nginx asks no site that listens everywhere), packet rules that let in nothing else. What it did before it must do afterwards.
 */
let world: World;
let receiver: Receiver;
beforeAll(async () => {
  world = await openWorld({ name: 'e2e-existing' });
  receiver = await startReceiver(world.lab);
  await seedZone();
  await shell(world, grownServer(receiver.domain, world.lab.vps.ipv4));
});
afterAll(() => world?.lab.down());

const said = ({ stdout, stderr }: CliResult) => `${stdout}\n${stderr}`;
const init = (...more: string[]) => world.cli([...world.rehearsal.initArguments, ...more]);

/** Where mail goes today; and what a former server of the same name left in DNS, whose keys nobody has any more. */
async function seedZone(): Promise<void> {
  const { control } = world.rehearsal.cloudflare;
  const { lab, rehearsal } = world;
  const seed = (type: string, name: string, content: string, more: Readonly<Record<string, unknown>> = {}) =>
    control.seed(lab.domain, { type, name, content, ttl: 300, ...more });
  await seed('A', rehearsal.hostname, lab.vps.ipv4);
  await seed('MX', lab.domain, rehearsal.hostname, { priority: 10 });
  await control.seed(lab.domain, {
    type: 'TLSA',
    name: `_25._tcp.${rehearsal.hostname}`,
    data: { usage: 3, selector: 1, matching_type: 1, certificate: 'ab'.repeat(32) },
    comment: `smtp-setup/1 ${rehearsal.hostname.replaceAll('.', '-')} tlsa`,
    ttl: 300,
  });
  await control.clearCalls();
}

function grownServer(elsewhere: string, address: string): string {
  return `set -e
export DEBIAN_FRONTEND=noninteractive
printf 'postfix postfix/main_mailer_type select Internet Site\\npostfix postfix/mailname string rehearsal.test\\n' | debconf-set-selections
apt-get -o Acquire::Languages=none update -q && apt-get install -y -q --no-install-recommends postfix nginx nftables lynis
useradd -m carol
postconf -e myhostname=mail.rehearsal.test 'mydestination=rehearsal.test, localhost' defer_transports=smtp 'smtpd_banner=Old server'
systemctl restart postfix
mail() { printf 'From: carol@rehearsal.test\\nTo: %s\\nSubject: %s\\n\\nHello\\n' "$1" "$2" | sendmail -f carol@rehearsal.test "$1"; }
mail carol 'For Carol'
mail sink@${elsewhere} 'Waits for years'
mail sink@${elsewhere} 'Held back'
deferred() { find /var/spool/postfix/deferred -type f; }
for i in $(seq 600); do [ "$(deferred | wc -l)" = 2 ] && [ -s /var/mail/carol ] && break; sleep 0.2; done
[ "$(deferred | wc -l)" = 2 ]
postsuper -h "$(deferred | xargs grep -l 'Held back' | sed 's,.*/,,')"

mkdir -p /srv/shop && echo 'the shop' >/srv/shop/index.html
openssl req -x509 -newkey rsa:2048 -nodes -days 90 -subj /CN=shop.test -keyout /etc/ssl/shop.key -out /etc/ssl/shop.pem 2>/dev/null
rm /etc/nginx/sites-enabled/default
cat >/etc/nginx/sites-available/shop <<'END'
server {
    listen ${address}:80;
    listen [::]:80;
    listen ${address}:443 ssl;
    listen [::]:443 ssl;
    server_name shop.test;
    ssl_certificate /etc/ssl/shop.pem;
    ssl_certificate_key /etc/ssl/shop.key;
    root /srv/shop;
}
END
ln -s ../sites-available/shop /etc/nginx/sites-enabled/shop
systemctl restart nginx

cat >/etc/nftables.conf <<'END'
#!/usr/sbin/nft -f
flush ruleset
table inet filter {
	chain input {
		type filter hook input priority filter; policy drop;
		iif "lo" accept
		ct state established,related accept
		meta l4proto { icmp, ipv6-icmp } accept
		tcp dport { 22, 25, 80, 443 } accept
	}
}
END
systemctl enable --now nftables`;
}

/** All of the former life that must not change. */
const formerLife = () =>
  shell(
    world,
    'sha256sum /etc/nftables.conf /etc/nginx/sites-available/shop /var/mail/carol /etc/nginx/nginx.conf; ls /home /etc/nginx/sites-enabled/shop; find /var/spool/postfix/hold -type f',
  );
/** What visitors get: by name, by address and under a name that nobody knows; without and with TLS. */
const visit = () =>
  shell(
    world,
    `for scheme in http https; do for host in shop.test ${world.lab.vps.ipv4} unknown.test; do
       for to in ${world.lab.vps.ipv4} '[${world.lab.vps.ipv6}]'; do
         printf '%s %s ' $scheme $host; curl -sk -m 10 --connect-to "::$to:" $scheme://$host/ || echo "curl $?"
       done
     done; done`,
  );

describe('a server that has worked for years', () => {
  let life: string;
  let visitors: string;
  let before: Judgement;

  it('is left alone until somebody says what becomes of its Postfix, and the queue is shown', async () => {
    life = await formerLife();
    visitors = await visit();
    before = await judgeServer(world);
    expect(visitors.match(/the shop/g), visitors).toHaveLength(12);
    const configuration = await shell(world, 'sha256sum /etc/postfix/main.cf');
    const refused = await init();
    expect(refused.code, said(refused)).toBe(1);
    expect(said(refused)).toContain('E_HAND_EDITED');
    expect(said(refused)).toContain('-smtpd_banner = Old server');
    expect(said(refused)).toContain('--on-conflict take-over');
    // Half of ours and half of theirs works for nobody.
    expect(said(refused)).not.toContain('--on-conflict keep');
    expect(said(refused)).toMatch(/2 messages in its queue/);
    expect(await shell(world, 'sha256sum /etc/postfix/main.cf')).toBe(configuration);
    expect(await shell(world, 'ls -d /var/lib/smtp-setup /etc/smtp-setup 2>/dev/null || true')).toBe('');
    expect(existsSync(world.rehearsal.configFile)).toBe(false);
    expect(await world.rehearsal.cloudflare.control.writeCount()).toBe(0);
    expect(await formerLife()).toBe(life);
  });

  it('does not lose mail in the queue that only its old configuration can deliver', async () => {
    await shell(
      world,
      `echo virtual.test anything >/etc/postfix/domains && postmap /etc/postfix/domains
postconf -e virtual_mailbox_domains=hash:/etc/postfix/domains defer_transports=smtp,local,virtual && postfix reload 2>/dev/null
for to in dave@localhost dave@virtual.test; do printf 'Subject: For Dave\\n\\nHello\\n' | sendmail -f carol@rehearsal.test $to; done
for i in $(seq 600); do [ "$(find /var/spool/postfix/deferred -type f | wc -l)" = 3 ] && exit 0; sleep 0.2; done; mailq; exit 1`,
    );
    const refused = await init('--on-conflict', 'take-over');
    expect(refused.code, said(refused)).toBe(5);
    expect(said(refused)).toMatch(/SRV-LOCAL-QUEUE[^\n]*dave@localhost[^\n]*, dave@virtual\.test/);
    expect(await shell(world, 'ls -d /var/lib/smtp-setup 2>/dev/null || true')).toBe('');
    await shell(world, "grep -rl dave /var/spool/postfix/deferred | sed 's,.*/,,' | postsuper -d -");
  });

  it('becomes a mail server when told to, and that is then a finished one', async () => {
    const done = await init('--on-conflict', 'take-over');
    expect(done.code, said(done)).toBe(0);
    const plan = await world.cliWithFlags('plan', ['--exit-code']);
    expect(plan.code, said(plan)).toBe(0);
    expect(await shell(world, 'grep -rl "Old server" /var/lib/smtp-setup/before/tree')).toContain('main.cf');
  });

  it('sends what waited in the queue, and holds what was held', async () => {
    const flushed = await world.cli(['queue', 'flush', '--config', world.rehearsal.configFile]);
    expect(flushed.code, said(flushed)).toBe(0);
    await receiver.waitForMessage(({ raw }) => raw.includes('Waits for years'), 120_000);
    expect((await receiver.messages()).filter(({ raw }) => raw.includes('Held back'))).toEqual([]);
    expect(await formerLife()).toBe(life);
  });

  it('refuses nobody whose mail it took before: there is a mailbox to be made', async () => {
    const answer = await receiver.sendDirectly(
      world.lab.vps.ipv4,
      { from: `stranger@${receiver.domain}`, to: `carol@${world.lab.domain}` },
      ['--quit-after', 'RCPT'],
    );
    expect(answer.stdout).toMatch(/<\*\* +450/);
  });

  it('still shows its site to everybody', async () => {
    expect(await visit()).toBe(visitors);
  });

  it('is judged no worse by tools that share nothing with us', async () => {
    const now = await judgeServer(world);
    expect(now.lynis).toBeGreaterThanOrEqual(before.lynis);
    expect(before.ssh).toEqual(expect.arrayContaining(now.ssh));
  });

  it('lets in mail through the rules that were there, also after they are loaded anew and after a reboot', async () => {
    const doors = async () =>
      Promise.all(
        [22, 25, 80, 443, 465, 587, 993, 8080].map(async (port) => [port, await knock(world, port)]),
      );
    const expected = [22, 25, 80, 443, 465, 587, 993].map((port) => [port, 'open']);
    const open = [...expected, [8080, expect.stringMatching(/^no /)]];
    expect(await doors()).toEqual(open);
    await shell(world, 'systemctl reload nftables');
    await shell(
      world,
      "for i in $(seq 600); do nft list chain inet filter input | grep -q 'dport 993' && exit 0; sleep 0.1; done; exit 1",
    );
    expect(await doors()).toEqual(open);
    await world.lab.vps.reboot();
    await shell(world, 'systemctl is-system-running --wait');
    expect(await doors()).toEqual(open);
    expect(await visit()).toBe(visitors);
    const plan = await world.cliWithFlags('plan', ['--exit-code']);
    expect(plan.code, said(plan)).toBe(0);
  });
});
