import { describe, expect, it } from 'vitest';
import { collectAnswers, describeOrigin } from '../../../src/config/answers.js';
import { mergeAnswers } from '../../../src/config/merge-answers.js';
import { parseConfig } from '../../../src/config/parse.js';
import { type QuestionKey, questions } from '../../../src/config/questions.js';
import { Exit, SetupError } from '../../../src/errors.js';

const file = parseConfig(
  `version: 1
servers:
  mail.example.org:
    ssh: root@198.51.100.10
    identity: ~/.ssh/id
    resolver: {forwarder: 198.51.100.1}
  mx.example.net:
    ssh: admin@mx.example.net
domains:
  example.org: {dns: cloudflare, server: mail.example.org}
  example.net: {dns: cloudflare, server: mx.example.net}
`,
  'smtp-setup.yaml',
);

function faults(flags: Partial<Record<QuestionKey, string>>, env = {}): readonly string[] {
  try {
    collectAnswers({ flags, env });
  } catch (error) {
    if (error instanceof SetupError && error.code === 'E_ANSWER_INVALID' && error.exit === Exit.usage) {
      return error.evidence;
    }
    throw error;
  }
  return [];
}

describe('questions', () => {
  it('each have a flag and a variable of their own', () => {
    const all = Object.values(questions);
    expect(new Set(all.map(({ flag }) => flag)).size).toBe(all.length);
    expect(new Set(all.map(({ env }) => env)).size).toBe(all.length);
    for (const { flag, env } of all)
      expect(env).toBe(`SMTP_SETUP_${flag.slice(2).replaceAll('-', '_').toUpperCase()}`);
  });

  it.each([
    [{}, undefined],
    [{ domain: 'example.org' }, 'mail.example.org'],
    [{ domain: 'example.org', serverHostname: 'smtp.example.org', ptr: 'x.example.org' }, 'smtp.example.org'],
    [{ domain: 'example.org', serverHostname: 'vps-17', ptr: 'x.example.org' }, 'x.example.org'],
    [{ domain: 'example.org', serverHostname: 'vps.hoster.net', ptr: 'notexample.org' }, 'mail.example.org'],
    [{ domain: 'example.org', serverHostname: 'a b.example.org' }, 'mail.example.org'],
  ])('suggest a host name from %j', (known, expected) => {
    expect(questions.hostname.suggest?.(known)).toBe(expected);
  });
});

describe('collectAnswers', () => {
  it('puts flags before environment before file, and remembers', () => {
    const answers = collectAnswers({
      flags: { domain: 'EXAMPLE.org.', ssh: 'a@b.example.org' },
      env: { SMTP_SETUP_SSH: 'env@x.example.org', SMTP_SETUP_IDENTITY: '/env/key', SMTP_SETUP_DNS: '' },
      file,
    });
    expect(answers.domain).toEqual({ value: 'example.org', origin: { from: 'flag', name: '--domain' } });
    expect(answers.ssh).toEqual({ value: 'a@b.example.org', origin: { from: 'flag', name: '--ssh' } });
    expect(answers.identity).toEqual({
      value: '/env/key',
      origin: { from: 'env', name: 'SMTP_SETUP_IDENTITY' },
    });
    expect(answers.hostname).toEqual({
      value: 'mail.example.org',
      origin: { from: 'file', path: 'smtp-setup.yaml' },
    });
    expect(answers.serverForwarder?.value).toBe('198.51.100.1');
    expect(answers.dns?.value).toBe('cloudflare');
    expect(describeOrigin({ from: 'detected' })).toBe('detected');
  });

  it('chooses the server by the domain, and takes nothing when it is not clear which', () => {
    expect(collectAnswers({ flags: { domain: 'example.net' }, env: {}, file }).ssh?.value).toBe(
      'admin@mx.example.net',
    );
    expect(collectAnswers({ flags: {}, env: {}, file })).toEqual({});
  });

  it('tells about every wrong value at once, with where it came from', () => {
    const found = faults({ domain: 'a_b.org', mailbox: 'x y@example.org' }, { SMTP_SETUP_RESOLVER: '1.2.3' });
    expect(found).toHaveLength(3);
    expect(found[0]).toMatch(/^--domain a_b\.org: /);
    expect(found.find((line) => line.startsWith('SMTP_SETUP_RESOLVER 1.2.3: '))).toBeDefined();
  });

  it.each<[QuestionKey, string]>([
    ['domain', '$(id).example.org'],
    ['domain', '../../etc'],
    ['domain', `${'a'.repeat(64)}.org`],
    ['domain', 'a.'.repeat(200)],
    ['domain', 'exa\u202emple.org'],
    ['hostname', 'localhost'],
    ['mailbox', "ada'@example.org"],
    ['mailbox', 'ada'],
    ['mailbox', '../ada@example.org'],
    ['ssh', ''],
    ['ssh', '-oProxyCommand=id'],
    ['ssh', 'root@host name'],
    ['ssh', 'root@2001:db8::zz'],
    ['ssh', 'host;id'],
    ['ssh', 'root@@host'],
    ['ssh', 'root@host:99999'],
    ['hostKey', 'SHA256:short'],
    ['hostKey', 'MD5:00:11'],
    ['dns', 'cloud flare'],
    ['profile', 'backup-mx'],
    ['profile', 'webmail'],
    ['acmeDirectory', 'http://acme.example.org/'],
    ['acmeDirectory', 'https://user:pw@acme.example.org/'],
    ['acmeDirectory', 'acme'],
    ['resolver', '198.51.100.1:0'],
    ['resolver', '198.51.100.1:99999'],
    ['resolver', 'resolver.example.org'],
    ['resolver', '2001:db8::1:x'],
    ['serverForwarder', '198.51.100.1:53'],
    ['ipv4', '2001:db8::1'],
    ['ipv4', '093.184.216.34'],
    ['identity', ''],
    ['identity', 'a\0b'],
  ])('refuses %s %j', (key, value) => {
    const [fault, ...more] = faults({ [key]: value });
    expect(more).toEqual([]);
    expect(fault).toMatch(new RegExp(`^${questions[key].flag} `));
    expect(fault).not.toMatch(/[\u0000-\u001f\u202e]/);
  });

  it.each<[QuestionKey, string, string]>([
    ['domain', ' Bücher.Example ', 'xn--bcher-kva.example'],
    ['ssh', 'root@[2001:db8::1]:22', 'root@[2001:db8::1]:22'],
    ['ssh', 'root@2001:db8::1', 'root@2001:db8::1'],
    ['ssh', 'my_alias', 'my_alias'],
    ['hostKey', `SHA256:${'A'.repeat(43)}=`, `SHA256:${'A'.repeat(43)}`],
    ['dns', 'Cloudflare', 'cloudflare'],
    ['acmeDirectory', 'https://acme.test:14000/dir', 'https://acme.test:14000/dir'],
    ['resolver', '[2001:DB8::1]:53', '[2001:db8::1]:53'],
    ['resolver', '2001:db8::1', '2001:db8::1'],
    ['resolver', '198.51.100.1:5353', '198.51.100.1:5353'],
    ['mailbox', 'Ada@Example.org', 'ada@example.org'],
  ])('takes %s %j as %j', (key, value, canonical) => {
    expect(collectAnswers({ flags: { [key]: value }, env: {} })[key]?.value).toBe(canonical);
  });

  it('refuses the domain itself as host name', () => {
    expect(faults({ domain: 'example.org', hostname: 'example.org' })).toEqual([
      '--hostname example.org: The mail host needs a name of its own. Such as mail.example.org.',
    ]);
  });
});

