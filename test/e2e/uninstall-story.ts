import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { VpsImage } from '../../src/sandbox/index.js';
import { rentSecondVps } from '../../src/sandbox/second-vps.js';
import { type CliResult, shell, type World } from '../helpers/world.js';

type Ask = (command: string) => Promise<string>;

/** The end of a server's life with smtp-setup: it must be as a fresh one, and its mail still there. */
export function tellUninstallStory(image: VpsImage, getWorld: () => World): void {
  const said = ({ stdout, stderr }: CliResult) => `${stdout}\n${stderr}`;
  const run = (...args: string[]) =>
    getWorld().cli([
      'uninstall',
      ...args,
      '--config',
      getWorld().rehearsal.configFile,
      '--resolver',
      getWorld().lab.resolver,
    ]);
  const json = async (...args: string[]): Promise<unknown> => {
    const result = await run(...args, '--json');
    expect(result.code, said(result)).toBe(0);
    return JSON.parse(result.stdout);
  };
  /**
   * All that a mail server leaves traces in. Left out is what is each machine's own (keys of sshd, its id), what the
   * packaging itself keeps (logs, caches, its database), and the accounts, which are looked at below.
   */
  const look = async (run: Ask) => {
    const ask = async (command: string) => (await run(command)).split('\n');
    const own = ['/etc/ssh/ssh_host_*', '/etc/machine-id', '/etc/*passwd*', '/etc/*group*', '/etc/*shadow*'];
    const skipped = ['/proc', '/sys', '/dev', '/run', '/tmp', '/var/tmp', '/var/log', '/var/cache'];
    // The daily jobs of apt and dpkg put their copies into /var/backups, at an hour of their own.
    const kept = [
      '/var/backups',
      '/var/lib/apt',
      '/var/lib/dpkg',
      '/var/lib/ucf',
      '/var/lib/smtp-setup',
      '/var/vmail',
    ];
    const pruned = [...skipped, ...kept, '/root', '/etc', '/usr/share'].map((path) => `-path ${path}`);
    return {
      // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query's own placeholders
      packages: await ask("dpkg-query -W -f '${db:Status-Abbrev} ${Package}\\n'"),
      enabled: await ask('systemctl list-unit-files --state=enabled --no-legend | sort'),
      // These end by themselves once nobody asks them any more.
      running: await ask(
        'systemctl list-units --state=running --type=service --plain --no-legend | cut -d " " -f 1 | grep -vE "systemd-(hostnamed|timedated)"',
      ),
      ports: await ask('awk \'NR > 1 && $4 == "0A" { print $2 }\' /proc/net/tcp /proc/net/tcp6 | sort'),
      rules: await ask('nft list ruleset 2>/dev/null || true'),
      etc: await ask(
        `find /etc ${own.map((path) => `-not -path '${path}'`).join(' ')} \\( -type f -exec sha256sum {} + -o -printf '%p %y %l\\n' \\) | sort -k 2`,
      ),
      rest: await ask(`find / -xdev \\( ${pruned.join(' -o ')} \\) -prune -o -print | sort`),
    };
  };
  /** Accounts that are there now: packages never take theirs away, as files of theirs may be left somewhere. */
  const accounts = async (ask: Ask) => (await ask('cut -d: -f1 /etc/passwd')).split('\n');
  const records = async () => {
    const { rehearsal, lab } = getWorld();
    return rehearsal.cloudflare.control.records(lab.domain);
  };
  const mail = () => shell(getWorld(), 'find /var/vmail -type f -path "*/Maildir/*" | wc -l');

  describe('uninstall', () => {
    it('refuses while mail waits, and without consent', async () => {
      const { mailbox, password } = getWorld().rehearsal;
      const kept = `Kept ${Date.now()}`;
      expect((await getWorld().mail.send({ to: mailbox, subject: kept })).ok).toBe(true);
      expect((await getWorld().mail.read({ subject: kept })).ok).toBe(true);
      const stuck = await getWorld().mail.send({
        user: mailbox,
        password,
        from: mailbox,
        // Nothing answers there.
        to: 'nobody@[198.51.100.201]',
        subject: 'stuck',
      });
      expect(stuck.ok, stuck.detail).toBe(true);
      const refused = await run('--yes');
      expect(refused.code, said(refused)).toBe(1);
      expect(said(refused)).toContain('E_QUEUE_NOT_EMPTY');
      expect((await run('--discard-queue')).code).toBe(2);
      expect(await shell(getWorld(), 'systemctl is-active dovecot')).toBe('active');
    });

    it('takes everything back but the mail, and then there is nothing to do', async () => {
      const stored = await mail();
      expect(Number(stored)).toBeGreaterThan(0);
      const noted = await shell(getWorld(), 'cat /var/lib/smtp-setup/before/list');
      const added = [...noted.matchAll(/^absent (\S+)$/gm)].map(([, path]) => path);
      expect(added).toEqual(
        expect.arrayContaining(['/etc/postfix/main.cf', '/etc/aliases', '/etc/mailname']),
      );
      // Somebody else's since, and of the kind that a removed package leaves: an empty folder, a program without its unit file.
      await shell(
        getWorld(),
        `mkdir -p /etc/theirs/empty && printf '[Service]\\nExecStart=/bin/sleep infinity\\n' >/etc/systemd/system/theirs.service &&
systemctl daemon-reload && systemctl start theirs && rm /etc/systemd/system/theirs.service && systemctl daemon-reload`,
      );
      const [gone, fresh] = await Promise.all([
        json('--remove-packages', '--discard-queue', '--yes'),
        rentSecondVps(getWorld().lab, image, 'vps1'),
      ]);
      expect(gone).toMatchObject({ changed: true });
      const theirs = await shell(
        getWorld(),
        'systemctl is-active theirs && systemctl stop theirs; rmdir /etc/theirs/empty /etc/theirs && echo there',
      );
      expect(theirs).toBe('active\nthere');
      expect(await shell(getWorld(), `ls -d ${added.join(' ')} 2>/dev/null || true`)).toBe('');
      const here: Ask = (command) => shell(getWorld(), command);
      const there: Ask = async (command) => {
        const { code, stdout, stderr } = await fresh.exec(['/bin/sh', '-c', command]);
        expect(code, stderr).toBe(0);
        return stdout.trim();
      };
      expect(await look(here)).toEqual(await look(there));
      const before = await accounts(there);
      const more = (await accounts(here)).filter((name) => !before.includes(name));
      expect(more.filter((name) => !['_rspamd', 'postfix', 'unbound', 'vmail'].includes(name))).toEqual([]);
      expect(await mail()).toBe(stored);
      const traces = await shell(
        getWorld(),
        "find / -xdev -name '*smtp-setup*' -not -path '/var/lib/smtp-setup/*' -not -path '/proc/*' -not -path '/sys/*'",
      );
      expect(traces).toBe('/var/lib/smtp-setup');
      expect(await shell(getWorld(), 'ls /var/lib/smtp-setup')).toBe('kept\nruns');
      const { rehearsal, lab } = getWorld();
      expect(await shell(getWorld(), 'ls /var/lib/smtp-setup/kept/*/etc/letsencrypt/live')).toBe(
        `${rehearsal.hostname}\nsmtp-setup-web-${lab.domain}`,
      );
      expect((await records()).map(({ name }) => name)).toEqual([expect.stringContaining('._domainkey.')]);
      expect(await json('--remove-packages', '--yes')).toMatchObject({ changed: false });
    });

    it('takes the DKIM key out of DNS after seven days', async () => {
      const lock = getWorld().rehearsal.configFile.replace(/\.yaml$/, '.lock.json');
      const text = await readFile(lock, 'utf8');
      const back = (time: string) => new Date(Date.parse(time) - 7 * 86_400_000).toISOString();
      await writeFile(
        lock,
        text.replace(/("at": ")([^"]+)/g, (_all, head, time) => head + back(time)),
      );
      expect(await json('--yes')).toMatchObject({ changed: true });
      expect(await records()).toEqual([]);
      expect(await json('--yes')).toMatchObject({ changed: false });
    });
  });
}
