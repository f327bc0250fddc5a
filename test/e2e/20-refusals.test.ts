import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startReceiver } from '../../src/sandbox/receiver/index.js';
import { makeKey } from '../helpers/ssh-server.js';
import { openTerminal } from '../helpers/tmux.js';
import { type CliResult, openWorld, shell, type World } from '../helpers/world.js';

/** A bare VPS on which every `init` of this file is refused: nothing may be written anywhere. */
let world: World;
beforeAll(async () => {
  world = await openWorld({ name: 'e2e-refusals' });
  // Before anybody asks, so that no resolver remembers that they are not there.
  await world.lab.dns.addZone('google.com', {
    records: [`gmail-smtp-in.l.google.com. 300 A ${world.lab.addresses.receiver.ipv4}`],
  });
  await world.lab.dns.addZone('elsewhere.test', {
    records: ['_spf.elsewhere.test. 300 TXT "v=spf1 ip4:198.51.100.201 -all"'],
  });
  await startReceiver(world.lab);
});
afterAll(() => world?.lab.down());

/** Flags of the good `init` with some of them replaced, or (undefined) left out. */
function initArguments(changes: Readonly<Record<string, string | undefined>> = {}): string[] {
  const [command = '', ...rest] = world.rehearsal.initArguments;
  const flags = new Map<string, string | undefined>();
  for (let at = 0; at < rest.length - 1; at += 2) flags.set(rest[at] ?? '', rest[at + 1]);
  for (const [flag, value] of Object.entries(changes)) flags.set(`--${flag}`, value);
  const given = [...flags].flatMap(([flag, value]) => (value === undefined ? [] : [flag, value]));
  return [command, ...given, '--yes'];
}

interface Refusal {
  code: string;
  what: string;
  evidence: string[];
  fix: string[];
  text: string;
}

/** Runs an `init` that must be refused, and gives its error. One document on stdout, the same story on stderr. */
async function refused(
  exit: number,
  changes: Readonly<Record<string, string | undefined>>,
  env: Readonly<Record<string, string>> = {},
): Promise<Refusal> {
  const result = await world.cli([...initArguments(changes), '--json'], { env });
  expect(result.code, result.stdout + result.stderr).toBe(exit);
  return readRefusal(result);
}

function readRefusal(result: CliResult): Refusal {
  const document = JSON.parse(result.stdout) as { exit: number; error: Omit<Refusal, 'text'> };
  expect(document.exit).toBe(result.code);
  expect(result.stderr).toContain(document.error.what);
  expect(result.stdout + result.stderr).not.toMatch(/E_INTERNAL|\n {4}at /);
  return { ...document.error, text: JSON.stringify(document.error) };
}

beforeEach(async () => {
  await world.rehearsal.cloudflare.control.clearCalls();
});
afterEach(async () => {
  expect(await world.rehearsal.cloudflare.control.writeCount()).toBe(0);
  expect(
    await shell(world, 'ls -d /var/lib/smtp-setup /etc/smtp-setup /run/smtp-setup 2>/dev/null || true'),
  ).toBe('');
  const { configFile, home } = world.rehearsal;
  expect(existsSync(configFile)).toBe(false);
  expect((await readdir(home)).filter((name) => /lock|yaml/.test(name))).toEqual([]);
});

