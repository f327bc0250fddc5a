import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseTarget } from '../../../src/lib/ssh-target.js';
import { parseConfigLines } from '../../../src/ssh/config-lines.js';
import { evaluateSshConfig, type HostSettings, type LocalIdentity } from '../../../src/ssh/host-settings.js';
import { readSshConfig } from '../../../src/ssh/ssh-config.js';

const local: LocalIdentity = {
  homeDir: '/home/me',
  user: 'me',
  uid: 1000,
  hostname: 'lap.example',
  systemDir: '/etc/ssh',
};

function settings(target: string, userFile: string, systemFile = ''): HostSettings {
  const files = [
    parseConfigLines(userFile, '~/.ssh/config').lines,
    parseConfigLines(systemFile, '/etc/ssh/ssh_config').lines,
  ];
  return evaluateSshConfig(parseTarget(target), files, local);
}

describe('evaluateSshConfig', () => {
  it('has the defaults of ssh', () => {
    expect(settings('box', '')).toMatchObject({
      host: 'box',
      port: 22,
      user: 'me',
      identityFiles: ['/home/me/.ssh/id_ed25519', '/home/me/.ssh/id_ecdsa', '/home/me/.ssh/id_rsa'],
      identitiesDefault: true,
      proxyJump: [],
      userKnownHostsFiles: ['/home/me/.ssh/known_hosts', '/home/me/.ssh/known_hosts2'],
      globalKnownHostsFiles: ['/etc/ssh/ssh_known_hosts', '/etc/ssh/ssh_known_hosts2'],
      strictHostKeys: false,
      addressFamily: 0,
      warnings: [],
    });
  });

  it('lets the first value win, the user file before the system file', () => {
    const found = settings(
      'box',
      'Host box\n  Port 2222\n  User admin\nHost *\n  Port 3333\n  User other\n',
      'Port 4444\nHashKnownHosts yes\n',
    );
    expect(found).toMatchObject({ port: 2222, user: 'admin', hashKnownHosts: true });
  });

  it('lets the command line win over the files', () => {
    expect(settings('root@box:99', 'Host box\nPort 1\nUser a\n')).toMatchObject({ port: 99, user: 'root' });
  });

  it('knows wildcards, several patterns and negation', () => {
    const file = 'Host *.example.com !test.example.com web?\n  User admin\n';
    expect(settings('a.example.com', file).user).toBe('admin');
    expect(settings('test.example.com', file).user).toBe('me');
    expect(settings('web1', file).user).toBe('admin');
    expect(settings('web11', file).user).toBe('me');
  });

  it('reads = between keyword and value, quotes, comments and any case', () => {
    const file = 'hOsT box # the box\n  PORT=2022\n\tUser = "a b"\nIdentityFile "/keys/my key"\n';
    expect(settings('box', file)).toMatchObject({ port: 2022, user: 'a b', identityFiles: ['/keys/my key'] });
  });

  it('expands HostName with %h and uses the written name for Host only', () => {
    const file = 'Host box\n  HostName %h.example.com\nHost box.example.com\n  User wrong\n';
    expect(settings('box', file)).toMatchObject({ originalHost: 'box', host: 'box.example.com', user: 'me' });
  });

  it('collects every IdentityFile and expands tokens', () => {
    const file =
      'Host *\nHostName h.example\nPort 2022\nUser adm\nIdentityFile ~/.ssh/%n-%h\nIdentityFile %d/%u/%r@%p-%L-%l-%i%%\nIdentityFile rel\n';
    expect(settings('box', file)).toMatchObject({
      identityFiles: [
        '/home/me/.ssh/box-h.example',
        '/home/me/me/adm@2022-lap-lap.example-1000%',
        '/home/me/rel',
      ],
      identitiesDefault: false,
    });
  });

  it('refuses an unknown token with the place', () => {
    expect(() => settings('box', '\nIdentityFile /k/%Q\n')).toThrow(
      expect.objectContaining({ code: 'E_SSH_CONFIG', exit: 2, evidence: ['~/.ssh/config:2'] }),
    );
  });

  it('refuses a bad port with the place', () => {
    expect(() => settings('box', 'Port ssh\n')).toThrow(
      expect.objectContaining({ evidence: ['~/.ssh/config:1'] }),
    );
  });

  it('reads the agent, known_hosts and alias settings', () => {
    const file = [
      'IdentitiesOnly yes',
      'IdentityAgent ~/agent.sock',
      'UserKnownHostsFile ~/kh1 /kh2',
      'GlobalKnownHostsFile none',
      'HostKeyAlias stable',
      'RevokedHostKeys /etc/revoked',
      'AddressFamily inet6',
      'CertificateFile ~/.ssh/k-cert.pub',
    ].join('\n');
    expect(settings('box', file)).toMatchObject({
      identitiesOnly: true,
      identityAgent: '/home/me/agent.sock',
      userKnownHostsFiles: ['/home/me/kh1', '/kh2'],
      globalKnownHostsFiles: [],
      hostKeyAlias: 'stable',
      revokedHostKeys: '/etc/revoked',
      addressFamily: 6,
      certificateFiles: ['/home/me/.ssh/k-cert.pub'],
    });
    expect(settings('box', 'IdentityAgent none\n').identityAgent).toBe('none');
    expect(settings('box', 'IdentityAgent SSH_AUTH_SOCK\n').identityAgent).toBeUndefined();
  });

  it('reads jump chains', () => {
    expect(settings('box', 'ProxyJump a,user@b:2222\n').proxyJump).toEqual(['a', 'user@b:2222']);
    expect(settings('box', 'ProxyJump none\n').proxyJump).toEqual([]);
  });

  it.each(['no', 'off', 'accept-new'])('never weakens host key checking to %s, and says so', (value) => {
    const found = settings('box', `StrictHostKeyChecking ${value}\n`);
    expect(found.strictHostKeys).toBe(false);
    expect(found.warnings).toEqual([
      `StrictHostKeyChecking ${value} is not followed: an unknown host key is always asked about.`,
    ]);
  });

  it('follows StrictHostKeyChecking yes', () => {
    expect(settings('box', 'StrictHostKeyChecking yes\n')).toMatchObject({
      strictHostKeys: true,
      warnings: [],
    });
  });

  it('never runs a ProxyCommand', () => {
    const stop = expect.objectContaining({
      code: 'E_SSH_PROXY_COMMAND',
      exit: 2,
      evidence: ['~/.ssh/config:2'],
    });
    expect(() => settings('box', 'Host box\nProxyCommand nc %h %p\n')).toThrow(stop);
    expect(() => settings('box', 'Host box\nProxyCommand nc %h %p\nProxyJump hop\n')).toThrow(stop);
    expect(settings('box', 'ProxyCommand none\n').proxyJump).toEqual([]);
    expect(settings('box', 'ProxyJump hop\nProxyCommand nc %h %p\n').proxyJump).toEqual(['hop']);
    expect(settings('other', 'Host box\nProxyCommand nc %h %p\n').host).toBe('other');
  });

  describe('Match', () => {
    it.each([
      ['all', true],
      ['host h.example', true],
      ['host box', false],
      ['originalhost box', true],
      ['user adm', true],
      ['user adm,root host h.*', true],
      ['user root', false],
      ['!user root', true],
      ['localuser me', true],
      ['localuser=me', true],
      ['!all', false],
      ['canonical', false],
      ['host h.example !originalhost box', false],
    ])('%s: %s', (criteria, applies) => {
      const file = `Host box\nHostName h.example\nUser adm\nMatch ${criteria}\nPort 7\n`;
      expect(settings('box', file).port).toBe(applies ? 7 : 22);
    });

    it('never runs exec: leaves the block out and says so only where it could matter', () => {
      const found = settings('box', 'Match host box exec "touch /tmp/x"\nPort 7\n');
      expect(found.port).toBe(22);
      expect(found.warnings).toEqual(['~/.ssh/config:1: Match exec is never run; the block was left out.']);
      expect(settings('other', 'Match host box exec "true"\nPort 7\n').warnings).toEqual([]);
      expect(settings('other', 'Match exec "true" host box\nPort 7\n').warnings).toEqual([]);
    });

    it('applies final blocks after everything else, with the final name', () => {
      const file = 'Match final host h.example\nPort 7\nUser last\nHost box\nHostName h.example\nUser adm\n';
      expect(settings('box', file)).toMatchObject({ port: 7, user: 'adm' });
      const twice = 'IdentityFile /a\nMatch final\nPort 8\n';
      expect(settings('box', twice)).toMatchObject({ port: 8, identityFiles: ['/a'] });
    });
  });

  it('skips a broken line with a warning', () => {
    const parsed = parseConfigLines('Host box\nPort\nUser "open\n%%%\nPort 7\n', 'f');
    expect(parsed.lines).toHaveLength(2);
    expect(parsed.warnings).toHaveLength(3);
    expect(parsed.warnings[0]).toBe('f:2 is not a valid ssh_config line; it was skipped.');
  });
});

