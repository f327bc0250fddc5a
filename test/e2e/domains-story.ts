import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { VpsImage } from '../../src/sandbox/index.js';
import { type Receiver, startReceiver } from '../../src/sandbox/receiver/index.js';
import { longestGap, startMailStream } from '../helpers/mail-stream.js';
import { type CliResult, openProvisioned, shell, startCli, type World } from '../helpers/world.js';

interface Key {
  domain: string;
  selector: string;
  state: string;
  visible: string;
}

/** A second domain comes, changes its key, and goes; the first one notices nothing. */
export function tellDomainsStory(image: VpsImage): void {
  const second = 'second.test';
  const password = randomBytes(15).toString('base64url');
  const namesake = `ada@${second}`;
  let world: World;
  let receiver: Receiver;
  let firstZone: unknown;
  let firstSelector: string;
  beforeAll(async () => {
    world = await openProvisioned(`domains-${image.slice(-2)}`, image);
    receiver = await startReceiver(world.lab);
    const init = await world.cli(world.rehearsal.initArguments);
    expect(init.code, said(init)).toBe(0);
    const nameServers = ['ada.ns.cloudflare.com', 'bob.ns.cloudflare.com'];
    await world.lab.dns.addZone(second, { nameServers });
    await world.lab.resolverHost.flush();
    const { control } = world.rehearsal.cloudflare;
    await control.addZone({ name: second, nameServers });
    await control.seed(second, { type: 'TXT', name: second, content: '"site-verification=1"', ttl: 300 });
    await control.seed(second, { type: 'A', name: `www.${second}`, content: '198.51.100.99', ttl: 300 });
  });
  afterAll(() => world?.lab.down());

  const said = ({ stdout, stderr }: CliResult) => `${stdout}\n${stderr}`;
  const config = () => ['--config', world.rehearsal.configFile];
  const resolver = () => ['--resolver', world.lab.resolver];
  const run = (command: string, ...more: string[]): Promise<CliResult> =>
    world.cli([...command.split(' '), ...more, ...config()]);
  async function ok(command: string, ...more: string[]): Promise<CliResult> {
    const result = await run(command, ...more);
    expect(result.code, said(result)).toBe(0);
    return result;
  }
  const json = async <T>(command: string, ...more: string[]): Promise<T> =>
    JSON.parse((await ok(command, ...more, '--json')).stdout) as T;
  const change = (command: string, ...more: string[]) =>
    json<{ changed: boolean }>(command, '--yes', ...resolver(), ...more);
  const refuse = async (code: string, command: string, ...more: string[]) => {
    const result = await run(command, '--yes', ...resolver(), ...more);
    expect(result.code, said(result)).toBe(2);
    expect(said(result)).toContain(code);
  };
  const records = (zone: string) => world.rehearsal.cloudflare.control.records(zone);
  const keys = async () => (await json<{ keys: Key[] }>('dkim list', ...resolver())).keys;
  const states = async () =>
    (await keys()).map(({ domain, selector, state, visible }) => `${domain} ${selector} ${state} ${visible}`);
  const selectorOf = async (domain: string) =>
    (await keys()).find((key) => key.domain === domain && key.state === 'signs')?.selector ?? '';
  const planIsEmpty = async () => {
    const plan = await run('plan', '--exit-code', ...resolver());
    expect(plan.code, said(plan)).toBe(0);
  };
  const firstIsUntouched = async () => {
    expect(await records(world.lab.domain)).toEqual(firstZone);
    expect((await keys()).filter(({ domain }) => domain === world.lab.domain)).toEqual([
      { domain: world.lab.domain, selector: firstSelector, state: 'signs', visible: 'yes' },
    ]);
  };
  /** Days go by: what the lock file dates lies so much further back. */
  const ageLock = async (days: number) => {
    const file = join(world.rehearsal.home, 'smtp-setup.lock.json');
    const back = (text: string) => new Date(Date.parse(text) - days * 86_400_000).toISOString();
    const lock = (await readFile(file, 'utf8')).replace(
      /("(?:switched|at)": ")([^"]+)/g,
      (_all, head: string, date: string) => head + back(date),
    );
    await writeFile(file, lock);
  };
  const sendAs = async (user: string, secret: string) => {
    const subject = `From ${user} ${Date.now()}`;
    const sent = await world.mail.send({
      user,
      password: secret,
      from: user,
      to: `sink@${receiver.domain}`,
      subject,
    });
    expect(sent.ok, sent.detail).toBe(true);
    const message = await receiver.waitForMessage(({ headers }) =>
      headers.some(({ name, value }) => name === 'subject' && value === subject),
    );
    return receiver.readVerdicts(message);
  };
  /** Every line of the server's configuration, with its file. */
  const keepFiles = (place: string) =>
    shell(
      world,
      `rm -rf ${place} && mkdir ${place} && cp -a --parents /etc/postfix /etc/dovecot /etc/rspamd /etc/smtp-setup /etc/nginx /var/lib/rspamd/dkim ${place} 2>/dev/null; true`,
    );

  /** Tables are made from the lists. */
  const compare = () =>
    shell(world, "cd /root && diff -rN -x '*.lmdb' -x '*.cdb' -x '*.db' before after || true");

  it('refuses what cannot be, before anything is touched', async () => {
    firstZone = await records(world.lab.domain);
    firstSelector = await selectorOf(world.lab.domain);
    await refuse('E_DOMAIN_LAST', 'domain rm', world.lab.domain);
    await refuse('E_DOMAIN_UNKNOWN', 'domain rm', 'other.test');
    await refuse('E_DOMAIN_UNKNOWN', 'dkim rotate', 'other.test');
    await firstIsUntouched();
    await planIsEmpty();
    // Where everybody gets mail, nobody is unknown: that is no reason to hold the second domain's MX back.
    await ok('alias add', `@${world.lab.domain}`, world.rehearsal.mailbox, '--yes');
  });

  describe('domain add', () => {
    it('makes it so, while mail of the first goes on', async () => {
      await keepFiles('/root/before');
      const stream = await startMailStream(world, receiver);
      const added = await run('domain add', second, '--yes', ...resolver(), '--json');
      const attempts = await stream.stop();
      expect(added.code, said(added)).toBe(0);
      expect(JSON.parse(added.stdout)).toMatchObject({ changed: true });
      // biome-ignore lint/suspicious/noConsole: a figure
      console.info(`${image}: longest gap ${longestGap(attempts)} ms in ${attempts.length} messages`);
      expect(attempts.filter((attempt) => !attempt.ok)).toEqual([]);
      expect(await change('domain add', second)).toMatchObject({ changed: false });
      expect(await change('apply')).toMatchObject({ changed: false });
      await planIsEmpty();
    });

    it('leaves every line of the first one as it was', async () => {
      await firstIsUntouched();
      await keepFiles('/root/after');
      const lines = (await compare()).split('\n');
      const without = lines.map((line) => line.replace(/^>/, '<').replace(/,? ?second\.test/g, ''));
      // The lists of domains are longer now; nothing else of what was there is gone.
      const gone = lines.filter((line) => line.startsWith('<') && !without.includes(line));
      expect(gone).toEqual([]);
      expect(lines.join('\n')).toContain(second);
    });

    it('lists both, and mail of both is signed for its own', async () => {
      const { domains } = await json<{ domains: { domain: string; dns: string }[] }>('domain list');
      expect(domains.map(({ domain, dns }) => `${domain} ${dns}`)).toEqual([
        `${world.lab.domain} cloudflare`,
        `${second} cloudflare`,
      ]);
      const file = join(world.rehearsal.home, 'namesake');
      await writeFile(file, `${password}\n`, { mode: 0o600 });
      await ok('user add', namesake, '--password-file', file, '--yes');
      for (const [user, secret] of [
        [namesake, password],
        [world.rehearsal.mailbox, world.rehearsal.password],
      ] as const) {
        const verdicts = await sendAs(user, secret);
        expect(verdicts).toMatchObject({ spf: 'pass', dkim: 'pass', dmarc: 'pass' });
        expect(verdicts.signatures.map(({ domain }) => domain)).toEqual([user.split('@')[1]]);
      }
      await receiver.sendMail({ from: `a@${receiver.domain}`, to: namesake, subject: 'To the second' });
      const read = await world.mail.read({ user: namesake, password, subject: 'To the second' });
      expect(read.ok, read.detail).toBe(true);
      interface Report {
        domain: string;
        out: { sent: number };
        in: { sent: number };
        bySender: { sender: string }[];
      }
      const report = await json<Report>('report', '--domain', second);
      expect(report).toMatchObject({ domain: second, out: { sent: 1 }, in: { sent: 1 } });
      expect(report.bySender.map(({ sender }) => sender)).toEqual([namesake]);
    });
  });

  describe('undo server', () => {
    // The mailbox of that domain is in the lists that are the user's, and stays there.
    const configured =
      "grep -rlF 'second.test' /etc/postfix /etc/dovecot /etc/rspamd /etc/nginx /etc/smtp-setup/domains || true";

    it('puts back what all runs of the last command replaced, and doing it twice makes it again', async () => {
      const files = await shell(world, configured);
      for (const file of ['/etc/rspamd/local.d/dkim_signing.conf', '/etc/smtp-setup/domains'])
        expect(files).toContain(file);
      expect(await change('undo server')).toMatchObject({ changed: true });
      expect(await shell(world, configured)).toBe('');
      const plan = await run('plan', '--exit-code', ...resolver());
      expect(plan.code, said(plan)).toBe(4);
      expect(await change('undo server')).toMatchObject({ changed: true });
      expect(await shell(world, configured)).toBe(files);
      await planIsEmpty();
    });
  });

  describe('dkim rotate', () => {
    let old: string;
    let next: string;
    const silent = ['100 NS ns.silent.test.'];

    it('signs with the old key while a name server does not show the new one, even when the client is killed', async () => {
      old = await selectorOf(second);
      // A third name server, at whose address nothing answers.
      await world.lab.dns.addZone('silent.test', { records: ['ns.silent.test. 60 A 198.51.100.201'] });
      for (const zone of ['test', second])
        await world.lab.dns.update(
          zone,
          silent.map((line) => `add ${second}. ${line}`),
        );
      await world.lab.resolverHost.flush();
      const client = startCli(world, ['dkim', 'rotate', second, '--yes', ...resolver(), ...config()]);
      await client.saw(/Wait until the name servers show auth records/);
      client.kill();
      await client.ended;
      const seen = await states();
      expect(seen).toContain(`${second} ${old} signs unknown`);
      expect(seen.filter((line) => line.startsWith(second) && line.includes('coming'))).toHaveLength(1);
      expect((await sendAs(namesake, password)).signatures).toMatchObject([
        { result: 'pass', domain: second, selector: old },
      ]);
    });

    it('is finished by any later run: the new key signs, the old one stays', async () => {
      for (const zone of ['test', second])
        await world.lab.dns.update(
          zone,
          silent.map((line) => `delete ${second}. ${line.replace(/^\d+ /, '')}`),
        );
      await world.lab.resolverHost.flush();
      expect(await change('apply')).toMatchObject({ changed: true });
      next = await selectorOf(second);
      expect(next).not.toBe(old);
      expect(await states()).toEqual(
        expect.arrayContaining([`${second} ${next} signs yes`, `${second} ${old} old yes`]),
      );
      expect((await sendAs(namesake, password)).signatures).toMatchObject([
        { result: 'pass', domain: second, selector: next },
      ]);
      await planIsEmpty();
    });

    it('keeps the old key seven days, and then takes it away', async () => {
      await ageLock(6);
      expect(await change('dkim rotate', second)).toMatchObject({ changed: false });
      expect(await states()).toContain(`${second} ${old} old yes`);
      await ageLock(1);
      expect(await change('dkim rotate', second)).toMatchObject({ changed: true });
      expect((await states()).filter((line) => line.startsWith(second))).toEqual([
        `${second} ${next} signs yes`,
      ]);
      const names = (await records(second)).map(({ name }) => name);
      expect(names).toContain(`${next}._domainkey.${second}`);
      expect(names).not.toContain(`${old}._domainkey.${second}`);
      expect(await shell(world, `ls /var/lib/rspamd/dkim | grep -c '^${second}'`)).toBe('2');
      await firstIsUntouched();
      await planIsEmpty();
    });
  });

  describe('domain rm', () => {
    it('refuses while somebody has mail there', async () => {
      await refuse('E_DOMAIN_IN_USE', 'domain rm', second);
      await ok('user rm', namesake, '--yes');
    });

    it('takes our records out but the key, and leaves the others’', async () => {
      expect(await change('domain rm', second)).toMatchObject({ changed: true });
      const left = (await records(second)).map(({ name, type }) => `${name} ${type}`).sort();
      expect(left).toHaveLength(3);
      expect(left).toEqual(
        expect.arrayContaining([
          `${second} TXT`,
          `www.${second} A`,
          expect.stringMatching(`_domainkey.${second} TXT$`),
        ]),
      );
      await firstIsUntouched();
      await planIsEmpty();
    });

    it('takes the key away after seven days, and all is as before', async () => {
      expect(await change('domain rm', second)).toMatchObject({ changed: false });
      await ageLock(7);
      expect(await change('domain rm', second)).toMatchObject({ changed: true });
      expect((await records(second)).map(({ name, type }) => `${name} ${type}`).sort()).toEqual(
        [`${second} TXT`, `www.${second} A`].sort(),
      );
      await keepFiles('/root/after');
      expect(await compare()).toBe('');
      await firstIsUntouched();
      await planIsEmpty();
      expect((await sendAs(world.rehearsal.mailbox, world.rehearsal.password)).dmarc).toBe('pass');
    });
  });
}