describe('mergeAnswers', () => {
  const given = (flags: Partial<Record<QuestionKey, string>>) => collectAnswers({ flags, env: {} });
  const first = given({
    ssh: 'root@h.example.org',
    domain: 'example.org',
    hostname: 'mail.example.org',
    dns: 'cloudflare',
  });

  it('makes a configuration of the answers, without what the file must not hold', () => {
    const config = mergeAnswers(undefined, {
      ...first,
      ...given({ acmeDirectory: 'https://acme.test/', mailbox: 'ada@example.org', trustAnchor: '/root.key' }),
    });
    expect(config.servers['mail.example.org']).toMatchObject({
      ssh: 'root@h.example.org',
      resolver: { trustAnchor: '/root.key' },
    });
    expect(config.domains['example.org']).toMatchObject({ dns: 'cloudflare' });
    expect(JSON.stringify(config)).not.toMatch(/acme\.test|ada@/);
  });

  it('changes nothing when the answers say what the configuration says', () => {
    const config = mergeAnswers(undefined, first);
    expect(mergeAnswers(config, first)).toEqual(config);
    expect(mergeAnswers(config, {})).toEqual(config);
  });

  it('makes a server that only sends, whose domains keep their mail elsewhere', () => {
    const config = mergeAnswers(undefined, { ...first, ...given({ profile: 'send-only' }) });
    expect(config.servers['mail.example.org']?.profile).toBe('send-only');
    expect(config.domains['example.org']?.mail).toBe('send-only');
    const more = mergeAnswers(config, {
      ...given({ domain: 'example.net', hostname: 'mail.example.org', dns: 'cloudflare' }),
    });
    expect(more.domains['example.net']?.mail).toBe('send-only');
  });

  it('a variable makes no other server of one that stands there; a flag does', () => {
    const config = mergeAnswers(undefined, first);
    const variable = collectAnswers({ flags: {}, env: { SMTP_SETUP_PROFILE: 'send-only' } });
    expect(mergeAnswers(config, { ...first, ...variable })).toEqual(config);
    const changed = mergeAnswers(config, { ...first, ...given({ profile: 'send-only' }) });
    expect(changed.servers['mail.example.org']?.profile).toBe('send-only');
  });

  it('keeps the public address that was given, whatever a variable says of another server', () => {
    const config = mergeAnswers(undefined, { ...first, ...given({ ipv4: ' 93.184.216.34' }) });
    expect(config.servers['mail.example.org']?.ipv4).toBe('93.184.216.34');
    const variable = collectAnswers({ flags: {}, env: { SMTP_SETUP_IPV4: '9.9.9.9' } });
    expect(mergeAnswers(config, { ...first, ...variable })).toEqual(config);
    const moved = mergeAnswers(config, { ...first, ...given({ ipv4: '9.9.9.9' }) });
    expect(moved.servers['mail.example.org']?.ipv4).toBe('9.9.9.9');
  });

  it('says which server a domain lives on once there are two', () => {
    const config = mergeAnswers(
      mergeAnswers(undefined, first),
      given({ ssh: 'root@b', domain: 'example.net', hostname: 'mx.example.net', dns: 'cloudflare' }),
    );
    expect(config.domains['example.org']?.server).toBe('mail.example.org');
    expect(config.domains['example.net']?.server).toBe('mx.example.net');
  });
});