describe('the way in', () => {
  it('stops at a host key that nobody confirmed, and shows its fingerprint', async () => {
    const error = await refused(2, { 'host-key': undefined });
    expect(error.code).toBe('E_HOST_KEY_UNKNOWN');
    expect(error.text).toContain(world.lab.vps.hostKeyFingerprint);
    expect(error.text).toContain('--host-key');
    expect(existsSync(join(world.rehearsal.home, '.ssh/known_hosts'))).toBe(false);
  });

  it('stops at another host key than the one that was named', async () => {
    const other = (await makeKey('ed25519')).fingerprint;
    const error = await refused(2, { 'host-key': other });
    expect(error.code).toMatch(/^E_HOST_KEY_(MISMATCH|CHANGED)$/);
    expect(error.text).toContain(other);
    expect(error.text).toContain(world.lab.vps.hostKeyFingerprint);
  });

  it('stops at another host key than known_hosts has, and names file and line', async () => {
    const folder = join(world.rehearsal.home, '.ssh');
    await mkdir(folder, { recursive: true });
    const [kind, blob] = (await makeKey('ed25519')).publicText.split(' ');
    const file = join(folder, 'known_hosts');
    await writeFile(file, `# a comment\n${world.lab.vps.ipv4} ${kind} ${blob}\n`);
    try {
      const error = await refused(2, { 'host-key': undefined });
      expect(error.code).toBe('E_HOST_KEY_CHANGED');
      expect(error.text).toContain(world.lab.vps.hostKeyFingerprint);
      expect(error.text).toMatch(/known_hosts:2|known_hosts.{0,20}line 2/);
    } finally {
      await writeFile(file, '');
    }
  });

  it('says which login was refused', async () => {
    const key = await makeKey('ed25519');
    const file = join(world.rehearsal.home, 'wrong-key');
    await writeFile(file, key.privateText, { mode: 0o600 });
    const error = await refused(2, { identity: file });
    expect(error.code).toBe('E_SSH_AUTH');
    expect(error.text).toContain('root');
    expect(error.text).toContain(file);
  });

  it('says that nobody answers, or that there is no such host', async () => {
    expect((await refused(2, { ssh: 'root@198.51.100.99' })).code).toMatch(/^E_SSH_(UNREACHABLE|TIMEOUT)$/);
    expect((await refused(2, { ssh: `root@${world.lab.vps.ipv4}:2222` })).code).toBe('E_SSH_REFUSED');
    expect((await refused(2, { ssh: 'root@nowhere.test' })).code).toBe('E_SSH_DNS');
  });

  it('says that sudo wants a password which nobody can be asked for', async () => {
    await shell(
      world,
      'useradd -m -s /bin/bash -G sudo carl && echo carl:Right-horse-9 | chpasswd && cp -r /root/.ssh /home/carl/ && chown -R carl: /home/carl/.ssh',
    );
    const error = await refused(2, { ssh: `carl@${world.lab.vps.ipv4}` });
    expect(error.code).toBe('E_SUDO_PASSWORD_NEEDED');
    expect(error.text).toContain('carl');
  });
});

