import { createHash, randomBytes } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeTar } from '../../src/lib/tar.js';
import type { VpsImage } from '../../src/sandbox/index.js';
import { openMailProgram } from '../../src/sandbox/mail-program.js';
import { rentSecondVps, type SecondVps } from '../../src/sandbox/second-vps.js';
import { type CliResult, openProvisioned, shell, type World } from '../helpers/world.js';

/** A server is backed up, and made again on a fresh one of the other release. */
export function tellRestoreStory(from: VpsImage, to: VpsImage): void {
  let world: World;
  let second: SecondVps;
  let file: string;
  let plainFile: string;
  const passphrase = randomBytes(18).toString('base64url');
  const env = { SMTP_SETUP_PASSPHRASE: passphrase };
  const secondDomain = 'second.test';
  const subject = `Kept ${Date.now()}`;
  beforeAll(async () => {
    world = await openProvisioned(`restore-${from.slice(-2)}`, from);
    const init = await world.cli(world.rehearsal.initArguments);
    expect(init.code, init.stdout + init.stderr).toBe(0);
    const nameServers = ['ada.ns.cloudflare.com', 'bob.ns.cloudflare.com'];
    await world.lab.dns.addZone(secondDomain, { nameServers });
    await world.lab.resolverHost.flush();
    await world.rehearsal.cloudflare.control.addZone({ name: secondDomain, nameServers });
  });
  afterAll(() => world?.lab.down());

  const said = ({ stdout, stderr }: CliResult) => `${stdout}\n${stderr}`;
  const config = () => ['--config', world.rehearsal.configFile];
  const at = (local: string) => `${local}@${world.lab.domain}`;
  const onSecond = async (command: string) => {
    const result = await second.exec(['/bin/sh', '-c', command]);
    expect(result.code, result.stderr).toBe(0);
    return result.stdout.trim();
  };
  const restoreFlags = () => [
    ...world.rehearsal.connectFlags.map((flag) =>
      flag === `root@${world.lab.vps.ipv4}`
        ? `root@${second.ipv4}`
        : flag === world.lab.vps.hostKeyFingerprint
          ? second.hostKeyFingerprint
          : flag === world.rehearsal.configFile
            ? join(world.rehearsal.home, 'restored.yaml')
            : flag,
    ),
    '--yes',
  ];
  const keys =
    'cd /var/lib/rspamd/dkim && sha256sum *.key; cd /etc/letsencrypt/live && for one in */privkey.pem; do echo $one; openssl pkey -in $one -pubout; done; sha256sum /etc/smtp-setup/keys/next.pem';

  /** What PostSRSd answers on one of its two tables, by the way that Postfix asks (1.x: TCP, 2.x: a socket). */
  const askSrs = (ask: (command: string) => Promise<string>, address: string, way: 'forward' | 'reverse') =>
    ask(
      `cd /tmp && if [ -S /var/spool/postfix/srs ]; then table=socketmap:unix:/var/spool/postfix/srs:${way}; else table=tcp:127.0.0.1:${way === 'forward' ? 10001 : 10002}; fi
       postmap -c /etc/smtp-setup/maps/.config -q '${address}' "$table"`,
    );
  const stranger = 'stranger@elsewhere.test';
  let rewritten: string;

  /** Which senders have transports and limits of their own. */
  const apart = 'cat /etc/smtp-setup/warmup/senders 2>/dev/null || true';

  // What 42 tells on the other release in full.
  describe('a second domain that keeps apart, and a key that is changed', () => {
    const change = async (...args: string[]) => {
      const done = await world.cli([
        ...args,
        '--yes',
        '--json',
        ...config(),
        '--resolver',
        world.lab.resolver,
      ]);
      expect(done.code, said(done)).toBe(0);
      expect(JSON.parse(done.stdout)).toMatchObject({ changed: true });
    };

    it('are there in the end, and nothing is left for apply', async () => {
      await change('domain', 'add', secondDomain, '--separate');
      const domains = await world.cli(['domain', 'list', '--json', ...config()]);
      expect(JSON.parse(domains.stdout)).toMatchObject({
        domains: [{ domain: world.lab.domain }, { domain: secondDomain }],
      });
      expect(await shell(world, apart)).toBe(`@${secondDomain} warm-${secondDomain}-1:`);
      await change('dkim', 'rotate', world.lab.domain);
      const list = await world.cli(['dkim', 'list', '--json', ...config(), '--resolver', world.lab.resolver]);
      const keys: { domain: string; state: string; visible: string }[] = JSON.parse(list.stdout).keys;
      expect(keys.map(({ domain, state, visible }) => `${domain} ${state} ${visible}`).sort()).toEqual([
        `${world.lab.domain} old yes`,
        `${world.lab.domain} signs yes`,
        `${secondDomain} signs yes`,
      ]);
      const plan = await world.cli(['plan', '--exit-code', ...config(), '--resolver', world.lab.resolver]);
      expect(plan.code, said(plan)).toBe(0);
    });
  });

  describe('backup', () => {
    it('writes one encrypted file, on one connection', async () => {
      const { rehearsal, mail, lab } = world;
      const sent = await mail.send({ to: rehearsal.mailbox, subject });
      expect(sent.ok, sent.detail).toBe(true);
      expect((await mail.read({ subject })).ok).toBe(true);
      await world.cli(['alias', 'add', at('info'), rehearsal.mailbox, '--yes', ...config()]);
      // A Sieve script in use is a link, and a message that IMAP copied has two names.
      await shell(
        world,
        `cd /var/vmail/${lab.domain}/ada && mkdir -p sieve Maildir/.Copy/cur Maildir/.Copy/new Maildir/.Copy/tmp && echo keep\\; >sieve/main.sieve &&
         ln -s sieve/main.sieve .dovecot.sieve && ln "$(find Maildir/cur Maildir/new -type f | head -n 1)" Maildir/.Copy/cur/1.M1P1.copy:2,S &&
         chown -hR vmail:vmail .
         mkdir -p -m 0700 /etc/smtp-setup/relay && (umask 077 && echo '[relay.test]:587 user:secret' >/etc/smtp-setup/relay/old)`,
      );
      rewritten = await askSrs((command) => shell(world, command), stranger, 'forward');
      expect(rewritten).toMatch(/^SRS0=/);
      const done = await world.cli(['backup', rehearsal.home, '--json', ...config()], { env });
      expect(done.code, said(done)).toBe(0);
      const document = JSON.parse(done.stdout);
      expect(document).toMatchObject({ encrypted: 'gpg', roundTrips: 3 });
      file = document.file;
      expect((await stat(file)).mode & 0o777).toBe(0o600);
      expect((await readFile(file)).includes('Subject: Kept')).toBe(false);
      expect(await shell(world, 'ls -A /var/vmail')).toBe(lab.domain);
    });

    it('leaves it unencrypted after a question only, and overwrites nothing', async () => {
      plainFile = join(world.rehearsal.home, 'plain.tar');
      const nobody = await world.cli(['backup', world.rehearsal.home, ...config()]);
      expect(nobody.code).toBe(2);
      expect(said(nobody)).toContain('E_PASSPHRASE_MISSING');
      expect(said(nobody)).toContain('--passphrase-file');
      const asked = await world.cli(['backup', plainFile, '--plain', ...config()]);
      expect(said(asked)).toContain('E_NO_TERMINAL');
      const done = await world.cli(['backup', plainFile, '--plain', '--yes', ...config()]);
      expect(done.code, said(done)).toBe(0);
      const again = await world.cli(['backup', plainFile, '--plain', '--yes', ...config()]);
      expect(again.code).toBe(2);
      expect(said(again)).toContain('E_BACKUP_EXISTS');
    });
  });

  describe('restore', () => {
    beforeAll(async () => {
      second = await rentSecondVps(world.lab, to);
      for (const address of [second.ipv4, second.ipv6 ?? ''])
        await world.lab.dns.setPtr(address, `${world.rehearsal.hostname}.`);
    });

    it('refuses what is cut, changed, foreign or dangerous, before anything is touched', async () => {
      const { home } = world.rehearsal;
      const whole = await readFile(file);
      const plain = await readFile(plainFile);
      const evil = async (name: string, bytes: Uint8Array) => {
        const path = join(home, name);
        await writeFile(path, bytes);
        return path;
      };
      const flipped = Buffer.from(whole);
      flipped[Math.floor(whole.length / 2)] = (flipped[Math.floor(whole.length / 2)] ?? 0) ^ 1;
      const changed = Buffer.from(
        plain.toString('latin1').replace('Subject: Kept', 'Subject: Lost'),
        'latin1',
      );
      expect(changed.equals(plain)).toBe(false);
      const cases = [
        await evil('cut.gpg', whole.subarray(0, whole.length - 100)),
        await evil('flipped.gpg', flipped),
        await evil('cut.tar', plain.subarray(0, Math.floor(plain.length / 1024) * 512)),
        await evil('changed.tar', changed),
        await evil('other.tar', writeTar([{ path: 'hello', mode: 0o600, content: 'x' }])),
        await evil('link.tar', withMember(plain, linkHead('server/mail/link', '/etc/shadow'))),
        await evil('up.tar', withMember(plain, fileHead('server/mail/../../../../etc/cron.d/x'))),
        await evil('absolute.tar', withMember(plain, fileHead('/etc/cron.d/x'))),
      ];
      const before = await onSecond('ls /var/lib; ls -la /etc | md5sum');
      const records = await world.rehearsal.cloudflare.control.records(world.lab.domain);
      for (const path of cases) {
        const refused = await world.cli(['restore', path, ...restoreFlags()], { env });
        expect(refused.code, said(refused)).toBe(2);
        expect(said(refused), path).toContain('E_BACKUP_INVALID');
      }
      const nothing = await world.cli(['restore', `${file}.none`, ...restoreFlags()], { env });
      expect(nothing.code, said(nothing)).toBe(2);
      expect(said(nothing)).toContain('E_BACKUP_FILE');
      const wrong = await world.cli(['restore', file, ...restoreFlags()], {
        env: { SMTP_SETUP_PASSPHRASE: 'not the right one' },
      });
      expect(said(wrong)).toContain('E_BACKUP_KEY');
      expect(wrong.code).toBe(2);
      // Somebody was added since: this is no fresh server, nor one that an earlier try of the restore left.
      await world.cli(['user', 'add', at('eve'), '--generate', '--yes', ...config()]);
      const inUse = await world.cli(['restore', file, ...world.rehearsal.connectFlags, '--yes'], { env });
      expect(inUse.code, said(inUse)).toBe(5);
      expect(said(inUse)).toContain('E_NOT_FRESH');
      expect(said(inUse)).toContain(at('eve'));
      await world.cli(['user', 'rm', at('eve'), '--yes', ...config()]);
      expect(await onSecond('ls /var/lib; ls -la /etc | md5sum')).toBe(before);
      expect(await world.rehearsal.cloudflare.control.records(world.lab.domain)).toEqual(records);
    });

    it('makes the same server on a fresh one of the other release: only the address changes in DNS', async () => {
      const { cloudflare, hostname } = world.rehearsal;
      const zone = async () =>
        (await cloudflare.control.records(world.lab.domain)).map(
          ({ name, type, content }: { name: string; type: string; content?: string }) =>
            `${name} ${type} ${content}`,
        );
      const before = await zone();
      const others = await cloudflare.control.records(secondDomain);
      const sameKeys = await shell(world, keys);
      const done = await world.cli(['restore', file, ...restoreFlags(), '--json'], { env });
      expect(done.code, said(done)).toBe(0);
      const after = await zone();
      const addresses = (lines: string[]) => lines.filter((line) => line.startsWith(`${hostname} A`)).sort();
      expect(addresses(after)).toEqual([`${hostname} A ${second.ipv4}`, `${hostname} AAAA ${second.ipv6}`]);
      expect(after.filter((line) => !addresses(after).includes(line)).sort()).toEqual(
        before.filter((line) => !addresses(before).includes(line)).sort(),
      );
      expect(await cloudflare.control.records(secondDomain)).toEqual(others);
      expect(await onSecond(keys)).toBe(sameKeys);
      expect(await onSecond(apart)).toBe(`@${secondDomain} warm-${secondDomain}-1:`);
      expect(await onSecond('cd /etc/smtp-setup/relay && stat -c "%a" . old && cat old')).toBe(
        '700\n600\n[relay.test]:587 user:secret',
      );
    });

    it('holds the same mail and the same passwords, and sends and receives', async () => {
      const { lab, rehearsal } = world;
      const mail = openMailProgram({ ...lab, vps: { ...lab.vps, ipv4: second.ipv4 } }, rehearsal);
      const kept = await mail.read({ subject });
      expect(kept.ok, kept.detail).toBe(true);
      expect(kept.trusted).toBe(true);
      const fresh = `After ${Date.now()}`;
      const sent = await mail.send({ to: at('info'), from: at('info'), subject: fresh });
      expect(sent.ok, sent.detail).toBe(true);
      expect((await mail.read({ subject: fresh })).ok).toBe(true);
      const list = (where: (command: string) => Promise<string>) =>
        where(
          `cd /var/vmail && find . -type f -name '*,S=*' -exec sh -c 'sha256sum "$1" | cut -c1-64; stat -c "%U %a" "$1"' sh {} \\; | sort`,
        );
      const before = await list((command) => shell(world, command));
      const after = await list(onSecond);
      for (const line of before.split('\n')) expect(after).toContain(line);
      expect(await onSecond(`readlink /var/vmail/${lab.domain}/ada/.dovecot.sieve`)).toBe('sieve/main.sieve');
      expect(await onSecond(`ls /var/vmail/${lab.domain}/ada/Maildir/.Copy/cur`)).toContain('1.M1P1.copy');
      expect(await onSecond('ls -A /var/lib/smtp-setup/restore 2>/dev/null || true')).toBe('');
    });

    it('takes bounces of mail that the old server sent on', async () => {
      expect(await askSrs(onSecond, rewritten, 'reverse')).toBe(stranger);
      // The old one is asked anew: such an address holds the day.
      const old = (command: string) => shell(world, command);
      expect(await askSrs(onSecond, stranger, 'forward')).toBe(await askSrs(old, stranger, 'forward'));
      expect(await onSecond('stat -c "%a %U" /etc/postsrsd.secret')).toBe('600 root');
    });

    it('leaves nothing for apply or another restore to do', async () => {
      const again = await world.cli(['restore', file, ...restoreFlags(), '--json'], { env });
      expect(again.code, said(again)).toBe(0);
      expect(JSON.parse(again.stdout)).toMatchObject({ changed: false });
      const secondConfig = join(world.rehearsal.home, 'restored.yaml');
      const plan = await world.cli([
        'plan',
        '--exit-code',
        '--config',
        secondConfig,
        '--resolver',
        world.lab.resolver,
      ]);
      expect(plan.code, said(plan)).toBe(0);
    });

    it('goes on as the old one would: the second domain is given up', async () => {
      const restored = [
        '--config',
        join(world.rehearsal.home, 'restored.yaml'),
        '--resolver',
        world.lab.resolver,
      ];
      const gone = await world.cli(['domain', 'rm', secondDomain, '--yes', '--json', ...restored]);
      expect(gone.code, said(gone)).toBe(0);
      expect(
        (await world.rehearsal.cloudflare.control.records(secondDomain)).map(({ name }) => name),
      ).toEqual([expect.stringContaining('._domainkey.')]);
      expect(await onSecond(apart)).toBe('');
      const plan = await world.cli(['plan', '--exit-code', ...restored]);
      expect(plan.code, said(plan)).toBe(0);
    });
  });
}

/** The archive with another member before its checksum, which is made to fit. */
function withMember(archive: Buffer, head: Buffer): Buffer {
  const at = archive.lastIndexOf('checksum\0');
  const changed = Buffer.concat([archive.subarray(0, at), head]);
  const sum = createHash('sha256').update(changed).digest('hex');
  return Buffer.concat([changed, writeTar([{ path: 'checksum', mode: 0o600, content: `${sum}\n` }])]);
}

function fileHead(path: string): Buffer {
  return rename(writeTar([{ path: 'x'.repeat(path.length), mode: 0o600 }]).subarray(0, 512), path, '0');
}

function linkHead(path: string, target: string): Buffer {
  const head = rename(writeTar([{ path, mode: 0o600 }]).subarray(0, 512), path, '2');
  head.write(target, 157, 'latin1');
  return checked(head);
}

function rename(head: Buffer, path: string, type: string): Buffer {
  head.fill(0, 0, 100).write(path, 0, 'latin1');
  head.write(type, 156, 'latin1');
  return checked(head);
}

function checked(head: Buffer): Buffer {
  head.write('        ', 148, 'latin1');
  const sum = head.reduce((total, byte) => total + byte, 0);
  head.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return head;
}
