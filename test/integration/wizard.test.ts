import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bundle } from '../../scripts/build.mjs';
import { openTerminal, type TmuxTerminal } from '../helpers/tmux.js';

const program = resolve('bin/smtp-setup.js');
let home = '';
let terminal: TmuxTerminal | undefined;

beforeAll(async () => {
  await bundle();
});
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'wizard-'));
});
afterEach(() => {
  terminal?.close();
  terminal = undefined;
  rmSync(home, { recursive: true });
});

function start(command: string): TmuxTerminal {
  terminal = openTerminal(`cd ${home} && node ${program} ${command}`, { HOME: home });
  return terminal;
}

describe('init in a terminal', () => {
  it('asks, says what is wrong with an answer, and ends on Ctrl-C with one line and 130', async () => {
    const screen = start('init');
    await screen.waitFor('How do you log in to the server?');
    screen.type('root@bad host');
    screen.press('Enter');
    await screen.waitFor('has characters that are not allowed');
    screen.press('C-c');
    const end = await screen.waitFor('exit code 130');
    expect(end).toMatch(/^Cancelled\.\nexit code 130$/m);
    expect(end).not.toMatch(/Error|at .*\.js/);
    expect(readdirSync(home)).toEqual([]);
  });

  it('asks nothing that was given by flag', async () => {
    // Nothing listens there: the answer shows that the wizard went on to the login.
    const screen = start('init --ssh root@127.0.0.1:1');
    const end = await screen.waitFor(/exit code \d+/);
    expect(end).not.toContain('How do you log in');
    expect(end).toContain('127.0.0.1');
    expect(end).toContain('exit code 2');
    expect(readdirSync(home)).toEqual([]);
  });
});

describe('init where a server is finished', () => {
  it('shows at a glance what can be done, goes in and back, and the wizard is the last line', async () => {
    writeFileSync(
      join(home, 'smtp-setup.yaml'),
      'version: 1\nservers:\n  mail.example.org:\n    ssh: root@127.0.0.1:1\ndomains:\n  example.org:\n    dns: cloudflare\n',
    );
    const lock = { version: 1, servers: { 'mail.example.org': { ipv4: '203.0.113.7' } }, domains: {} };
    writeFileSync(join(home, 'smtp-setup.lock.json'), JSON.stringify(lock));
    const screen = start('init');
    const first = await screen.waitFor('Set up another server');
    for (const word of ['Mailboxes', 'Aliases', 'Domains', 'Mail:', 'Server', 'Backup', 'Undo'])
      expect(first).toContain(word);
    screen.press('Enter');
    // Not the Backup of the menu before it.
    const second = await screen.waitFor(/\bBack\b/);
    for (const word of ['Add a mailbox', 'Change a password', 'Disable', 'Remove', 'List'])
      expect(second).toContain(word);
    screen.press('Up');
    await screen.waitFor(/❯ Back/);
    screen.press('Enter');
    await screen.waitFor('❯ Mailboxes');
    screen.press('Up');
    await screen.waitFor('❯ Set up another server');
    screen.press('Enter');
    await screen.waitFor('How do you log in to the server?');
    screen.press('C-c');
    await screen.waitFor('exit code 130');
  });
});

describe('init without a terminal', () => {
  const run = (args: readonly string[], env: Record<string, string> = {}) =>
    spawnSync('node', [program, 'init', ...args], {
      cwd: home,
      encoding: 'utf8',
      input: '',
      env: { PATH: process.env.PATH, HOME: home, ...env },
    });

  it('asks nothing and lists everything that is missing in one message', () => {
    const { status, stdout, stderr } = run([]);
    expect([status, stdout]).toEqual([2, '']);
    for (const way of ['--ssh', '--domain', '--mailbox', 'SMTP_SETUP_SSH']) expect(stderr).toContain(way);
    expect(readdirSync(home)).toEqual([]);
  });

  it('says so as one JSON document, in any environment', () => {
    const { status, stdout } = run(['--json'], {
      CI: 'true',
      FORCE_COLOR: '3',
      NODE_OPTIONS: '--trace-warnings',
    });
    expect(status).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, exit: 2, error: { code: 'E_MISSING' } });
  });

  it.each([
    [['--domain', '$(touch pwned).org'], '--domain $(touch pwned).org'],
    [['--mailbox', '../../x@example.org'], '--mailbox ../../x@example.org'],
    [['--hostname', `${'a'.repeat(300)}.example.org`], '--hostname'],
  ])('refuses %j before anything is contacted', (args, shown) => {
    const { status, stderr } = run(args);
    expect(status).toBe(2);
    expect(stderr).toContain('E_ANSWER_INVALID');
    expect(stderr).toContain(shown);
    expect(readdirSync(home)).toEqual([]);
  });
});
