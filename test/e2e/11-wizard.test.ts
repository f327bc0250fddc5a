import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openTerminal, type TmuxTerminal } from '../helpers/tmux.js';
import { emptyZone, openProvisioned, shell, type World } from '../helpers/world.js';

const program = resolve('bin/smtp-setup.js');
const patienceMs = 10 * 60_000;
let world: World;
let terminal: TmuxTerminal;

beforeAll(async () => {
  world = await openProvisioned('e2e-wizard');
  await emptyZone(world);
  await rm(world.rehearsal.configFile, { force: true });
});
afterEach(() => terminal?.close());
afterAll(() => world?.lab.down());

/** The flags that only a rehearsal needs; everything else is asked. */
function startInit(): TmuxTerminal {
  const { connectFlags, env, home } = world.rehearsal;
  const asked = ['--ssh', '--host-key'];
  const flags = connectFlags.filter((_, index) => {
    const name = connectFlags[index - (index % 2)] ?? '';
    return !asked.includes(name);
  });
  const { CLOUDFLARE_API_TOKEN: _asked, ...rest } = env;
  const variables = Object.entries({ ...rest, CI: '' }).map(([name, value]) => `${name}=${value}`);
  const command = [
    ...['ip', 'netns', 'exec', `smtplab-${world.lab.name}-client`, 'env', ...variables],
    ...[process.execPath, program, 'init', ...flags],
  ];
  return openTerminal(`cd ${home} && ${command.join(' ')}`, { HOME: home }, patienceMs);
}

describe('the wizard, from the login to the summary', () => {
  it('shows the host key and where to compare it, and takes no for an answer', async () => {
    terminal = startInit();
    await terminal.waitFor('How do you log in to the server?');
    terminal.type(`root@${world.lab.vps.ipv4}`);
    terminal.press('Enter');
    const screen = await terminal.waitFor('(y/N)');
    expect(screen).toContain('ssh-keygen -lf');
    expect(screen.replace(/\s/g, '')).toContain(world.lab.vps.hostKeyFingerprint);
    terminal.press('Enter');
    expect(await terminal.waitFor(/exit code \d+/)).toMatch(/was not confirmed\.[\s\S]*exit code 130/);
  });

  it('asks for the rest, refuses a wrong token at once, and does what the plan says', async () => {
    const { mailbox, hostname, cloudflare, configFile } = world.rehearsal;
    terminal = startInit();
    const answer = async (question: string, ...keys: readonly string[]): Promise<void> => {
      await terminal.waitFor(question);
      for (const text of keys) terminal.type(text);
      terminal.press('Enter');
    };
    await answer('How do you log in to the server?', `root@${world.lab.vps.ipv4}`);
    await answer('(y/N)', 'y');
    await answer('Which domain is the mail for?', world.lab.domain);
    // Enter takes what was found out: the server's own name, and the provider by the zone's name servers.
    await answer('Which host name shall the server have?');
    await answer("Who hosts the domain's DNS?");
    await answer('Address of the first mailbox?', mailbox);
    await answer(`Password for ${mailbox}?`);
    await answer('API token?', 'x'.repeat(40));
    await terminal.waitFor('did not accept the API token');
    await answer('API token?', cloudflare.token);
    await answer('Make these changes?');
    const end = await terminal.waitFor(/exit code \d+/);
    expect(end).toContain('exit code 0');
    expect(end).toContain('shown this once');
    expect(end).not.toContain(cloudflare.token);
    expect(await shell(world, `cat ${join('/etc/smtp-setup', 'users')}`)).toContain(mailbox);
    expect(await cloudflare.control.records(world.lab.domain)).toContainEqual(
      expect.objectContaining({ type: 'MX', content: hostname }),
    );
    const plan = await world.cliWithFlags('plan', ['--exit-code']);
    expect(plan.code, plan.stdout + plan.stderr).toBe(0);
    expect(configFile).toMatch(/smtp-setup\.yaml$/);
  });

  it('is a menu where all is done: a mailbox more, and nothing asked twice', async () => {
    terminal = startInit();
    await terminal.waitFor('What is it about?');
    terminal.press('Enter');
    await terminal.waitFor('What shall be done?');
    terminal.press('Enter');
    const bob = `bob@${world.lab.domain}`;
    await terminal.waitFor('Address of the mailbox?');
    terminal.type(bob);
    terminal.press('Enter');
    await terminal.waitFor(`Password for ${bob}?`);
    terminal.press('Enter');
    await terminal.waitFor('Make this change?');
    terminal.press('Enter');
    expect(await terminal.waitFor(/exit code \d+/)).toContain('exit code 0');
    expect(await shell(world, 'cat /etc/smtp-setup/users')).toContain(bob);
  });

  it('takes it away again, two lists and two questions further', async () => {
    terminal = startInit();
    await terminal.waitFor('What is it about?');
    terminal.press('Enter');
    await terminal.waitFor('What shall be done?');
    // The list begins with its first item and goes round: the last but two is the one to remove.
    for (const _ of ['Back', 'List', 'Remove']) terminal.press('Up');
    await terminal.waitFor(/❯ Remove/);
    terminal.press('Enter');
    const bob = `bob@${world.lab.domain}`;
    await terminal.waitFor('Whose?');
    terminal.type(bob);
    terminal.press('Enter');
    await terminal.waitFor('Delete its stored mail, too?');
    terminal.press('Enter');
    await terminal.waitFor('Make this change?');
    terminal.press('Enter');
    expect(await terminal.waitFor(/exit code \d+/)).toContain('exit code 0');
    expect(await shell(world, 'cat /etc/smtp-setup/users')).not.toContain(bob);
  });
});
