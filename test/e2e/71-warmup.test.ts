import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Receiver, startReceiver } from '../../src/sandbox/receiver/index.js';
import { type CliResult, openProvisioned, shell, type World } from '../helpers/world.js';

let world: World;
let receiver: Receiver;
const said = ({ stdout, stderr }: CliResult) => `${stdout}\n${stderr}`;
function expectExit(result: CliResult, code: number): void {
  expect(result.code, said(result)).toBe(code);
}
const cli = (...args: string[]) => world.cli([...args, ...world.rehearsal.connectFlags]);

beforeAll(async () => {
  world = await openProvisioned('warmup');
  receiver = await startReceiver(world.lab);
  expectExit(await world.cli(world.rehearsal.initArguments), 0);
});
afterAll(() => world?.lab.down());

it('holds a new sender back, and lets more go as days pass', async () => {
  const { configFile } = world.rehearsal;
  const yaml = await readFile(configFile, 'utf8');
  await writeFile(configFile, yaml.replace(/^( +)ssh: /m, '$1warmup: true\n$1ssh: '));
  const stage = () => shell(world, 'cat /etc/smtp-setup/warmup/stages');
  const moveTo = (day: number) =>
    shell(
      world,
      `/usr/local/lib/smtp-setup/warmup $(($(cat /etc/smtp-setup/warmup/started-server) + ${(day - 1) * 86_400} + 60))`,
    );
  expectExit(await cli('apply', '--yes'), 0);
  expectExit(await cli('plan', '--exit-code'), 0);
  expect(await stage()).toBe('server 1 warm-server-1');
  expect(await shell(world, 'systemctl is-active smtp-setup-warmup.timer')).toBe('active');
  expect(
    said(await world.cli(['status', '--config', configFile, '--resolver', world.lab.resolver])),
  ).toContain('Day 1 of 30: 50 messages a day');
  const subjects = ['first', 'second'].map((word) => `Warm-up ${word} ${randomBytes(4).toString('hex')}`);
  for (const subject of subjects) {
    const sent = await world.mail.send({ to: `sink@${receiver.domain}`, subject });
    expect(sent.ok, sent.detail).toBe(true);
  }
  const arrived = async () =>
    (await receiver.messages()).flatMap(({ raw }) => subjects.filter((subject) => raw.includes(subject)));
  await receiver.waitForMessage(({ raw }) => subjects.some((subject) => raw.includes(subject)), 120_000);
  const waiting = () => shell(world, `postqueue -j | grep -c 'sink@${receiver.domain}' || true`);
  expect(await waiting()).toBe('1');
  expect(await arrived()).toHaveLength(1);
  await moveTo(3);
  expect(await stage()).toBe('server 3 warm-server-2');
  await moveTo(31);
  for (const subject of subjects) await receiver.waitForMessage(({ raw }) => raw.includes(subject), 120_000);
  expect(await waiting()).toBe('0');
  expectExit(await cli('plan', '--exit-code'), 0);
  await writeFile(configFile, yaml);
  expectExit(await cli('apply', '--yes'), 0);
  expectExit(await cli('plan', '--exit-code'), 0);
  expect(
    await shell(
      world,
      'ls -d /etc/smtp-setup/warmup /usr/local/lib/smtp-setup/warmup 2>/dev/null; postconf -n | grep warm- || true',
    ),
  ).toBe('');
});
