import { describe, expect, it } from 'vitest';
import { maxConfigBytes, parseConfig } from '../../../src/config/parse.js';
import { Exit, SetupError } from '../../../src/errors.js';

const good = `version: 1
servers:
  mail.example.org:
    ssh: root@198.51.100.10
domains:
  example.org:
    dns: cloudflare
`;

function fail(text: string): SetupError {
  try {
    parseConfig(text, 'smtp-setup.yaml');
  } catch (error) {
    if (error instanceof SetupError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

describe('parseConfig', () => {
  it('fills in what is left out', () => {
    const { config } = parseConfig(good, 'c.yaml');
    expect(config.servers['mail.example.org']).toEqual({
      ssh: 'root@198.51.100.10',
      profile: 'mailboxes',
      resolver: {},
      ipv6: 'auto',
    });
    expect(config.domains['example.org']).toEqual({
      dns: 'cloudflare',
      mail: 'full',
      dmarc: {},
      ttl: 3600,
      records: {},
    });
  });

  it.each([
    ['a byte order mark', `\uFEFF${good}`],
    ['CRLF line ends', good.replaceAll('\n', '\r\n')],
    ['JSON, which is YAML', JSON.stringify({ version: 1, servers: {}, domains: {} })],
    [
      'a few anchors',
      good.replace('cloudflare', 'cloudflare\n    dmarc: &d {policy: none}\n    records: {}') +
        '  example.net:\n    dns: cloudflare\n    dmarc: *d\n',
    ],
  ])('takes %s', (_what, text) => {
    expect(parseConfig(text, 'c.yaml').config.version).toBe(1);
  });

  it.each([
    [
      'an unknown key',
      good.replace('dns: cloudflare', 'dns: cloudflare\n    tll: 60'),
      8,
      'unknown key "tll"; did you mean "ttl"?',
    ],
    ['an unknown key at the top', `${good}token: x\n`, 8, 'unknown key "token"'],
    [
      'a wrong type',
      good.replace('root@198.51.100.10', '[1, 2]'),
      4,
      'servers.mail.example.org.ssh must be a string',
    ],
    [
      'a missing value',
      good.replace('    dns: cloudflare', '    ttl: 60'),
      6,
      'domains.example.org.dns is missing',
    ],
    [
      'a value that is not offered',
      good.replace('cloudflare', 'cloudflare\n    mail: half'),
      8,
      'must be full or send-only',
    ],
    ['a number out of range', good.replace('cloudflare', 'cloudflare\n    ttl: 5'), 8, '>=60'],
    [
      'a shell character in a key',
      good.replace('example.org:\n    dns', '"a.org;id":\n    dns'),
      6,
      'no host name can hold',
    ],
    [
      'a name not in canonical form',
      good.replace('example.org:\n    dns', 'Example.ORG:\n    dns'),
      6,
      'Write it as example.org.',
    ],
    [
      'a server nobody knows',
      good.replace('cloudflare', 'cloudflare\n    server: mx.example.org'),
      8,
      'No server of that name',
    ],
    [
      'a backup that is none',
      good.replace('cloudflare', 'cloudflare\n    backup: mail.example.org'),
      8,
      'No server with the profile backup-mx of that name; there is none.',
    ],
    [
      'a domain on a backup',
      good
        .replace('.10\n', '.10\n  mail2.example.org: { ssh: root@198.51.100.11, profile: backup-mx }\n')
        .replace('cloudflare', 'cloudflare\n    server: mail2.example.org'),
      9,
      'A backup-mx has no domains of its own',
    ],
    [
      'a domain with mailboxes on a server that only sends',
      good.replace('.10\n', '.10\n    profile: send-only\n'),
      7,
      'mail.example.org has the profile send-only and takes no mail: write "mail: send-only".',
    ],
    ['a bad fingerprint', good.replace('.10', '.10\n    hostKey: SHA1:x'), 5, 'That is no fingerprint.'],
    ['a newer version', good.replace('version: 1', 'version: 2'), 1, 'version must be 1'],
  ])('says where %s stands', (_what, text, line, sentence) => {
    const error = fail(text);
    expect(error).toMatchObject({ code: 'E_CONFIG_INVALID', exit: Exit.usage });
    expect(error.evidence[0]).toMatch(new RegExp(`^smtp-setup.yaml:${line}: `));
    expect(error.evidence[0]).toContain(sentence);
  });

  it('tells about all mistakes at once', () => {
    const text = good.replace('ssh: root@198.51.100.10', 'shh: x').replace('cloudflare', '7');
    expect(fail(text).evidence).toHaveLength(3);
  });

  it.each([
    ['a duplicate key', `${good}version: 1\n`, 'E_CONFIG_YAML', /:8: .*unique/i],
    ['broken syntax', 'version: [1\nservers: {', 'E_CONFIG_YAML', /^smtp-setup.yaml:\d+: /],
    ['an unknown tag', 'version: !!js/function "x"\n', 'E_CONFIG_YAML', /:1: .*tag/i],
    ['a second document', `${good}---\nversion: 1\n`, 'E_CONFIG_YAML', /:8: a second document/],
    ['an empty file', '# nothing\n', 'E_CONFIG_EMPTY', /empty/],
    ['a huge file', `${good}#${'x'.repeat(maxConfigBytes)}`, 'E_CONFIG_SIZE', /characters/],
  ])('refuses %s', (_what, text, code, evidence) => {
    const error = fail(text);
    expect(error.code).toBe(code);
    expect(error.evidence[0]).toMatch(evidence);
  });

  it('refuses an alias bomb instead of unfolding it', () => {
    const levels = Array.from(
      { length: 9 },
      (_, i) => `b${i + 1}: &b${i + 1} [${Array(9).fill(`*b${i}`).join(', ')}]`,
    );
    expect(fail(`b0: &b0 [x]\n${levels.join('\n')}\n`).code).toBe('E_CONFIG_ALIASES');
  });

  it('keeps control characters of the file out of its messages', () => {
    const error = fail(`${good}"\\e]0;x\\a\\u202ekey": 1\n`);
    expect(error.evidence.join()).not.toMatch(/[\u001b\u0007\u202e]/);
  });

  it('takes no endpoint, token or command from the file', () => {
    for (const key of ['acmeDirectory', 'baseUrl', 'token', 'proxyCommand']) {
      expect(fail(good.replace('.10', `.10\n    ${key}: x`)).evidence[0]).toContain(`unknown key "${key}"`);
    }
  });

  it('does not let a key reach the prototype', () => {
    expect(fail(`${good}__proto__: {polluted: 1}\n`).evidence[0]).toContain('unknown key "__proto__"');
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });
});
