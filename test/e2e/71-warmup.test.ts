import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { waitUntil } from '../../src/sandbox/machine/wait-until.js';
import { type Receiver, startReceiver } from '../../src/sandbox/receiver/index.js';
import { type CliResult, openProvisioned, shell, type World } from '../helpers/world.js';

/**
 * A new sender on its first day, its third, and the day after the last; what moves is the note of when it began.
 * On Debian 13 it warms up from the start, on 12 a server that is there already; there it is ended, too.
 */
describe.each(['debian-12', 'debian-13'] as const)('a sender that warms up on %s', (image) => {
  const fromStart = image === 'debian-13';
  let world: World;
  let receiver: Receiver;
  let yaml: string;
  const subjects = ['first', 'second'].map((word) => `Warm-up ${word} ${randomBytes(4).toString('hex')}`);

  beforeAll(async () => {
    world = await openProvisioned(`warmup-${image.slice(-2)}`, image);
    receiver = await startReceiver(world.lab);
    const { lab, rehearsal } = world;
    const servers = { [rehearsal.hostname]: { warmup: true, ssh: `root@${lab.vps.ipv4}` } };
    const asked = { version: 1, servers, domains: { [lab.domain]: { dns: 'cloudflare' } } };
    if (fromStart) await writeFile(rehearsal.configFile, stringify(asked));
    expectExit(await world.cli(rehearsal.initArguments), 0);
    yaml = await readFile(rehearsal.configFile, 'utf8');
  });
  afterAll(() => world?.lab.down());

  const said = ({ stdout, stderr }: CliResult) => `${stdout}\n${stderr}`;
  function expectExit(result: CliResult, code: number): void {
    expect(result.code, said(result)).toBe(code);
  }
  const cli = (...args: string[]) => world.cli([...args, ...world.rehearsal.connectFlags]);
  const stage = () => shell(world, 'cat /etc/smtp-setup/warmup/stages');
  // Not by the script's argument: the timer, which comes every hour, would go back to the real day.
  const moveTo = (day: number) =>
    shell(
      world,
      `echo $(($(date +%s) - ${(day - 1) * 86_400} - 60)) >/etc/smtp-setup/warmup/started-server && /usr/local/lib/smtp-setup/warmup`,
    );
  const waiting = () => shell(world, `postqueue -j | grep -c 'sink@${receiver.domain}' || true`);
  // The receiver may have stored a message before the sender has taken it out of its queue.
  const waits = (count: string) =>
    waitUntil(async () => (await waiting()) === count, {
      what: `${count} messages to be in the queue`,
      timeoutMs: 60_000,
      evidence: async () => [await shell(world, 'postqueue -p')],
    });

  it('is asked for by one line, and says where it stands', async () => {
    if (!fromStart) {
      await writeFile(world.rehearsal.configFile, yaml.replace(/^( +)ssh: /m, '$1warmup: true\n$1ssh: '));
      expectExit(await cli('apply', '--yes'), 0);
    }
    expectExit(await cli('plan', '--exit-code'), 0);
    expect(await stage()).toBe('server 1 warm-server-1');
    expect(await shell(world, 'systemctl is-active smtp-setup-warmup.timer')).toBe('active');
    const { configFile } = world.rehearsal;
    const status = await world.cli(['status', '--config', configFile, '--resolver', world.lab.resolver]);
    expect(said(status)).toContain('Day 1 of 30: 50 messages a day');
  });

  it('holds mail back on the first day', async () => {
    for (const subject of subjects) {
      const sent = await world.mail.send({ to: `sink@${receiver.domain}`, subject });
      expect(sent.ok, sent.detail).toBe(true);
    }
    await receiver.waitForMessage(({ raw }) => subjects.some((subject) => raw.includes(subject)), 120_000);
    await waits('1');
    const arrived = (await receiver.messages()).filter(({ raw }) =>
      subjects.some((subject) => raw.includes(subject)),
    );
    expect(arrived).toHaveLength(1);
  });

  it('lets more go as days pass, and all of it in the end', async () => {
    await moveTo(3);
    expect(await stage()).toBe('server 3 warm-server-2');
    await moveTo(31);
    for (const subject of subjects)
      await receiver.waitForMessage(({ raw }) => raw.includes(subject), 120_000);
    await waits('0');
    expectExit(await cli('plan', '--exit-code'), 0);
  });

  if (!fromStart)
    it('leaves nothing behind when the line goes', async () => {
      await writeFile(world.rehearsal.configFile, yaml);
      expectExit(await cli('apply', '--yes'), 0);
      expectExit(await cli('plan', '--exit-code'), 0);
      const left =
        'ls -d /etc/smtp-setup/warmup /usr/local/lib/smtp-setup/warmup 2>/dev/null; postconf -n | grep warm- || true';
      expect(await shell(world, left)).toBe('');
    });
});