describe('names', () => {
  const long = 'a'.repeat(300);
  const evil = [
    'example.test; rm -rf /',
    '$(id).test',
    '`id`.test',
    'a\nb.test',
    '-oProxyCommand=x',
    '../../etc',
    'a/b.test',
    'exa mple.test',
    `${long}.test`,
    'localhost',
    '192.0.2.1',
    'xn--a.test',
    'b*d.test',
    'a..test',
  ];

  it.each(evil)('is no domain: %j', async (domain) => {
    const error = await refused(2, { domain, hostname: undefined });
    expect(error.code).not.toBe('E_INTERNAL');
    expect(error.text).toContain('--domain');
  });

  it.each(['mail;id.example.test', '$(id).test', 'a/b.test', `${long}.test`, 'mail', '192.0.2.1'])(
    'is no host name: %j',
    async (hostname) => {
      const error = await refused(2, { hostname });
      expect(error.text).toContain('--hostname');
    },
  );

  it.each([
    'ada',
    '@rehearsal.test',
    'a b@rehearsal.test',
    '"x y"@rehearsal.test',
    '../x@rehearsal.test',
    'a;b@rehearsal.test',
    '$(id)@rehearsal.test',
    'ada@rehearsal.test\nroot',
    `${long}@rehearsal.test`,
    'jürgen@rehearsal.test',
    'ada+tag@rehearsal.test',
  ])('is no mailbox: %j', async (mailbox) => {
    const error = await refused(2, { mailbox });
    expect(error.text).toContain('--mailbox');
  });

  it.each(['root@host;id', 'root@-x', 'root@h$(id)', 'root@a b', '-oProxyCommand=x'])(
    'is no server: %j',
    async (ssh) => {
      const error = await refused(2, { ssh });
      expect(error.text).toMatch(/ssh/i);
    },
  );

  it('is a domain in its ASCII form when it is international, and then has no zone', async () => {
    const error = await refused(2, {
      domain: 'münchen.test',
      hostname: 'mail.münchen.test',
      mailbox: 'ada@münchen.test',
    });
    expect(error.text).toMatch(/xn--mnchen-3ya\.test|münchen\.test/);
  });

  it('lists everything that is missing in one message', async () => {
    const result = await world.cli(['init', '--json'], { env: { CLOUDFLARE_API_TOKEN: '' } });
    expect(result.code).toBe(2);
    const { code, text } = readRefusal(result);
    expect(code).toBe('E_MISSING');
    for (const flag of ['--ssh', '--domain', '--mailbox']) expect(text).toContain(flag);
    const known = await refused(2, { ssh: undefined, mailbox: undefined }, { CLOUDFLARE_API_TOKEN: '' });
    for (const way of ['--ssh', '--mailbox', 'CLOUDFLARE_API_TOKEN']) expect(known.text).toContain(way);
    expect(known.text).not.toContain('--domain');
  });

  it('refuses an unusable password before anything else', async () => {
    const file = join(world.rehearsal.home, 'weak');
    for (const weak of ['short', '123456789012', 'ada-rehearsal-1', 'two\nlines of text']) {
      await writeFile(file, weak, { mode: 0o600 });
      const error = await refused(2, { 'password-file': file });
      expect(error.code).toBe('E_PASSWORD_WEAK');
      expect(error.text).not.toContain(weak.split('\n')[0]);
    }
    expect((await refused(2, { 'password-file': join(world.rehearsal.home, 'none') })).code).toBe(
      'E_FILE_UNREADABLE',
    );
  });
});

