import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { VpsImage } from '../../src/sandbox/index.js';
import { type CliResult, openWorld, shell, type World } from '../helpers/world.js';

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
  /** Packages, units, files and ports: all that a mail server leaves traces in. */
  const look = async (world: World) => {
    const ask = (command: string) => shell(world, command);
    return {
      // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query's own placeholders
      packages: await ask("dpkg-query -W -f '${db:Status-Abbrev} ${Package}\\n' | grep '^.i'"),
      enabled: await ask('systemctl list-unit-files --state=enabled --no-legend | sort'),
      ports: await ask('awk \'NR > 1 && $4 == "0A" { print $2 }\' /proc/net/tcp /proc/net/tcp6 | sort'),
      resolver: await ask('cat /etc/resolv.conf'),
      hosts: await ask('cat /etc/hosts'),
    };
  };
  const records = async () => {
    const { rehearsal, lab } = getWorld();
    return rehearsal.cloudflare.control.records(lab.domain);
  };
  const mail = () => shell(getWorld(), 'find /var/vmail -type f -path "*/Maildir/*" | wc -l');

  describe('uninstall', () => {
    it('refuses while mail waits, and without consent', async () => {
      const { mailbox, password } = getWorld().rehearsal;
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
      expect(await json('--remove-packages', '--discard-queue', '--yes')).toMatchObject({ changed: true });
      expect(await shell(getWorld(), `ls -d ${added.join(' ')} 2>/dev/null || true`)).toBe('');
      const fresh = await openWorld({ name: 'fresh', image });
      try {
        expect(await look(getWorld())).toEqual(await look(fresh));
      } finally {
        await fresh.lab.down();
      }
      expect(await mail()).toBe(stored);
      const traces = await shell(
        getWorld(),
        "find / -xdev -name '*smtp-setup*' -not -path '/var/lib/smtp-setup/*' -not -path '/proc/*' -not -path '/sys/*'",
      );
      expect(traces).toBe('/var/lib/smtp-setup');
      expect(await shell(getWorld(), 'ls /var/lib/smtp-setup')).toBe('kept\nruns');
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
