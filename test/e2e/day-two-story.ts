import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { VpsImage } from '../../src/sandbox/index.js';
import { waitUntil } from '../../src/sandbox/machine/wait-until.js';
import { type Receiver, startReceiver } from '../../src/sandbox/receiver/index.js';

import { type CliResult, openProvisioned, shell, startCli, type World } from '../helpers/world.js';

/** What must hold of the day-two commands, whatever the release. Gives its world to who tells on. */
export function tellDayTwoStory(image: VpsImage): () => World {
  let world: World;
  let receiver: Receiver;
  const outputs: string[] = [];
  const secrets = new Map<string, string>();
  beforeAll(async () => {
    world = await openProvisioned('day2', image);
    receiver = await startReceiver(world.lab);
    const list = 'zen.spamhaus.org';
    await world.lab.dns.addZone(list, { records: [`2.0.0.127.${list}. 60 A 127.0.0.2`] });
    // Dovecot lets everybody wait who failed to log in, longer each time. Nothing here is about that.
    await shell(
      world,
      `printf 'auth_failure_delay = 0\\nservice anvil {\\n  unix_listener anvil-auth-penalty {\\n    mode = 0\\n  }\\n}\\n' >/etc/smtp-setup/local/dovecot.conf && systemctl restart dovecot`,
    );
    const init = await world.cli(world.rehearsal.initArguments);
    expect(init.code, init.stdout + init.stderr).toBe(0);
  });
  afterAll(() => world?.lab.down());

  const at = (local: string) => `${local}@${world.lab.domain}`;
  const config = () => ['--config', world.rehearsal.configFile];
  const said = ({ stdout, stderr }: CliResult) => `${stdout}\n${stderr}`;
  async function run(command: string, ...more: string[]): Promise<CliResult> {
    const result = await world.cli([...command.split(' '), ...more, ...config()]);
    outputs.push(said(result));
    return result;
  }
  async function ok(command: string, ...more: string[]): Promise<CliResult> {
    const result = await run(command, ...more);
    expect(result.code, said(result)).toBe(0);
    return result;
  }
  const json = async <T>(command: string, ...more: string[]): Promise<T> =>
    JSON.parse((await ok(command, ...more, '--json')).stdout) as T;
  async function passwordFile(name: string): Promise<{ file: string; password: string }> {
    const password = randomBytes(15).toString('base64url');
    secrets.set(name, password);
    const file = join(world.rehearsal.home, `password-${name}`);
    await writeFile(file, `${password}\n`, { mode: 0o600 });
    return { file, password };
  }
  const mailboxes = async () => {
    const list = await json<{ mailboxes: { address: string; enabled: boolean }[] }>('user list');
    return list.mailboxes.map(({ address }) => address);
  };
  const canRead = async (user: string, password: string) => {
    const { detail } = await world.mail.read({ user, password, subject: 'none such', timeoutMs: 0 });
    return detail !== 'login refused';
  };
  const send = (user: string, password: string, from: string, to: string, subject: string) =>
    world.mail.send({ user, password, from, to, subject });

  describe('user', () => {
    let bob: { file: string; password: string };

    it('adds a mailbox that works at once, once', async () => {
      bob = await passwordFile('bob');
      const first = await json('user add', at('bob'), '--password-file', bob.file, '--yes');
      expect(first).toMatchObject({ changed: true, steps: [{ id: `mailbox:${at('bob')}` }] });
      // Facts, upload, follow: however many mailboxes there are.
      expect(first).toMatchObject({ roundTrips: 3 });
      const again = await json('user add', at('bob'), '--generate', '--yes');
      expect(again).toMatchObject({ changed: false, roundTrips: 1 });
      const subject = `To Bob ${Date.now()}`;
      const sent = await send(at('bob'), bob.password, at('bob'), at('bob'), subject);
      expect(sent.ok, sent.detail).toBe(true);
      expect((await world.mail.read({ user: at('bob'), password: bob.password, subject })).ok).toBe(true);
      expect(await mailboxes()).toEqual([world.rehearsal.mailbox, at('bob')]);
    });

    it('shows a generated password once, and it logs in', async () => {
      const { stdout, stderr } = await ok('user add', at('gina'), '--generate', '--yes');
      const password = new RegExp(`^${at('gina')},(\\S+)$`, 'm').exec(stdout)?.[1] ?? '';
      expect(stderr).not.toContain(password);
      expect(await canRead(at('gina'), password)).toBe(true);
      const changed = await json<{ passwords: { address: string; password: string }[] }>(
        'user passwd',
        at('gina'),
        '--generate',
        '--yes',
      );
      expect(changed.passwords.map(({ address }) => address)).toEqual([at('gina')]);
      expect(await canRead(at('gina'), password)).toBe(false);
      expect(await canRead(at('gina'), changed.passwords[0]?.password ?? '')).toBe(true);
      expect(await shell(world, `grep -rlF '${password}' /var/lib/smtp-setup /etc/smtp-setup || true`)).toBe(
        '',
      );
    });

    it('refuses what cannot be, before anything is touched', async () => {
      const users = await shell(world, 'sha256sum /etc/smtp-setup/users');
      const cases: [string, string[], string][] = [
        ['user add', ['x@elsewhere.test', '--generate', '--yes'], 'E_ACCOUNT_DOMAIN'],
        ['user add', [at('nopass'), '--yes'], 'E_PASSWORD_MISSING'],
        ['user add', [at('a b;id'), '--generate', '--yes'], 'E_MAILBOX_CHARACTERS'],
        ['user passwd', [at('bib'), '--generate', '--yes'], 'E_ACCOUNT_UNKNOWN'],
        ['user add', [at('noyes'), '--generate'], 'E_NO_TERMINAL'],
        ['user quota', [at('bob'), '5 pounds', '--yes'], 'E_USAGE'],
        ['alias add', [at('x'), at('typo'), '--yes'], 'E_ALIAS_TARGET'],
        ['queue rm', ['a;id', '--yes'], 'E_USAGE'],
      ];
      await Promise.all(
        cases.map(async ([command, more, code]) => {
          const result = await run(command, ...more);
          expect(result.code, said(result)).toBe(2);
          expect(said(result)).toContain(code);
        }),
      );
      expect(await shell(world, 'sha256sum /etc/smtp-setup/users')).toBe(users);
    });

    it('changes a password', async () => {
      const before = bob.password;
      bob = await passwordFile('bob-2');
      await ok('user passwd', at('bob'), '--password-file', bob.file, '--yes');
      expect(await canRead(at('bob'), before)).toBe(false);
      expect(await canRead(at('bob'), bob.password)).toBe(true);
    });

    it('gives a mailbox room of its own', async () => {
      const limit = () =>
        shell(world, `doveadm -f tab quota get -u ${at('bob')} | awk -F '\t' '$2 == "STORAGE" { print $4 }'`);
      // Dovecot looks at its list once a second.
      const becomes = (wanted: string) =>
        waitUntil(async () => (await limit()) === wanted, {
          what: `the room of ${at('bob')} to become ${wanted} KiB`,
          timeoutMs: 60_000,
          evidence: async () => [await limit()],
        });
      const common = await limit();
      await ok('user quota', at('bob'), '300M', '--yes');
      await becomes(String(300 * 1024));
      expect(await json('user quota', at('bob'), '300M', '--yes')).toMatchObject({ changed: false });
      expect((await ok('user list')).stdout).toContain('holds 300.0 MiB');
      await ok('user quota', at('bob'), 'default', '--yes');
      await becomes(common);
    });

    it('disables login and sending, not receiving; and enables with the same password', async () => {
      await ok('user disable', at('bob'), '--yes');
      expect(await canRead(at('bob'), bob.password)).toBe(false);
      // A 454 is no verdict yet: the login service is being asked again.
      let refused = await send(at('bob'), bob.password, at('bob'), at('bob'), 'disabled');
      while (/^454 /.test(refused.detail ?? ''))
        refused = await send(at('bob'), bob.password, at('bob'), at('bob'), 'disabled');
      expect(refused.detail).toMatch(/^535 /);
      const subject = `While disabled ${Date.now()}`;
      await receiver.sendMail({ from: `stranger@${receiver.domain}`, to: at('bob'), subject });
      await askUntil(
        () => run('logs', '--to', at('bob'), '--from', `stranger@${receiver.domain}`),
        /Dovecot put it into INBOX/,
      );
      await ok('user enable', at('bob'), '--yes');
      expect((await world.mail.read({ user: at('bob'), password: bob.password, subject })).ok).toBe(true);
    });

    it('makes logins for applications that send as what is listed', async () => {
      const app = await passwordFile('app');
      await ok('user add', at('shop'), '--sender', at('orders'), '--password-file', app.file, '--yes');
      const to = `sink@${receiver.domain}`;
      const allowed = await send(at('shop'), app.password, at('orders'), to, 'an order');
      expect(allowed.ok, allowed.detail).toBe(true);
      for (const from of [at('bob'), at('shop')])
        expect((await send(at('shop'), app.password, from, to, 'not mine')).detail).toMatch(/^5\d\d /);
      const mail = await send(at('bob'), bob.password, at('bob'), at('shop'), 'no mailbox');
      expect(mail.detail).toMatch(/^550 /);
      await ok('user rm', at('shop'), '--yes');
    });

    it('loses none when two clients add at once', async () => {
      const names = ['c1', 'c2', 'c3'];
      const done = await Promise.all(names.map((name) => run('user add', at(name), '--generate', '--yes')));
      for (const result of done) expect(result.code, said(result)).toBe(0);
      expect(await mailboxes()).toEqual(expect.arrayContaining(names.map(at)));
    });

    it('removes a mailbox and keeps its mail', async () => {
      await ok('user rm', at('bob'), '--yes');
      expect(await canRead(at('bob'), bob.password)).toBe(false);
      expect(
        await shell(
          world,
          `ls /var/vmail/${world.lab.domain}/bob/Maildir/cur /var/vmail/${world.lab.domain}/bob/Maildir/new`,
        ),
      ).toMatch(/\d+\./);
      const unknown = await receiver.sendDirectly(
        world.lab.vps.ipv4,
        { from: `stranger@${receiver.domain}`, to: at('bob') },
        ['--quit-after', 'RCPT'],
      );
      expect(unknown.stdout).toMatch(/<\*\* +550 5\.1\.1/);
    });

    it('deletes mail only when all of it is in a backup', async () => {
      const store = `/var/vmail/${world.lab.domain}/bob`;
      const early = await run('user rm', at('bob'), '--delete-mail', '--yes');
      expect(said(early)).toContain('E_BACKUP_FIRST');
      await ok('backup', join(world.rehearsal.home, 'bob.tar'), '--plain', '--yes');
      await shell(
        world,
        `cp $(find ${store} -type f -name '*,S=*' | head -n 1) ${store}/Maildir/new/$(($(date +%s) + 60)).M1P1.late`,
      );
      expect(said(await run('user rm', at('bob'), '--delete-mail', '--yes'))).toContain('1 of ');
      await shell(world, `rm ${store}/Maildir/new/*.late`);
      expect(await json('user rm', at('bob'), '--delete-mail', '--yes')).toMatchObject({ changed: true });
      expect(await shell(world, `ls -A /var/vmail /var/vmail/${world.lab.domain}`)).not.toMatch(/bob|gone/);
      expect(await json('user rm', at('bob'), '--delete-mail', '--yes')).toMatchObject({ changed: false });
    });
  });

  describe('user add --csv', () => {
    const hash = `$6$salt$${'a'.repeat(86)}`;
    const list = (count: number, secret: (index: number) => string) =>
      Array.from({ length: count }, (_, index) => `${at(`u${index}`)},${secret(index)}`).join('\n');

    it('takes none of a list that dies midway, and goes on afterwards', async () => {
      const file = join(world.rehearsal.home, 'list.csv');
      await writeFile(
        file,
        list(60, (index) => `quince-lantern-${index}-${'x'.repeat(4)}zq`),
        { mode: 0o600 },
      );
      const before = await mailboxes();
      const client = startCli(world, ['user', 'add', '--csv', file, '--yes', ...config()]);
      await client.saw(/Create 60 mailboxes[\s\S]*\[server\] Create 60 mailboxes/);
      // Killed sooner, the upload is cut and there is no run yet.
      const state = (states: string) =>
        shell(
          world,
          `timeout 60 sh -c 'until systemctl show -p ActiveState smtp-setup-run.service | grep -qE "=(${states})"; do sleep 0.1; done'`,
        );
      await state('active');
      client.kill();
      await client.ended;
      await shell(world, 'systemctl kill --signal=KILL smtp-setup-run.service');
      await state('inactive|failed');
      expect(await mailboxes()).toEqual(before);
      expect(await shell(world, 'ls -d /run/smtp-setup/*/secrets 2>/dev/null || true')).toBe('');
      await rm(file);
      await ok('user add', at('after'), '--generate', '--yes');
    });

    it('outlives its client: the list is whole in the end', async () => {
      const file = join(world.rehearsal.home, 'few.csv');
      await writeFile(
        file,
        list(8, (index) => `quince-lantern-${index}-mandolin`),
        { mode: 0o600 },
      );
      const client = startCli(world, ['user', 'add', '--csv', file, '--yes', ...config()]);
      await client.saw(/\[server\] Create 8 mailboxes/);
      client.kill();
      await client.ended;
      const next = await ok('user add', at('next'), '--generate', '--yes');
      expect(said(next)).not.toContain('E_');
      const all = await mailboxes();
      expect(all).toEqual(expect.arrayContaining([at('u0'), at('u7'), at('next')]));
    });

    it('shows a password that was made up although one does not wait for the end', async () => {
      const client = startCli(world, ['user', 'add', at('hasty'), '--generate', '--yes', ...config()]);
      await client.saw(/\[server\] Create the mailbox/);
      client.interrupt();
      await client.saw(/hasty@\S+ has this password[\s\S]*\n {2}\S+\n/);
      await client.ended;
      const password = /hasty@\S+ has this password[\s\S]*?\n {2}(\S+)\n/.exec(client.output())?.[1] ?? '';
      // The step that had begun is finished; who comes next waits for that.
      await ok('user add', at('patient'), '--generate', '--yes');
      expect(await canRead(at('hasty'), password)).toBe(true);
    });

    it('takes 500 hashes from stdin in one run', async () => {
      const result = await world.lab.client.exec(
        process.execPath,
        [
          join(import.meta.dirname, '../../bin/smtp-setup.js'),
          'user',
          'add',
          '--csv',
          '-',
          '--yes',
          '--json',
          ...config(),
        ],
        { env: { ...world.rehearsal.env }, input: `address,hash\n${list(500, () => hash)}\n` },
      );
      expect(result.code, said(result)).toBe(0);
      expect(JSON.parse(result.stdout)).toMatchObject({ changed: true, roundTrips: 3 });
      expect((await mailboxes()).length).toBeGreaterThan(500);
      expect(await shell(world, `postmap -q ${at('u499')} hash:/etc/smtp-setup/maps/mailboxes`)).toBe(
        at('u499'),
      );
    });
  });

  describe('alias', () => {
    const mailbox = () => world.rehearsal.mailbox;
    const password = () => world.rehearsal.password;

    it('delivers, gives the right to send, and goes', async () => {
      await ok('alias add', at('info'), mailbox(), '--yes');
      expect(await json('alias add', at('info'), mailbox(), '--yes')).toMatchObject({ changed: false });
      const subject = `To the alias ${Date.now()}`;
      const sent = await send(mailbox(), password(), at('info'), at('info'), subject);
      expect(sent.ok, sent.detail).toBe(true);
      expect((await world.mail.read({ subject })).ok).toBe(true);
      const refused = await run('user rm', mailbox(), '--yes');
      expect(said(refused)).toContain('E_ACCOUNT_ALIAS');
      expect(await json('alias list')).toMatchObject({
        aliases: [{ address: at('info'), targets: [mailbox()] }],
      });
      await ok('alias rm', at('info'), '--yes');
      expect((await send(mailbox(), password(), at('info'), at('info'), subject)).detail).toMatch(/^5\d\d /);
    });

    it('catches all other mail of a domain', async () => {
      await ok('alias add', `@${world.lab.domain}`, mailbox(), '--yes');
      const subject = `To anybody ${Date.now()}`;
      await receiver.sendMail({ from: `stranger@${receiver.domain}`, to: at('whoever'), subject });
      expect((await world.mail.read({ subject, timeoutMs: 120_000 })).ok).toBe(true);
      await ok('check server', '--only', 'SMTP-RCPT', '--resolver', world.lab.resolver);
      await ok('alias rm', `@${world.lab.domain}`, '--yes');
    });
  });

  describe('queue, logs and report', () => {
    interface Queue {
      messages: { id: string; queue: string; recipients: { address: string; reason?: string }[] }[];
    }
    const full = () => `full@${receiver.domain}`;

    it('tells what waits and why; holds, releases, deletes', async () => {
      const { mailbox, password } = world.rehearsal;
      await ok('queue flush');
      await send(mailbox, password, mailbox, full(), 'will wait');
      await send(mailbox, password, mailbox, `nobody@${receiver.domain}`, 'will bounce');
      await askUntil(() => run('queue list'), /Mailbox full/);
      const { messages } = await json<Queue>('queue list');
      const waiting = messages.find(({ recipients }) => recipients.some(({ address }) => address === full()));
      expect(waiting?.recipients[0]?.reason).toContain('452 4.2.2');
      const id = waiting?.id ?? '';
      expect((await ok('queue show', id)).stdout).toContain('Subject: will wait');
      await ok('queue hold', id, '--yes');
      expect((await json<Queue>('queue list')).messages.find((one) => one.id === id)?.queue).toBe('hold');
      await ok('queue release', '--all', '--yes');
      expect((await run('queue rm', id)).code).toBe(2);
      await ok('queue rm', id, '--yes');
      expect((await json<Queue>('queue list')).messages.some((one) => one.id === id)).toBe(false);
      expect((await run('queue rm', id, '--yes')).code).toBe(2);
    });

    it('tells a message as a story', async () => {
      const { stdout } = await ok('logs', '--to', `nobody@${receiver.domain}`);
      for (const word of [
        'logged in as',
        'Rspamd: no action',
        'signed for',
        '550 5.1.1',
        'no such recipient',
        'the sender is told',
      ])
        expect(stdout).toContain(word);
      expect((await run('logs', '--message-id', 'none@such')).code).toBe(1);
    });

    it('follows what happens', async () => {
      const { mailbox, password } = world.rehearsal;
      const client = startCli(world, ['logs', '--follow', '--to', `sink@${receiver.domain}`, ...config()]);
      try {
        await client.saw(/Following/);
        const sent = await send(mailbox, password, mailbox, `sink@${receiver.domain}`, 'followed');
        expect(sent.ok, sent.detail).toBe(true);
        await client.saw(/sink@\S+: taken by/);
      } finally {
        client.kill();
        await client.ended;
      }
    });

    it('sums up', async () => {
      interface Report {
        out: { sent: number; bounced: number };
        bySender: { sender: string }[];
        answers: { explanation?: { id: string } }[];
      }
      const report = await json<Report>('report', '--since', '1d');
      expect(report.out.bounced).toBeGreaterThan(0);
      expect(report.bySender.map(({ sender }) => sender)).toContain(world.rehearsal.mailbox);
      expect(report.answers.map(({ explanation }) => explanation?.id)).toEqual(
        expect.arrayContaining(['unknown-user', 'mailbox-full']),
      );
      expect((await ok('report')).stdout).toContain('What other servers said');
    });
  });

  describe('status', () => {
    const flags = () => ['--resolver', world.lab.resolver];

    it('finds all well, block lists asked from the server, and then nothing new', async () => {
      const { findings } = await json<{ findings: { id: string }[] }>('status', ...flags());
      expect(findings.map(({ id }) => id)).toEqual(
        expect.arrayContaining(['SRV-UNIT', 'TLS-CERT', 'BLOCKLIST', 'SRV-UPDATES', 'SRV-FILES']),
      );
      const quiet = await ok('status', '--changed-only', ...flags());
      // cron mails whatever is said, on either stream.
      expect(said(quiet).trim()).toBe('');
    });

    it('says first what is new: a service that stands, a file that was edited, and when it is over', async () => {
      await shell(world, "systemctl stop dovecot; echo '# by hand' >>/etc/postfix/master.cf");
      const broken = await run('status', '--changed-only', ...flags());
      expect(broken.code, said(broken)).toBe(1);
      for (const word of ['dovecot.service', '993', '/etc/postfix/master.cf', '(was well)'])
        expect(broken.stdout).toContain(word);
      await shell(world, "sed -i '$d' /etc/postfix/master.cf; systemctl start dovecot");
      const mended = await ok('status', '--changed-only', ...flags());
      expect(mended.stdout).toContain('(was failing)');
    });
  });

  describe('undo server', () => {
    const server = (...more: string[]) => run('undo server', '--yes', ...more);
    const sums = () => shell(world, 'sha256sum /etc/postfix/*.cf /etc/dovecot/conf.d/* | sha256sum');

    it('says when the last run changed mailboxes only, and stops at what was edited since', async () => {
      const before = await sums();
      await ok('user add', at('undone'), '--generate', '--yes');
      const edited = '/etc/smtp-setup/local/postfix-main.cf';
      await shell(world, `echo 'message_size_limit = 1000001' >${edited}`);
      const apply = await world.cliWithFlags('apply', ['--yes']);
      expect(apply.code, said(apply)).toBe(0);
      await shell(world, `rm ${edited}; echo '# by hand' >>/etc/postfix/main.cf`);
      const refused = await server();
      expect(refused.code, said(refused)).toBe(1);
      expect(said(refused)).toContain('E_HAND_EDITED');
      await shell(world, "sed -i '$d' /etc/postfix/main.cf");
      await ok('user disable', at('undone'), '--yes');
      const undone = await server();
      expect(undone.code, said(undone)).toBe(0);
      expect(said(undone)).toMatch(/The last run, \S+, replaced no file: mailboxes/);
      expect(await sums()).toBe(before);
      expect(await mailboxes()).toContain(at('undone'));
    });

    it('takes itself back when it is done twice', async () => {
      const before = await sums();
      expect((await server()).code).toBe(0);
      expect(await shell(world, 'postconf -h message_size_limit')).toBe('1000001');
      expect((await server()).code).toBe(0);
      expect(await sums()).toBe(before);
    });
  });

  it('leaves nothing for apply to do, and no secret anywhere', async () => {
    const plan = await world.cliWithFlags('plan', ['--exit-code']);
    expect(plan.code, said(plan)).toBe(0);
    const places = '/var/lib/smtp-setup /etc/smtp-setup /var/log /run/smtp-setup';
    const journal = await shell(world, 'journalctl --no-pager -o cat');
    for (const [name, value] of secrets) {
      expect(outputs.join('\n').includes(value), `the password ${name} was printed`).toBe(false);
      expect(journal.includes(value), `the password ${name} is in the journal`).toBe(false);
      expect(await shell(world, `grep -rlaF -e '${value}' ${places} || true`)).toBe('');
    }
  });

  /** Asks until the answer fits; the suite's own limit ends it. */
  async function askUntil(ask: () => Promise<CliResult>, pattern: RegExp): Promise<void> {
    for (;;) {
      const result = await ask();
      expect(result.code, said(result)).toBe(0);
      if (pattern.test(result.stdout)) return;
    }
  }

  return () => world;
}