describe('the DNS provider', () => {
  const token = () => randomBytes(30).toString('base64url');

  it('does not know the token', async () => {
    const wrong = token();
    const error = await refused(2, {}, { CLOUDFLARE_API_TOKEN: wrong });
    expect(error.code).toBe('E_DNS_TOKEN');
    expect(error.text).not.toContain(wrong);
    expect((await refused(2, {}, { CLOUDFLARE_API_TOKEN: 'not a token' })).code).toBe('E_DNS_TOKEN');
  });

  it('gave a token for another zone, or has no zone for the domain', async () => {
    const value = token();
    await world.rehearsal.cloudflare.control.addToken({ value, access: 'edit', zones: ['elsewhere.test'] });
    expect((await refused(2, {}, { CLOUDFLARE_API_TOKEN: value })).code).toMatch(
      /^E_(NO_ZONE|DNS_NO_ZONES)$/,
    );
    const none = await refused(2, {
      domain: 'nowhere.test',
      hostname: 'mail.nowhere.test',
      mailbox: 'ada@nowhere.test',
    });
    expect(none.code).toBe('E_NO_ZONE');
    expect(none.text).toContain('nowhere.test');
    const host = await refused(2, { hostname: 'mx.nowhere.test' });
    expect(host.code).toBe('E_NO_ZONE');
    expect(host.text).toContain(`--hostname mail.${world.lab.domain}`);
  });

  it('holds a zone whose mail goes elsewhere', async () => {
    const error = await withZone('foreign.test', {
      type: 'MX',
      name: 'foreign.test',
      content: 'aspmx.l.google.com',
      priority: 1,
      ttl: 300,
    });
    expect(error.code).toBe('E_MX_FOREIGN');
    expect(error.text).toContain('aspmx.l.google.com');
    expect(error.fix.length).toBeGreaterThan(1);
  });

  it('holds an SPF record that would have to be changed', async () => {
    const content = 'v=spf1 include:_spf.elsewhere.test ~all';
    const error = await withZone('spf.test', {
      type: 'TXT',
      name: 'spf.test',
      content: `"${content}"`,
      ttl: 300,
    });
    expect(error.text).toContain('--allow-update');
    expect(error.text).toContain('include:_spf.elsewhere.test');
  });

  it('says things that no terminal should see', async () => {
    const { control } = world.rehearsal.cloudflare;
    await control.addFault({
      path: '/zones',
      answer: 403,
      code: 9109,
      message: 'no\u001b]0;owned\u0007\u009b31m\u202etoken',
      times: 9,
    });
    try {
      const result = await world.cli(initArguments({}));
      expect(result.code).not.toBe(0);
      expect(result.stderr).toContain('no');
      expectPlain(result);
    } finally {
      await control.clearFaults();
    }
  });

  it('shows no control character of a DNS answer', async () => {
    await world.lab.dns.addZone('evil.test', {
      records: ['_spf.evil.test. 300 TXT "v=spf1 bad\\027]0\\059owned\\007 -all"'],
    });
    const record = {
      type: 'TXT',
      name: 'plain.test',
      content: '"v=spf1 include:_spf.evil.test -all"',
      ttl: 300,
    };
    await prepareZone('plain.test', record);
    const result = await world.cli(zoneArguments('plain.test'));
    expect(result.code).toBe(2);
    expect(result.stderr).toContain('_spf.evil.test');
    expectPlain(result);
  });

  async function withZone(domain: string, record: Readonly<Record<string, unknown>>): Promise<Refusal> {
    await prepareZone(domain, record);
    const result = await world.cli([...zoneArguments(domain), '--json']);
    expect(result.code, result.stdout + result.stderr).toBe(2);
    return readRefusal(result);
  }

  const zoneArguments = (domain: string) =>
    initArguments({ domain, hostname: `mail.${domain}`, mailbox: `ada@${domain}` });

  async function prepareZone(domain: string, record: Readonly<Record<string, unknown>>): Promise<void> {
    const { control } = world.rehearsal.cloudflare;
    await world.lab.dns.addZone(domain, { nameServers: ['ada.ns.cloudflare.com', 'bob.ns.cloudflare.com'] });
    await control.addZone({ name: domain });
    await control.seed(domain, record);
    await control.clearCalls();
  }
});

describe('an unsuitable server', () => {
  const withChange = async (change: string, undo: string): Promise<Refusal> => {
    await shell(world, change);
    try {
      return await refused(5, {});
    } finally {
      await shell(world, undo);
    }
  };

  it('runs a release that nobody tried', async () => {
    const error = await withChange(
      'cp --remove-destination $(readlink -f /etc/os-release) /root/os-release; sed -e \'s/^VERSION_ID=.*/VERSION_ID="11"/\' -e \'s/^PRETTY_NAME=.*/PRETTY_NAME="Debian \\x1b]0;x\\x07 11"/\' /root/os-release >/etc/os-release.new; mv /etc/os-release.new /etc/os-release',
      'ln -sf ../usr/lib/os-release /etc/os-release',
    );
    expect(error.code).toBe('E_UNSUITABLE');
    expect(error.text).toContain('Debian 12 or 13');
    expect(error.text).not.toMatch(/\\u001b|\\u0007/);
  });

  it.each([25, 80])('has another program on port %i', async (port) => {
    const error = await withChange(
      `systemd-run -q --unit=squatter perl -MIO::Socket::INET -e 'my $s = IO::Socket::INET->new(Listen => 5, LocalPort => ${port}, ReuseAddr => 1) or die; sleep 100 while 1'; for i in $(seq 600); do ss -Hltn 'sport = :${port}' | grep -q . && exit 0; sleep 0.1; done; exit 1`,
      'systemctl stop squatter',
    );
    expect(error.code).toBe('E_UNSUITABLE');
    expect(error.text).toContain('perl');
    expect(error.text).toContain(`port ${port}`);
  });

  it('carries a mail panel already', async () => {
    const error = await withChange(
      'mkdir -p /usr/local/psa && echo 18 >/usr/local/psa/version',
      'rm -r /usr/local/psa',
    );
    expect(error.text).toMatch(/Plesk/);
  });

  it('may not reach port 25 of anybody', async () => {
    await world.lab.vps.blockOutbound(25);
    try {
      const error = await refused(5, {});
      expect(error.code).toBe('E_UNSUITABLE');
      expect(error.text).toContain('SRV-PORT25-IPV4');
      expect(error.text).toContain('gmail-smtp-in.l.google.com');
      expect(error.text).toContain('--relay PROVIDER (smtp-setup relay list)');
      // With a relay its login is all that is missing.
      const missing = await refused(2, { relay: 'smtp.relay.test:587' });
      expect(missing.code).toBe('E_MISSING');
      expect(missing.text).toMatch(/--relay-user USER[\s\S]*--relay-password-file FILE/);
      await takeOfferedRelay();
    } finally {
      await world.lab.vps.unblock();
    }
  });
});

