import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitUntil } from '../../src/sandbox/machine/wait-until.js';
import { type Receiver, startReceiver } from '../../src/sandbox/receiver/index.js';
import { type RelayHost, startRelayHost, trustLabAuthority } from '../helpers/relay-host.js';
import { type CliResult, openProvisioned, shell, type World } from '../helpers/world.js';

const login = { user: 'apikey', password: `SG.${randomBytes(18).toString('base64url')} x` };

describe.each(['debian-12', 'debian-13'] as const)('a hosted relay on %s', (image) => {
  let world: World;
  let receiver: Receiver;
  let relay: RelayHost;
  let direct: { main: string; master: string; spf: string[] };

  beforeAll(async () => {
    world = await openProvisioned('relay', image);
    receiver = await startReceiver(world.lab);
    relay = await startRelayHost(world);
    await relay.setLogin(login.user, login.password);
    await trustLabAuthority(world);
    expectExit(await world.cli(world.rehearsal.initArguments), 0);
    direct = { ...(await postfixFiles()), spf: await spfTexts() };
  });
  afterAll(() => world?.lab.down());

  const said = ({ stdout, stderr }: CliResult) => `${stdout}\n${stderr}`;
  function expectExit(result: CliResult, code: number): void {
    expect(result.code, said(result)).toBe(code);
  }
  const cli = (...args: string[]) => world.cli([...args, ...world.rehearsal.connectFlags]);
  const postfixFiles = async () => ({
    main: await shell(world, 'cat /etc/postfix/main.cf'),
    master: await shell(world, 'cat /etc/postfix/master.cf'),
  });
  const spfTexts = async () =>
    (await world.rehearsal.cloudflare.control.records(world.lab.domain))
      .filter(
        ({ type, name, content }) =>
          type === 'TXT' && name === world.lab.domain && content.includes('v=spf1'),
      )
      .map(({ content }) => content.replace(/^"|"$/g, ''));

  async function passwordFile(password: string): Promise<string> {
    const file = join(world.rehearsal.home, 'relay-password');
    await writeFile(file, `${password}\n`, { mode: 0o600 });
    return file;
  }

  const set = async (...more: string[]) =>
    cli(
      ...['relay', 'set', 'custom', '--host', relay.host, '--spf-include', relay.spf, '--yes'],
      ...['--relay-user', login.user, '--relay-password-file', await passwordFile(login.password), ...more],
    );

  /** Sends a mail to the outside; it must arrive once, through the relay or past it, and pass everything. */
  async function expectArrival(subject: string, by: 'relay' | 'nobody'): Promise<void> {
    const message = await receiver.waitForMessage(({ raw }) => raw.includes(subject), 120_000);
    const received = message.headers.filter(({ name }) => name === 'received').map(({ value }) => value);
    expect(
      received.some((value) => value.includes(`by ${relay.host}`)),
      received.join('\n'),
    ).toBe(by === 'relay');
    expect(receiver.readVerdicts(message)).toMatchObject({ spf: 'pass', dkim: 'pass', dmarc: 'pass' });
    const all = (await receiver.messages()).filter(({ raw }) => raw.includes(subject));
    expect(all).toHaveLength(1);
  }

  async function send(what: string): Promise<string> {
    const subject = `${what} ${randomBytes(4).toString('hex')}`;
    const sent = await world.mail.send({ to: `sink@${receiver.domain}`, subject });
    expect(sent.ok, sent.detail).toBe(true);
    return subject;
  }

  const queue = () => shell(world, 'postqueue -j');
  const inQueue = (reason: RegExp) =>
    waitUntil(async () => reason.test(await queue()), {
      what: `a message that waits: ${reason}`,
      timeoutMs: 90_000,
      intervalMs: 500,
      evidence: async () => [await queue()],
    });

  it('refuses a login that the relay refuses, before anything leans on it', async () => {
    const refused = await cli(
      ...['relay', 'set', 'custom', '--host', relay.host, '--spf-include', relay.spf, '--yes'],
      ...['--relay-user', login.user, '--relay-password-file', await passwordFile('wrong')],
    );
    expectExit(refused, 1);
    expect(said(refused)).toMatch(new RegExp(`${relay.host} refuses the login: 535 `));
    expect(await postfixFiles()).toEqual({ main: direct.main, master: direct.master });
    expect(await shell(world, 'ls /etc/smtp-setup/relay 2>/dev/null || true')).toBe('');
  });

  it('takes all mail through STARTTLS and a login; SPF, DKIM and DMARC hold', async () => {
    expectExit(await set(), 0);
    expectExit(await cli('plan', '--exit-code'), 0);
    expect(await spfTexts()).toHaveLength(1);
    expect((await spfTexts())[0]).toContain(`include:${relay.spf}`);
    // What a relay is for: nobody needs port 25 of anybody.
    await world.lab.vps.blockOutbound(25);
    await expectArrival(await send('By STARTTLS'), 'relay');
    await world.lab.vps.unblock();
    expect(
      await shell(world, "journalctl -q --no-pager -t postfix/relay-server/smtp | grep -c 'Verified TLS'"),
    ).not.toBe('0');
  });

  it('keeps the login where only root reads it', async () => {
    expect(await shell(world, "stat -c '%a %U' /etc/smtp-setup/relay /etc/smtp-setup/relay/server")).toBe(
      '700 root\n600 root',
    );
    const yaml = await readFile(world.rehearsal.configFile, 'utf8');
    expect(yaml).toContain(relay.host);
    expect(yaml).not.toContain(login.password);
    const found = await world.lab.vps.exec(
      'cat >/run/canary; grep -rlaF --exclude-dir=proc --exclude-dir=sys --exclude-dir=dev --exclude=canary -f /run/canary / 2>/dev/null; rm /run/canary',
      { input: `${login.password}\n` },
    );
    expect(found.stdout.trim()).toBe('/etc/smtp-setup/relay/server');
  });

  it('is shown, and tested without a mail and with one', async () => {
    const shown = await cli('relay', 'show');
    expectExit(shown, 0);
    expect(shown.stdout).toContain(`${relay.host}:587 starttls`);
    const before = (await receiver.messages()).length;
    const tested = await cli('relay', 'test');
    expectExit(tested, 0);
    expect(tested.stdout).toMatch(/ok +Login: PLAIN: 235 /);
    expect((await receiver.messages()).length).toBe(before);
    const mailed = await cli('relay', 'test', '--to', `sink@${receiver.domain}`);
    expectExit(mailed, 0);
    expect(mailed.stdout).toMatch(/ok +Mail to sink@.*: mx\.relay\.test.*250 /);
  });

  it('makes mail wait while the relay refuses the login, and loses and bounces none', async () => {
    await relay.setLogin(login.user, 'changed at the provider');
    const subject = await send('Wrong password');
    await inQueue(/SASL authentication failed.*535/);
    const tested = await cli('relay', 'test');
    expectExit(tested, 1);
    expect(tested.stdout).toMatch(/failed +Login: 535 /);
    expect(tested.stdout).toContain('smtp-setup relay set');
    await relay.setLogin(login.user, login.password);
    await shell(world, 'postqueue -f');
    await expectArrival(subject, 'relay');
    expect(
      await shell(world, 'journalctl --sync; journalctl -q --no-pager -t postfix/bounce | grep -c . || true'),
    ).toBe('0');
  });

  it('makes mail wait while the relay is down', async () => {
    const { ipv4, ipv6 } = relay.receiver.labHost;
    const routes = [`unreachable ${ipv4}/32`, ...(ipv6 === undefined ? [] : [`unreachable ${ipv6}/128`])];
    await shell(world, routes.map((route) => `ip route add ${route}`).join(' && '));
    const subject = await send('Relay down');
    await inQueue(/No route to host/);
    const tested = await cli('relay', 'test');
    expectExit(tested, 1);
    expect(tested.stdout).toMatch(/failed +Reached: /);
    await shell(world, `${routes.map((route) => `ip route del ${route}`).join('; ')}; postqueue -f`);
    await expectArrival(subject, 'relay');
  });

  it.each([
    ['465', 'wrapper', 'PLAIN'],
    ['2525', 'starttls', 'LOGIN'],
  ])('speaks to port %s: %s and %s', async (port, tls, mechanism) => {
    expectExit(await set('--port', port, '--tls', tls), 0);
    expectExit(await cli('plan', '--exit-code'), 0);
    const tested = await cli('relay', 'test');
    expectExit(tested, 0);
    expect(tested.stdout).toContain(`Login: ${mechanism}: 235`);
    await expectArrival(await send(`Port ${port}`), 'relay');
  });

  if (image === 'debian-12') {
    it('takes the mail of one domain only, when told so', async () => {
      expectExit(await cli('relay', 'off', '--yes'), 0);
      expectExit(await set('--domain', world.lab.domain), 0);
      expectExit(await cli('plan', '--exit-code'), 0);
      expect(await shell(world, 'ls /etc/smtp-setup/relay')).toBe(world.lab.domain);
      await expectArrival(await send('One domain'), 'relay');
      expectExit(await cli('relay', 'off', '--domain', world.lab.domain, '--yes'), 0);
    });
  } else {
    it('goes when told so', async () => {
      expectExit(await cli('relay', 'off', '--yes'), 0);
    });
  }

  it('leaves nothing behind', async () => {
    expectExit(await cli('plan', '--exit-code'), 0);
    expect(await postfixFiles()).toEqual({ main: direct.main, master: direct.master });
    expect(await shell(world, 'ls -d /etc/smtp-setup/relay 2>/dev/null || true')).toBe('');
    expect(await spfTexts()).toEqual(direct.spf);
    expect(await readFile(world.rehearsal.configFile, 'utf8')).not.toContain('relay:');
    await expectArrival(await send('Direct again'), 'nobody');
  });
});
