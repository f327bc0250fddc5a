import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { VpsImage } from '../../src/sandbox/index.js';
import { inNamespace } from '../../src/sandbox/net/network.js';
import { tryRun } from '../../src/sandbox/run.js';
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

  /** `open`, or why a connection from another machine of the lab did not come about. */
  async function knock(port: number, from = 'client', address = world.lab.vps.ipv4): Promise<string> {
    const program = `use IO::Socket::IP; my $s = IO::Socket::IP->new(PeerHost => '${address}', PeerPort => ${port}, Timeout => 5);
      print $s ? 'open' : $! =~ /refused/ ? 'refused' : "no ($!)"`;
    const { stdout } = await tryRun(
      'nsenter',
      inNamespace(world.lab.name, from, ['perl', '-e', program]).slice(1),
    );
    return stdout;
  }

  /** Calls functions of the run library on the server, as the last run left it there. */
  const library = (calls: string) =>
    shell(
      world,
      `set -u; RUN_DIR=$(mktemp -d); lib=$(ls -d /var/lib/smtp-setup/runs/*/lib | tail -n 1)
for file in "$lib"/*.sh; do case \${file##*/} in start.sh | stop-post.sh) ;; *) . "$file" ;; esac; done
EVENTS=$RUN_DIR/events STEP=1 STEP_CHANGED=0 PROBLEM='' GROUP=''
${calls}`,
    );

  describe('the packet filter', () => {
    const listen = (unit: string, port: number) =>
      shell(
        world,
        `systemd-run -q --unit=${unit} perl -MIO::Socket::INET -e 'my $s = IO::Socket::INET->new(Listen => 5, LocalPort => ${port}, ReuseAddr => 1) or die; sleep 100 while 1'; for i in $(seq 100); do ss -Hltn 'sport = :${port}' | grep -q . && exit 0; sleep 0.1; done; exit 1`,
      );

    it('is in force, was proven by a fresh login, and lets in what mail needs', async () => {
      expect(await shell(world, 'nft list chain inet smtp_setup input')).toContain('policy drop');
      expect(
        await shell(world, "systemctl list-units --all --plain --no-legend 'smtp-setup-firewall-deadman*'"),
      ).toBe('');
      for (const port of [22, 25, 80, 465, 587, 993]) {
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
          `systemctl ${verb} nftables && for i in $(seq 100); do ${there} && exit 0; sleep 0.1; done; exit 1`,
        );
      await shell(world, 'nft flush ruleset');
      expect(await plan()).toContain('Load the firewall rules');
      const again = await apply();
      expect(again.code, again.stdout + again.stderr).toBe(0);
      expect(await knock(8081)).toBe('refused');
      expect(await plan()).toEqual(settled());
    });

    it('takes rules back that nobody could log in with, and puts them in force again when asked', async () => {
      await library("firewall_arm 1 && echo 'tcp dport 22 drop' >/etc/smtp-setup/local/firewall-x.nft");
      await shell(
        world,
        'rm /etc/smtp-setup/local/firewall-x.nft; for i in $(seq 300); do nft list table inet smtp_setup >/dev/null 2>&1 || exit 0; sleep 0.1; done; exit 1',
      );
      expect(await shell(world, 'systemctl is-enabled smtp-setup-firewall || true')).toBe('disabled');
      expect(await plan()).toMatch(/Start .*firewall/);
      const again = await apply();
      expect(again.code, again.stdout + again.stderr).toBe(0);
      expect(
        await shell(world, 'nft list chain inet smtp_setup input; systemctl is-enabled smtp-setup-firewall'),
      ).toMatch(/policy drop[\s\S]*enabled$/);
      expect(await plan()).toEqual(settled());
    });

    it('is there again after a reboot', async () => {
      await world.lab.vps.reboot();
      expect(await shell(world, 'nft list chain inet smtp_setup input')).toContain('policy drop');
      expect(await knock(22)).toBe('open');
    });
  });
}
