import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Receiver, startReceiver } from '../../src/sandbox/receiver/index.js';
import { addRecords } from '../helpers/cloudflare-zone.js';
import { type CliResult, openProvisioned, shell, type World } from '../helpers/world.js';

/** A server that only sends, for a domain whose mail lives elsewhere (Debian 12) or nowhere (13: a null MX). */
describe.each([
  ['debian-12', { priority: 10, content: 'mx.receiver.test' }],
  ['debian-13', { priority: 0, content: '.' }],
] as const)('a server that only sends, on %s', (image, mx) => {
  let world: World;
  let receiver: Receiver;
  let passwordFile: string;
  const password = randomBytes(15).toString('base64url');

  beforeAll(async () => {
    world = await openProvisioned('send-only', image);
    receiver = await startReceiver(world.lab);
    passwordFile = join(world.rehearsal.home, 'app-password');
    await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
    await addRecords(world, world.lab.domain, [{ type: 'MX', name: world.lab.domain, ttl: 3600, ...mx }]);
  });
  afterAll(() => world?.lab.down());

  const said = ({ stdout, stderr }: CliResult) => `${stdout}\n${stderr}`;
  function expectExit(result: CliResult, code: number): void {
    expect(result.code, said(result)).toBe(code);
  }
  const at = (local: string) => `${local}@${world.lab.domain}`;
  const cli = (...args: string[]) => world.cli([...args, ...world.rehearsal.connectFlags]);
  const withConfig = (...args: string[]) => world.cli([...args, '--config', world.rehearsal.configFile]);
  const check = (...args: string[]) => withConfig('check', ...args, '--resolver', world.lab.resolver);
  const records = () => world.rehearsal.cloudflare.control.records(world.lab.domain);
  const send = (options: { from: string; envelopeFrom?: string; subject?: string }) =>
    world.mail.send({
      to: `sink@${receiver.domain}`,
      subject: 'Refused',
      user: at('shop'),
      password,
      ...options,
    });
  const init = (...more: string[]) => {
    const { initArguments } = world.rehearsal;
    const mailbox = initArguments.indexOf('--mailbox');
    return world.cli([
      ...initArguments.filter((_, index) => index < mailbox || index >= mailbox + 4),
      ...['--profile', 'send-only'],
      ...more,
    ]);
  };

  it('is asked for by one word, and takes no mailbox', async () => {
    const refused = await init('--mailbox', at('ada'));
    expectExit(refused, 2);
    expect(said(refused)).toContain('E_NO_MAILBOXES');
    const done = await init();
    expectExit(done, 0);
    expect(done.stdout).toContain(`smtp-setup user add APP@${world.lab.domain} --sender`);
    const yaml = await readFile(world.rehearsal.configFile, 'utf8');
    expect(yaml).toMatch(/profile: send-only[\s\S]*mail: send-only/);
    expectExit(await cli('plan', '--exit-code'), 0);
  });

  it('publishes what a sender needs, and touches neither MX nor anything of mailboxes', async () => {
    const found = (await records()).map(({ type, name, content }) => ({ type, name, content }));
    expect(found.filter(({ type }) => type === 'MX').map(({ content }) => content)).toEqual([mx.content]);
    expect(found.filter(({ type }) => ['SRV', 'CNAME', 'TLSA'].includes(type))).toEqual([]);
    const names = found.filter(({ type }) => type === 'TXT').map(({ name }) => name);
    const { domain } = world.lab;
    expect(names.filter((name) => !/^s\d{6}\._domainkey\./.test(name)).sort()).toEqual([
      `_dmarc.${domain}`,
      world.rehearsal.hostname,
      domain,
    ]);
    expect(names).toHaveLength(4);
    expectExit(await check('dns'), 0);
  });

  it('listens for logins, and serves no mail', async () => {
    const listening = await shell(
      world,
      "ss -ltnH 'not src 127.0.0.0/8 and not src [::1]' | awk '{print $4}'",
    );
    const ports = [...new Set(listening.split('\n').map((line) => Number(line.split(':').at(-1))))];
    expect(ports.sort((a, b) => a - b)).toEqual([22, 80, 465, 587]);
    expect(await shell(world, 'find /var/vmail -type f')).toBe('');
    // The server of the layer had been one for mailboxes.
    const srs =
      'is-active postsrsd; systemctl is-enabled postsrsd; ls /etc/systemd/system/postsrsd.service.d';
    expect(await shell(world, `systemctl ${srs} 2>/dev/null || true`)).toBe('inactive\ndisabled');
    expectExit(await check('server'), 0);
  });

  it('gives each application a login for its senders, and no mailbox', async () => {
    const box = await withConfig('user', 'add', at('shop'), '--password-file', passwordFile, '--yes');
    expectExit(box, 2);
    expect(said(box)).toContain('E_NO_MAILBOXES');
    const flags = ['--sender', at('orders'), '--password-file', passwordFile, '--yes'];
    expectExit(await withConfig('user', 'add', at('shop'), ...flags), 0);
    const room = await withConfig('user', 'quota', at('shop'), '1G', '--yes');
    expectExit(room, 2);
    const subject = `Order ${randomBytes(4).toString('hex')}`;
    const sent = await send({ from: at('orders'), subject });
    expect(sent.ok, sent.detail).toBe(true);
    const message = await receiver.waitForMessage(({ raw }) => raw.includes(subject), 120_000);
    expect(receiver.readVerdicts(message)).toMatchObject({ spf: 'pass', dkim: 'pass', dmarc: 'pass' });
  });

  it('lets a login send as nobody else', async () => {
    for (const refused of [
      await send({ from: at('shop') }),
      await send({ from: at('ceo'), envelopeFrom: at('orders') }),
      await send({ from: 'somebody@elsewhere.test' }),
    ]) {
      expect(refused.ok).toBe(false);
      expect(refused.detail).toMatch(/^5\d\d 5\.7\.1|not owned by user/);
    }
  });

  it('is checked, and its mail followed on its way out', async () => {
    const nowhere = await check('delivery');
    expectExit(nowhere, 2);
    expect(said(nowhere)).toContain('--to ADDRESS');
    const followed = await check('delivery', '--to', `sink@${receiver.domain}`);
    expectExit(followed, 0);
    const status = await withConfig('status', '--resolver', world.lab.resolver);
    expectExit(status, 0);
    expectExit(await cli('plan', '--exit-code'), 0);
  });

  if (image === 'debian-13')
    it('says who hears of bounces, until somebody does', async () => {
      const remind = 'so they come to nobody';
      expect(said(await cli('plan'))).toContain(remind);
      const target = `ops@${receiver.domain}`;
      expectExit(await withConfig('alias', 'add', `@${world.lab.domain}`, target, '--yes'), 0);
      expect(said(await cli('plan'))).not.toContain(remind);
      // What the machine itself says goes the same way.
      await shell(world, "printf 'Subject: From cron\\n\\nDisk full\\n' | /usr/sbin/sendmail root");
      const message = await receiver.waitForMessage(({ raw }) => raw.includes('From cron'), 120_000);
      expect(receiver.readVerdicts(message)).toMatchObject({ dkim: 'pass', dmarc: 'pass' });
    });
  else {
    it('is saved, and taken back; the MX is what it was', async () => {
      const target = join(world.rehearsal.home, 'sender.tar');
      expectExit(await withConfig('backup', target, '--plain', '--yes'), 0);
      expectExit(await withConfig('uninstall', '--resolver', world.lab.resolver, '--yes'), 0);
      const left = await records();
      expect(left.filter(({ type }) => type === 'MX').map(({ content }) => content)).toEqual([mx.content]);
      expect(left.filter(({ name }) => name === `_dmarc.${world.lab.domain}`)).toEqual([]);
    });

    it('is the same sender again when it is restored: its logins, its key, and no mailbox', async () => {
      const target = join(world.rehearsal.home, 'sender.tar');
      expectExit(await cli('restore', target, '--yes'), 0);
      expectExit(await cli('plan', '--exit-code'), 0);
      const subject = `Restored ${randomBytes(4).toString('hex')}`;
      const sent = await send({ from: at('orders'), subject });
      expect(sent.ok, sent.detail).toBe(true);
      const message = await receiver.waitForMessage(({ raw }) => raw.includes(subject), 120_000);
      expect(receiver.readVerdicts(message)).toMatchObject({ spf: 'pass', dkim: 'pass', dmarc: 'pass' });
      expect((await send({ from: at('shop') })).ok).toBe(false);
      const exchanges = (await records()).filter(({ type }) => type === 'MX');
      expect(exchanges.map(({ content }) => content)).toEqual([mx.content]);
    });
  }
});