/** At a terminal a hosted provider is offered instead; the plan that it leads to is looked at, and declined. */
async function takeOfferedRelay(): Promise<void> {
  const { env, home } = world.rehearsal;
  const variables = Object.entries({ ...env, CI: '' }).map(([name, value]) => `${name}=${value}`);
  const command = [
    ...['ip', 'netns', 'exec', `smtplab-${world.lab.name}-client`, 'env', ...variables],
    ...[process.execPath, resolve('bin/smtp-setup.js')],
    ...initArguments().filter((flag) => flag !== '--yes'),
  ];
  const terminal = openTerminal(`cd ${home} && ${command.join(' ')}`, { HOME: home }, 10 * 60_000);
  const answer = async (question: string, text: string): Promise<void> => {
    await terminal.waitFor(question);
    terminal.type(text);
    terminal.press('Enter');
  };
  try {
    await terminal.waitFor('Send through a hosted provider?');
    // The last but one, after all that have a preset.
    for (const key of ['Up', 'Up', 'Enter']) terminal.press(key);
    await answer('Host name of the relay?', 'smtp.relay.test:587');
    await answer('User name at', 'apikey');
    await answer('Password at', 'quince-lantern-orbit');
    await answer('Make these changes?', 'n');
    const end = await terminal.waitFor(/exit code \d+/);
    expect(end).toContain('exit code 130');
    expect(end).not.toContain('quince-lantern');
  } finally {
    terminal.close();
  }
}

/** Nothing but printable text and line breaks, on either stream. */
function expectPlain({ stdout, stderr }: CliResult): void {
  expect(stdout + stderr).not.toMatch(
    /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/,
  );
}

it('leaves no secret in what it wrote at home', async () => {
  const { home, password, env } = world.rehearsal;
  const files = (await readdir(home, { recursive: true, withFileTypes: true })).filter((entry) =>
    entry.isFile(),
  );
  for (const { parentPath, name } of files) {
    if (parentPath === home && name === 'password') continue;
    const text = await readFile(join(parentPath, name), 'utf8');
    expect(text).not.toContain(password);
    expect(text).not.toContain(env.CLOUDFLARE_API_TOKEN);
  }
});

it('finds out that a token may only read before the server is touched', async () => {
  const { control } = world.rehearsal.cloudflare;
  const value = randomBytes(30).toString('base64url');
  await control.addToken({ value, access: 'read', zones: 'all' });
  const result = await world.cli([...initArguments({}), '--json'], { env: { CLOUDFLARE_API_TOKEN: value } });
  expect(result.code, result.stdout + result.stderr).toBe(2);
  expect(readRefusal(result).text).toMatch(/token/i);
  expect(await control.records(world.lab.domain)).toEqual([]);
  // The attempt itself was a call, and what had been decided was saved before it; neither counts as damage.
  await control.clearCalls();
  await rm(world.rehearsal.configFile, { force: true });
});
