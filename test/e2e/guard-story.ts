import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { VpsImage } from '../../src/sandbox/index.js';
import { waitUntil } from '../../src/sandbox/machine/wait-until.js';
import { inNamespace } from '../../src/sandbox/net/network.js';
import { tryRun } from '../../src/sandbox/run.js';
import { knock as knockAt } from '../helpers/knock.js';
import { openProvisioned, shell, type World } from '../helpers/world.js';

/** What keeps a finished server safe, seen from the machines around it. */
export function tellGuardStory(image: VpsImage): void {
  let world: World;
  beforeAll(async () => {
    world = await openProvisioned(`e2e-guard-${image.slice(-2)}`, image);
    const init = await world.cli(world.rehearsal.initArguments);
    if (init.code !== 0) throw new Error(init.stdout + init.stderr);
  });
  afterAll(() => world?.lab.down());

  const apply = (...more: string[]) => world.cliWithFlags('apply', ['--yes', ...more]);
  const plan = async () => {
    const result = await world.cliWithFlags('plan', ['--exit-code']);
    return `${result.code}\n${result.stdout}`;
  };
  const settled = () => expect.stringMatching(/^0\n/);

  const knock = (port: number, from?: string, address?: string) => knockAt(world, port, from, address);

  /** Calls functions of the run library on the server, as the last run left it there. */
  const library = (calls: string) =>
    shell(
      world,
      `set -u; RUN_DIR=$(mktemp -d); lib=$(ls -d /var/lib/smtp-setup/runs/*/lib | tail -n 1)
for file in "$lib"/*.sh; do case \${file##*/} in start.sh | stop-post.sh) ;; *) . "$file" ;; esac; done
EVENTS=$RUN_DIR/events STEP=1 STEP_CHANGED=0 PROBLEM='' GROUP=''
${calls}`,
    );

  /** Wrong passwords, several at once, from another machine of the lab; each answered by a refusal. */
  async function guess(from: string, port: 465 | 993, user: string, times: number): Promise<void> {
    const program = `const tls = require('node:tls');
      const [host, port, user, times] = process.argv.slice(1);
      const plain = Buffer.from('\\0' + user + '\\0wrong-password').toString('base64');
      const lines = port === '993' ? ['a LOGIN "' + user + '" "wrong-password"'] : ['EHLO guess.test', 'AUTH PLAIN ' + plain];
      const once = () => new Promise((resolve, reject) => {
        const socket = tls.connect({ host, port, rejectUnauthorized: false });
        let seen = '', next = 0;
        socket.setTimeout(60000, () => reject(new Error('silence after ' + seen)));
        socket.on('error', reject).on('data', (data) => {
          seen += data;
          if (/^a NO|^535 /m.test(seen)) { socket.destroy(); resolve(); }
          else if (/^(?:\\* OK|\\d{3} ).*\\r\\n$/m.test(String(data)) && next < lines.length) socket.write(lines[next++] + '\\r\\n');
        });
      });
      Promise.all(Array.from({ length: Number(times) }, once)).catch((error) => { console.error(String(error)); process.exit(1) });`;
    const done = await tryRun(
      'nsenter',
      inNamespace(world.lab.name, from, [
        process.execPath,
        '-e',
        program,
        '--',
        world.lab.vps.ipv4,
        String(port),
        user,
        String(times),
      ]).slice(1),
    );
    if (done.code !== 0) throw new Error(done.stderr);
  }

  /** The same by SSH. */
  async function guessBySsh(from: string, times: number): Promise<void> {
    const program = `const { Client } = require(process.argv[1]);
      const once = () => new Promise((resolve) => {
        const client = new Client();
        client.on('error', resolve).on('close', resolve);
        client.connect({ host: process.argv[2], username: 'nobody-here', password: 'wrong', readyTimeout: 15000 });
      });
      for (let i = 0; i < Number(process.argv[3]); i += 1) once();`;
    const ssh2 = createRequire(import.meta.url).resolve('ssh2');
    const argv = [process.execPath, '-e', program, '--', ssh2, world.lab.vps.ipv4, String(times)];
    const done = await tryRun('nsenter', inNamespace(world.lab.name, from, argv).slice(1));
    if (done.code !== 0) throw new Error(done.stderr);
  }

  describe('tools that share nothing with us', () => {
    /** What testssl.sh says of any server whose certificate a private authority issued, asked for by its address. */
    const ofPrivateAuthority = [
      'cert_trust',
      'cert_chain_of_trust',
      'cert_revocation',
      'cert_validityPeriod',
    ];
    /** What it says about itself. */
    const ofTheTool = ['engine_problem', 'service'];

    it('testssl.sh finds no protocol, cipher or vulnerability above low', async () => {
      const scan = async (port: number) => {
        const file = join(world.lab.directory, `testssl-${port}.json`);
        const starttls = port === 25 || port === 587 ? ['-t', 'smtp'] : [];
        const done = await world.lab.client.exec(
          'testssl',
          [
            ...['--quiet', '--color', '0', '--warnings', 'off', '-n', 'none', '--jsonfile', file],
            ...['-p', '-s', '-P', '-S', '-U', ...starttls, `${world.lab.vps.ipv4}:${port}`],
          ],
          { timeoutMs: 15 * 60_000 },
        );
        const found = JSON.parse(await readFile(file, 'utf8')) as {
          id: string;
          severity: string;
          finding: string;
        }[];
        // All of it was asked: the last of the vulnerabilities, and the protocols.
        const ids = found.map(({ id }) => id);
        expect(ids, done.stdout).toEqual(
          expect.arrayContaining(['TLS1_2', 'cipherlist_NULL', 'cipher_order', 'RC4']),
        );
        return found
          .filter(({ id }) => ![...ofPrivateAuthority, ...ofTheTool].includes(id))
          .filter(({ severity }) => ['MEDIUM', 'HIGH', 'CRITICAL', 'FATAL'].includes(severity))
          .map(({ id, severity, finding }) => `${port} ${id} ${severity} ${finding}`);
      };
      expect((await Promise.all([25, 465, 587, 993].map(scan))).flat()).toEqual([]);
    });

    it('nmap finds no open relay, and no user by VRFY or EXPN', async () => {
      const nmap = (...script: string[]) =>
        world.lab.client.exec('nmap', ['-n', '-Pn', '-p', '25', ...script, world.lab.vps.ipv4], {
          timeoutMs: 10 * 60_000,
        });
      const relay = await nmap(
        ...['--script', 'smtp-open-relay'],
        ...['--script-args', `smtp-open-relay.domain=outside.test,smtp-open-relay.ip=${world.lab.vps.ipv4}`],
      );
      expect(relay.stdout).toContain("Server doesn't seem to be an open relay, all tests failed");
      // Names that there are, and that there often are: its own list takes minutes, for each error costs a second.
      const names = join(world.lab.directory, 'nmap-users');
      await writeFile(names, 'root\nadmin\npostmaster\nada\ntest\n');
      const users = await nmap(
        ...['--script', 'smtp-enum-users'],
        ...['--script-args', `smtp-enum-users.methods={VRFY,EXPN},userdb=${names}`],
      );
      expect(users.stdout).toContain('smtp-enum-users');
      expect(users.stdout).not.toMatch(/^\|_? +(?:root|admin|postmaster|ada|test)\b/m);
    });
  });

  describe('swaks', () => {
    const swaks = async (...words: string[]) => {
      const { mailbox } = world.rehearsal;
      const to = [
        '--server',
        world.lab.vps.ipv4,
        '--to',
        `postmaster@${world.lab.domain}`,
        '--from',
        mailbox,
      ];
      const said = await world.lab.client.exec('swaks', [...to, '--helo', 'client.test', ...words]);
      return { code: said.code, text: said.stdout + said.stderr };
    };
    const login = (kind: string, password = world.rehearsal.password) => [
      ...['--auth', kind, '--auth-user', world.rehearsal.mailbox, `--auth-password=${password}`],
    ];
    // What swaks ends with (its manual): 0 all is well, 23 MAIL, 24 RCPT refused, 28 no login.
    const cases: readonly (readonly [title: string, code: number, said: RegExp, words: () => string[]])[] = [
      [
        'takes mail after a login, on 465',
        0,
        /250 2\.0\.0 /,
        () => ['--port', '465', '--tlsc', ...login('PLAIN')],
      ],
      ['and on 587 under STARTTLS', 0, /250 2\.0\.0 /, () => ['--port', '587', '--tls', ...login('LOGIN')]],
      [
        'no wrong password',
        28,
        /535 /,
        () => ['--port', '465', '--tlsc', ...login('PLAIN', 'wrong-password')],
      ],
      [
        'no login in the clear',
        28,
        /did not advertise authentication/,
        () => ['--port', '587', ...login('PLAIN')],
      ],
      [
        'no login on 25',
        28,
        /did not advertise authentication/,
        () => ['--port', '25', '--tls', ...login('PLAIN')],
      ],
      ['nothing without a login, on 465', 24, /<~\* +5\d\d /, () => ['--port', '465', '--tlsc']],
      ['nor on 587', 24, /<~\* +5\d\d /, () => ['--port', '587', '--tls']],
      [
        'no sender of somebody else',
        24,
        /<~\* +5\d\d /,
        () => ['--port', '465', '--tlsc', ...login('PLAIN'), '--from', `eve@${world.lab.domain}`],
      ],
      [
        'no recipient elsewhere, on 25',
        24,
        /<\*\* +[45]\d\d /,
        () => ['--port', '25', '--to', 'x@elsewhere.test'],
      ],
      [
        'no user that is not there',
        24,
        /<\*\* +550 5\.1\.1/,
        () => ['--port', '25', '--from', '<>', '--to', `nobody@${world.lab.domain}`],
      ],
    ];

    it.each(cases)('%s', async (_title, code, said, words) => {
      const answer = await swaks(...words());
      expect(answer.text).toMatch(said);
      expect(answer.code, answer.text).toBe(code);
    });
  });

  describe('password guessing', () => {
    const address = (host: 'resolver' | 'dns') => world.lab.addresses[host].ipv4;
    const banned = async (jail: string, host: 'resolver' | 'dns', port: number) => {
      await shell(
        world,
        `for i in $(seq 300); do fail2ban-client get ${jail} banip | grep -q '${address(host).replaceAll('.', '\\.')}' && exit 0; sleep 0.2; done; fail2ban-client status ${jail}; exit 1`,
      );
      // It names the address first, and then sees to the packet rules.
      await waitUntil(async () => (await knock(port, host)) === 'refused', {
        what: `port ${port} to be shut for ${host}`,
        timeoutMs: 60_000,
        evidence: async () => [
          await knock(port, host),
          await shell(world, 'nft list ruleset | grep -A 9 f2b || true'),
        ],
      });
    };

    it('shuts the ports with logins for the address it came from, and for no other', async () => {
      const { domain } = world.lab;
      // What our own checks do wrong is not held against whoever runs them.
      await guess('client', 993, `smtp-setup-check-00000000@${domain}`, 8);
      await guess('resolver', 993, `ada@${domain}`, 6);
      await guess('dns', 465, `nobody@${domain}`, 6);
      await banned('smtp-setup-dovecot', 'resolver', 993);
      await banned('smtp-setup-submission', 'dns', 465);
      for (const host of ['resolver', 'dns'] as const) {
        for (const port of [465, 587, 993])
          expect([host, port, await knock(port, host)]).toEqual([host, port, 'refused']);
        expect(await knock(25, host)).toBe('open');
      }
      for (const port of [465, 587, 993]) expect(await knock(port)).toBe('open');
    });

    // OpenSSH 9.8 puts such an address off by itself (PerSourcePenalties), also the one that we come from.
    if (image === 'debian-12') {
      it('by SSH shuts out everybody but whoever just set the server up', async () => {
        await guessBySsh('client', 6);
        await guessBySsh('dns', 6);
        await banned('sshd', 'dns', 22);
        expect(await knock(22, 'dns')).toBe('refused');
        expect(await knock(22)).toBe('open');
        expect(await shell(world, 'fail2ban-client get sshd banip')).not.toContain(world.lab.client.ipv4);
      });
    }

    it('is forgiven by one command, and by a new firewall neither lost nor lifted', async () => {
      await shell(world, 'systemctl reload smtp-setup-firewall');
      expect(await knock(993, 'resolver')).toBe('refused');
      await shell(world, `fail2ban-client unban ${address('resolver')} ${address('dns')}`);
      expect(await knock(993, 'resolver')).toBe('open');
      expect(await plan()).toEqual(settled());
    });
  });

  it('installs security updates by itself and nothing else, unless somebody arranged it otherwise', async () => {
    const origins = await shell(
      world,
      "unattended-upgrade --dry-run --verbose 2>&1 | sed -n 's/.*Allowed origins are: //p'",
    );
    const codename = image === 'debian-12' ? 'bookworm' : 'trixie';
    expect(origins).toBe(`origin=Debian,codename=${codename}-security,label=Debian-Security`);
    const theirs = '/etc/apt/apt.conf.d/60local';
    await shell(world, `echo 'Unattended-Upgrade::Automatic-Reboot "true";' >${theirs}`);
    const given = await apply();
    expect(given.code, given.stdout + given.stderr).toBe(0);
    expect(await shell(world, `ls /etc/apt/apt.conf.d | grep smtp-setup || cat ${theirs}`)).toContain(
      '"true"',
    );
    expect(await plan()).toEqual(settled());
    await shell(world, `rm ${theirs}`);
    const taken = await apply();
    expect(taken.code, taken.stdout + taken.stderr).toBe(0);
    expect(await plan()).toEqual(settled());
  });

  describe('the packet filter', () => {
    const listen = (unit: string, port: number) =>
      shell(
        world,
        `systemd-run -q --unit=${unit} perl -MIO::Socket::INET -e 'my $s = IO::Socket::INET->new(Listen => 5, LocalPort => ${port}, ReuseAddr => 1) or die; sleep 100 while 1'; for i in $(seq 600); do ss -Hltn 'sport = :${port}' | grep -q . && exit 0; sleep 0.1; done; exit 1`,
      );

    it('is in force, was proven by a fresh login, and lets in what mail needs', async () => {
      expect(await shell(world, 'nft list chain inet smtp_setup input')).toContain('policy drop');
      expect(
        await shell(world, "systemctl list-units --all --plain --no-legend 'smtp-setup-firewall-deadman*'"),
      ).toBe('');
      for (const port of [22, 25, 80, 443, 465, 587, 993]) {
        expect([port, await knock(port), await knock(port, 'client', world.lab.vps.ipv6)]).toEqual([
          port,
          'open',
          'open',
        ]);
      }
    });

    it('keeps others out until somebody lets them in, in the place made for it', async () => {
      await listen('stranger', 8080);
      expect(await knock(8080)).toBe('refused');
      await shell(
        world,
        "echo 'tcp dport 8080 accept' >/etc/smtp-setup/local/firewall-web.nft && systemctl reload smtp-setup-firewall",
      );
      expect(await knock(8080)).toBe('open');
      expect(await plan()).toEqual(settled());
      await shell(world, 'rm /etc/smtp-setup/local/firewall-web.nft && systemctl reload smtp-setup-firewall');
      expect(await knock(8080)).toBe('refused');
      await shell(world, 'systemctl stop stranger');
    });

    it('leaves the tables of others alone, and outlives a flush of everything', async () => {
      const theirs =
        'table ip theirs {\n\tchain forward {\n\t\ttype filter hook forward priority filter; policy accept;\n\t}\n}';
      await shell(world, `printf '%s\\n' '${theirs}' | nft -f -`);
      await shell(world, 'systemctl reload smtp-setup-firewall');
      expect(await shell(world, 'nft list table ip theirs')).toBe(theirs);
      // Debian's own file begins with "flush ruleset".
      await shell(world, 'systemctl start nftables && systemctl reload smtp-setup-firewall');
      const there = 'nft list chain inet smtp_setup input >/dev/null 2>&1';
      for (const verb of ['reload', 'restart'])
        await shell(
          world,
          `systemctl ${verb} nftables && for i in $(seq 600); do ${there} && exit 0; sleep 0.1; done; exit 1`,
        );
      await shell(world, 'nft flush ruleset');
      expect(await plan()).toContain('Load the firewall rules');
      const again = await apply();
      expect(again.code, again.stdout + again.stderr).toBe(0);
      expect(await knock(8081)).toBe('refused');
      expect(await plan()).toEqual(settled());
    });

    it('lets in the answer to what the server asked before it came', async () => {
      // The peer answers the first connection once there is a second one.
      const peer = `use IO::Socket::INET; alarm 60;
        my $listen = IO::Socket::INET->new(Listen => 5, LocalPort => 7000, ReuseAddr => 1) or die $!;
        my $first = $listen->accept; my $question = <$first>; my $second = $listen->accept; print $first "answer\n"; <$first>`;
      const server = `use IO::Socket::INET; alarm 20;
        sub reach { while (1) { my $s = IO::Socket::INET->new(PeerAddr => "${world.lab.client.ipv4}:7000"); return $s if $s; select undef, undef, undef, 0.1 } }
        system("nft flush ruleset") == 0 or die;
        my $first = reach(); print $first "question\n";
        system("systemctl reload smtp-setup-firewall") == 0 or die;
        my $second = reach(); print scalar <$first>`;
      const inClient = inNamespace(world.lab.name, 'client', ['perl', '-e', peer]).slice(1);
      const [answer] = await Promise.all([shell(world, `perl -e '${server}'`), tryRun('nsenter', inClient)]);
      expect(answer).toBe('answer');
      expect(await knock(8081)).toBe('refused');
    });

    const letTimerFire = async () => {
      // On a first installation there is always a reload in between, and systemd reads the unit anew from what it wrote.
      await library('firewall_arm 5 && systemctl daemon-reload');
      await shell(
        world,
        'for i in $(seq 300); do nft list table inet smtp_setup >/dev/null 2>&1 || exit 0; sleep 0.1; done; exit 1',
      );
    };
    const lockOut = async () => {
      // Somebody's mistake in our file, which the next load brings into force. By flags: after a flush, connection tracking
      // takes the next packet of an open connection for a new one.
      const file = '/etc/smtp-setup/firewall.nft';
      const mistake =
        'tcp dport 22 tcp flags \\& (syn | ack) == syn reject with tcp reset; tcp dport 22 accept';
      await shell(
        world,
        `cp -p ${file} /root/ && sed -i 's/tcp dport { 22 } accept.*/${mistake}/' ${file} && grep -q 'dport 22 tcp flags' ${file} && nft flush ruleset`,
      );
      const locked = await apply('--on-conflict', 'keep');
      expect(locked.code, locked.stdout + locked.stderr).toBe(1);
      expect(locked.stdout + locked.stderr).toMatch(/E_LOCKED_OUT[\s\S]*Nothing listens for SSH/);
      expect(await knock(22)).toBe('refused');
      await shell(world, `mv /root/firewall.nft ${file}`);
      // What the timer does when the three minutes are over; nothing else has stopped it.
      await shell(
        world,
        'systemctl is-active smtp-setup-firewall-deadman.timer && systemctl start smtp-setup-firewall-deadman.service; for i in $(seq 300); do nft list table inet smtp_setup >/dev/null 2>&1 || exit 0; sleep 0.1; done; exit 1',
      );
      expect(await knock(22)).toBe('open');
    };

    it('takes rules back that nobody could log in with, and puts them in force again when asked', async () => {
      // Once is enough of the whole story.
      await (image === 'debian-13' ? lockOut() : letTimerFire());
      const fired = 'ls /run/smtp-setup-firewall.fired; systemctl is-enabled smtp-setup-firewall || true';
      expect(await shell(world, fired)).toBe('/run/smtp-setup-firewall.fired\ndisabled');
      expect(await plan()).toMatch(/Start .*firewall/);
      const again = await apply();
      expect(again.code, again.stdout + again.stderr).toBe(0);
      expect(
        await shell(world, 'nft list chain inet smtp_setup input; systemctl is-enabled smtp-setup-firewall'),
      ).toMatch(/policy drop[\s\S]*enabled$/);
      expect(await plan()).toEqual(settled());
    });

    it('does not bring rules back with a reboot that nobody has logged in with', async () => {
      await library('firewall_keep 180');
      await world.lab.vps.reboot();
      await shell(world, 'systemctl is-system-running --wait');
      expect(await shell(world, 'nft list ruleset | grep smtp_setup || echo none')).toBe('none');
      expect(await plan()).toMatch(/Start .*firewall/);
      const again = await apply();
      expect(again.code, again.stdout + again.stderr).toBe(0);
      expect(await plan()).toEqual(settled());
    });

    it("is there again after a reboot, although somebody's file flushes everything then", async () => {
      await shell(world, 'grep -q "^flush ruleset" /etc/nftables.conf && systemctl enable nftables');
      await world.lab.vps.reboot();
      await shell(world, 'systemctl is-system-running --wait');
      expect(await shell(world, 'nft list chain inet smtp_setup input')).toContain('policy drop');
      expect(await knock(22)).toBe('open');
    });

    /** Debian's two programs for packet rules, each on one release. */
    const manager =
      image === 'debian-13'
        ? { name: 'ufw', start: 'ufw allow 22/tcp && ufw --force enable' }
        : {
            name: 'firewalld',
            start:
              'firewall-cmd -q --permanent --add-port=443/tcp --add-port=8080/tcp && firewall-cmd -q --reload && firewall-cmd -q --query-service=ssh',
          };

    it(`gives way to ${manager.name} once somebody switches that on, and opens its ports there`, async () => {
      await shell(
        world,
        `DEBIAN_FRONTEND=noninteractive apt-get install -y -q -o DPkg::Lock::Timeout=300 --no-install-recommends ${manager.name} && ${manager.start}`,
      );
      const moved = await apply();
      expect(moved.code, moved.stdout + moved.stderr).toBe(0);
      expect(await shell(world, 'nft list table inet smtp_setup 2>&1 || true')).toContain('No such file');
      expect(await shell(world, 'ls /etc/smtp-setup/firewall.nft 2>&1 || true')).toContain('No such file');
      for (const port of [22, 25, 80, 443, 465, 587, 993])
        expect([port, await knock(port)]).toEqual([port, 'open']);
      // Its rules are in force: whatever was not named stays shut.
      await listen('other', 8081);
      expect(await knock(8081)).not.toBe('open');
      expect(await plan()).toEqual(settled());
    });

    // `uninstall` as a whole is told elsewhere.
    if (image === 'debian-12') {
      it('takes back what it opened in firewalld and nothing else', async () => {
        const flags = ['--config', world.rehearsal.configFile, '--resolver', world.lab.resolver];
        const gone = await world.cli(['uninstall', ...flags, '--discard-queue', '--yes']);
        expect(gone.code, gone.stdout + gone.stderr).toBe(0);
        // Now and after a reload; 443 is one that ours need, too.
        expect(
          await shell(
            world,
            'for which in "" --permanent; do firewall-cmd $which --list-ports | tr " " "\\n" | sort -n | xargs; done',
          ),
        ).toBe('443/tcp 8080/tcp\n443/tcp 8080/tcp');
        expect(await shell(world, 'ls /run | grep smtp-setup-firewall || true')).toBe('');
        expect(await knock(22)).toBe('open');
      });
    }
  });
}
