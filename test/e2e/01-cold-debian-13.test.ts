import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Receiver, startReceiver } from '../../src/sandbox/receiver/index.js';
import { type CliProcess, type CliResult, openWorld, shell, startCli, type World } from '../helpers/world.js';
import { tellColdStory } from './cold-story.js';
import { tellWebStory } from './web-story.js';

/**
 * The one installation of Debian 13, under everything that may befall it. It ends with the same story as an undisturbed
 * one, so that nothing of the disturbances may be left.
 */
let world: World;
let receiver: Receiver;
let last: CliResult;
let client: CliProcess;
const unit = 'smtp-setup-run.service';
const isRunning = async () =>
  (await world.lab.vps.exec(`systemctl is-active ${unit}`)).stdout.trim() === 'active';
const init = () => startCli(world, [...world.rehearsal.initArguments, '--verbose']);

beforeAll(async () => {
  world = await openWorld({ name: 'e2e-cold-13', image: 'debian-13' });
  receiver = await startReceiver(world.lab);
});
afterAll(() => world?.lab.down());

describe('a package installation', () => {
  it('goes on while the line is cut, and is followed again', async () => {
    // What a hook prints must not reach the terminal as it is. The gate keeps the installation from ending too soon.
    await shell(
      world,
      `: >/run/gate; printf '%s\\n' 'printf "A hook speaks\\033]0;x\\007\\n"' 'while [ -e /run/gate ]; do sleep 0.2; done' >/root/noise
      printf 'DPkg::Pre-Install-Pkgs {"sh /root/noise";};\\n' >/etc/apt/apt.conf.d/99noise`,
    );
    client = init();
    await client.saw(/A hook speaks/);
    await world.lab.vps.cutLink();
    await client.saw(/connection was lost/);
    expect(await isRunning()).toBe(true);
    await world.lab.vps.restoreLink();
    await client.saw(/Connected again/);
  });

  it('goes on when its client is killed, and the next one takes over', async () => {
    expect(await isRunning()).toBe(true);
    client.kill();
    expect(await client.ended).toBeNull();
    expect(client.output()).toContain('A hook speaks');
    expect(client.output()).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
    expect(await isRunning()).toBe(true);
    client = init();
    await client.saw(/still at work; following it/);
    await shell(world, 'rm /etc/apt/apt.conf.d/99noise /root/noise /run/gate');
  });

  it('is taken up again after a power cut in the middle of it', async () => {
    // Any of some hundred packages: the installation has long to go.
    await client.saw(/Setting up /);
    await world.lab.vps.powerCut();
    await client.saw(/connection was lost/);
    await world.lab.vps.start();
    // The run that it followed is history; what is left to do is a plan like any other.
    await client.saw(/without a result/);
    await client.saw(/\[server\] Install|\[server\] Configure/);
  });
});

it('goes on between the runs when the client is killed there', async () => {
  await client.saw(/\[server\] done: .*\n[\s\S]*Publish SPF and DKIM/);
  client.kill();
  expect(await client.ended).toBeNull();
  // What the first client decided is on disk: `apply` needs no more than that.
  const apply = await world.cliWithFlags('apply', ['--yes']);
  expect(apply.code, apply.stdout + apply.stderr).toBe(0);
  last = await world.cli([...world.rehearsal.initArguments]);
});

describe('the Debian 13 that went through this', () => {
  it('has nothing left of it', async () => {
    expect(last.code, last.stderr).toBe(0);
    expect(await shell(world, 'dpkg --audit; systemctl --failed --plain --no-legend')).toBe('');
    expect(
      await shell(world, 'ls /usr/sbin/policy-rc.d /var/lib/smtp-setup/pending/* 2>/dev/null || true'),
    ).toBe('');
    expect(await isRunning()).toBe(false);
  });

  tellWebStory({ world: () => world, receiver: () => receiver });
  tellColdStory({ world: () => world, receiver: () => receiver });
});