describe('readSshConfig', () => {
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'smtp-setup-config-'));
    await mkdir(join(dir, '.ssh/conf.d'), { recursive: true });
    await mkdir(join(dir, 'etc/d'), { recursive: true });
    await writeFile(join(dir, '.ssh/conf.d/1-a'), 'Host inner\nPort 11\n');
    await writeFile(join(dir, '.ssh/conf.d/2-b'), 'Host *\nUser late\n');
    await writeFile(join(dir, '.ssh/conf.d/.hidden'), 'User hidden\n');
    await writeFile(join(dir, '.ssh/loop'), 'Include loop\n');
    await writeFile(
      join(dir, '.ssh/config'),
      'Include conf.d/* missing\nHost gated\nInclude ~/.ssh/gate\nHost inner\nPort 99\nUser never\nInclude loop\n',
    );
    await writeFile(join(dir, '.ssh/gate'), 'Host *\nPort 12\n');
    await writeFile(join(dir, 'etc/ssh_config'), 'Include d/*.conf\n');
    await writeFile(join(dir, 'etc/d/x.conf'), 'HashKnownHosts yes\n');
    await writeFile(join(dir, 'etc/d/x.bak'), 'HashKnownHosts no\nPort 1\n');
  });
  afterAll(() => rm(dir, { recursive: true, force: true }));

  it('follows Include with globs, relative and home paths, inside the block it stands in', async () => {
    const read = await readSshConfig({ ...local, homeDir: dir, systemDir: join(dir, 'etc') });
    expect(read({ host: 'inner' })).toMatchObject({ port: 11, user: 'late', hashKnownHosts: true });
    expect(read({ host: 'gated' })).toMatchObject({ port: 12 });
    expect(read({ host: 'other' })).toMatchObject({ port: 22 });
    expect(read({ host: 'other' }).warnings).toEqual([
      join(dir, '.ssh/loop:1 includes too deeply; it was skipped.'),
    ]);
  });

  it('is content without any file', async () => {
    const read = await readSshConfig({ ...local, homeDir: join(dir, 'no'), systemDir: join(dir, 'no') });
    expect(read({ host: 'box' })).toMatchObject({ host: 'box', warnings: [] });
  });
});
