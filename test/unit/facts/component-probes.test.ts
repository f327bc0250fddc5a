import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { accounts } from '../../../src/facts/accounts.js';
import { certificate } from '../../../src/facts/certificate.js';
import { dkim } from '../../../src/facts/dkim.js';
import { localAdditions } from '../../../src/facts/local-additions.js';
import { web } from '../../../src/facts/web.js';

const golden = join(import.meta.dirname, '../../golden/server/debian-12');
const out = (stdout: string) => ({ code: 0, stdout });
const absent = { code: 127, stdout: '' };

describe('mailboxes and aliases', () => {
  it('are listed without the left-over of a probe', () => {
    const found = accounts.parse(
      out(
        'prepared\n--\nalice@example.org\nsmtp-setup-probe@example.org\nnot an address\n--\ninfo@example.org a@b.test, c@d.test\n@example.org x@y.test\nodd\n--\nalice@example.org\n--\nshop@example.org a@example.org,@example.net\n--\nexample.org\nexample.net\n$(id)\n--\nmailboxes\nmailboxes.lmdb\n--\nalice@example.org 1073741824\nsmtp-setup-probe@example.org 1\nx@example.org $(id)\n'.replace(
          'not an address\n',
          'not an address\nshop@example.org\n',
        ),
      ),
    );
    expect(found).toEqual({
      prepared: true,
      sendsOnly: false,
      mailboxes: ['alice@example.org'],
      disabled: ['alice@example.org'],
      quotas: [{ address: 'alice@example.org', bytes: 1_073_741_824 }],
      logins: [{ address: 'shop@example.org', senders: ['a@example.org', '@example.net'] }],
      domains: ['example.org', 'example.net'],
      aliases: [
        { address: 'info@example.org', targets: ['a@b.test', 'c@d.test'] },
        { address: '@example.org', targets: ['x@y.test'] },
      ],
      mapType: 'lmdb',
    });
  });

  it('the script never prints a hash', () => {
    const sed = /^sed -n .*$/m.exec(accounts.script)?.[0]?.replace(/ users$/, '') ?? '';
    const { stdout } = spawnSync('sh', ['-c', sed], {
      input: '# note: hash\nalice@example.org:{ARGON2ID}$argon2id$secret::::::\n:{ARGON2ID}secret\n',
    });
    expect(stdout.toString()).toBe('alice@example.org\n');
    const quotas = /^sed -n .*quota.*$/m.exec(accounts.script)?.[0]?.replace(/ users$/, '') ?? '';
    const limited = spawnSync('sh', ['-c', quotas], {
      input:
        'a@example.org:{ARGON2ID}$argon2id$secret::::::\nb@example.org:{ARGON2ID}secret::::::allow_nets=::1/128 userdb_quota_storage_size=12\n',
    });
    expect(limited.stdout.toString()).toBe('b@example.org 12\n');
  });

  it('nothing is there on a fresh server', () => {
    expect(accounts.parse(absent)).toEqual({
      prepared: false,
      sendsOnly: false,
      mailboxes: [],
      disabled: [],
      quotas: [],
      logins: [],
      domains: [],
      aliases: [],
      mapType: 'hash',
    });
  });
});

describe('DKIM', () => {
  it('what signs now is read from the file that we render', () => {
    const conf = readFileSync(join(golden, 'etc/rspamd/local.d/dkim_signing.conf'), 'utf8');
    expect(dkim.parse(out(`example.org.s20260105.pub MIIBIjANBg==\nodd line\n--\n${conf}`))).toEqual({
      keys: [{ domain: 'example.org', selector: 's20260105', publicKey: 'MIIBIjANBg==' }],
      signing: [{ domain: 'example.org', selector: 's20260105' }],
    });
  });

  it('a name or key with other characters is no key', () => {
    expect(dkim.parse(out('../x.s1.pub AAAA\nexample.org.s1.pub A"A\n--\n')).keys).toEqual([]);
    expect(dkim.parse(absent)).toEqual({ keys: [], signing: [] });
  });
});

describe('the certificate in use', () => {
  it.each([
    ['certs/issued-0E5DD0E6BC503FF3', 'issued'],
    ['certs/self-signed', 'self-signed'],
    ['/somewhere/else', 'none'],
    ['', 'none'],
  ] as const)('behind the link %j is %s', (link, state) => {
    expect(certificate.parse(out(`${link}\n--\n--\n--\n`)).state).toBe(state);
  });

  it('comes with its names and its authority', () => {
    const text =
      'certs/issued-00\n--\nhttps://ca.test/dir\n--\nX509v3 SAN:\n    DNS:Mail.Example.org, DNS:example.net\n--\n';
    expect(certificate.parse(out(text))).toEqual({
      state: 'issued',
      directory: 'https://ca.test/dir',
      names: ['mail.example.org', 'example.net'],
    });
  });
});

describe('small facts', () => {
  it('the web root and foreign default sites', () => {
    const none = { ready: false, foreignDefault: false, foreignHttpsDefault: false, single: [], sites: [] };
    expect(web.parse(out('ready\n'))).toEqual({ ...none, ready: true });
    const sites = (...lines: string[]) =>
      web.parse(out(lines.map((line) => line.replace('~', '/etc/nginx')).join('\n')));
    expect(sites('server ~/sites-enabled', 'listen ~/sites-enabled 80 default_server', 'ready')).toEqual({
      ...none,
      ready: true,
      foreignDefault: true,
    });
    expect(
      sites(
        'server ~/conf.d',
        'listen ~/conf.d [::]:443 ssl default_server',
        'server ~/conf.d',
        'listen ~/conf.d 443 ssl',
      ),
    ).toEqual({ ...none, foreignHttpsDefault: true });
    const first = { ...none, foreignDefault: true };
    expect(sites('server ~/conf.d', 'listen ~/conf.d *:80')).toEqual({
      ...first,
      before: '/etc/nginx/conf.d',
    });
    // Without a word of it, a server listens on 80.
    expect(sites('server ~/conf.d', 'server ~/sites-enabled', 'listen ~/sites-enabled 0.0.0.0')).toEqual({
      ...first,
      before: '/etc/nginx/sites-enabled',
    });
    const apart = ['8080 default_server', '192.0.2.1:8080', 'unix:/run/x', '443 quic', 'name.example:80'];
    const inConfD = (listens: readonly string[]) =>
      sites(...listens.flatMap((one) => ['server ~/conf.d', `listen ~/conf.d ${one}`]));
    expect(inConfD(apart)).toEqual(none);
    // There nginx asks nobody who listens everywhere; whoever comes first answers for names that nobody claims.
    const single = ['[2001:db8::1]:443 ssl', '192.0.2.1', '192.0.2.1:80', '192.0.2.7:80 proxy_protocol'];
    const places = [
      { address: '192.0.2.1', port: 80, alone: true },
      { address: '[2001:db8::1]', port: 443, alone: true },
    ];
    expect(inConfD(single)).toEqual({ ...none, before: '/etc/nginx/conf.d', single: places });
    // All addresses of IPv6 are none of IPv4.
    expect(inConfD(['[::]:80', '[2001:DB8::0:1]:80', '192.0.2.1']).single).toEqual([
      { address: '192.0.2.1', port: 80, alone: true },
      { address: '[2001:db8::1]', port: 80, alone: false },
    ]);
    const named = single.map((one) => `${one} default_server`);
    expect(inConfD(named)).toEqual({ ...none, single: places });
    expect(inConfD(['192.0.2.1:443', '$(id):80', '[::1;]:80', '999.1.1.1:80'])).toEqual(none);
    expect(web.parse(absent)).toEqual(none);
  });

  it("sites are found in files as people write them, without the distribution's and ours", () => {
    const root = mkdtempSync(join(tmpdir(), 'smtp-setup-web-'));
    try {
      for (const folder of ['conf.d', 'sites-enabled'])
        mkdirSync(join(root, 'etc/nginx', folder), { recursive: true });
      const put = (path: string, text: string) => writeFileSync(join(root, 'etc/nginx', path), text);
      put(
        'nginx.conf',
        'http {\n  include /etc/nginx/conf.d/*.conf;\n  include /etc/nginx/sites-enabled/*;\n}\n',
      );
      put('conf.d/smtp-setup.conf', 'server { listen 80 default_server; }');
      put('sites-enabled/zz-smtp-setup.conf', 'server { listen 80; }');
      put(
        'sites-enabled/shop',
        '# listen 80 default_server;\nserver\n{ server_name a.test; listen\t443 ssl\n http2;\n  location / { root /srv; } }\n',
      );
      const script = web.script.replaceAll('/etc/nginx', `${root}/etc/nginx`);
      const { stdout } = spawnSync('sh', ['-c', script]);
      expect(web.parse(out(stdout.toString().replaceAll(root, '')))).toMatchObject({
        foreignDefault: false,
        foreignHttpsDefault: true,
        before: '/etc/nginx/sites-enabled',
      });
      put(
        'nginx.conf',
        'http {\n  include /etc/nginx/conf.d/*.conf;\n # include /etc/nginx/sites-enabled/*;\n}\n',
      );
      const again = spawnSync('sh', ['-c', script]);
      expect(web.parse(out(again.stdout.toString().replaceAll(root, '')))).toMatchObject({
        foreignHttpsDefault: false,
      });
    } finally {
      rmSync(root, { recursive: true });
    }
  });

  it('what a domain serves over HTTPS, and with which certificate', () => {
    const text = [
      'site example.org issued mta-sts.example.org,Autoconfig.example.org, https://ca.test/dir',
      'site example.net stand-in mail.example.org, ',
      'site example.com none  ',
      'site ../etc issued a b',
    ].join('\n');
    expect(web.parse(out(text)).sites).toEqual([
      {
        domain: 'example.org',
        certificate: 'issued',
        names: ['autoconfig.example.org', 'mta-sts.example.org'],
        directory: 'https://ca.test/dir',
      },
      { domain: 'example.net', certificate: 'stand-in', names: ['mail.example.org'] },
      { domain: 'example.com', certificate: 'none', names: [] },
    ]);
  });

  it("the user's own lines for Postfix", () => {
    expect(localAdditions.parse(out('a = b\n\n--\nsmtp inet n\n  -o x=y\n'))).toEqual({
      postfixMain: 'a = b\n',
      postfixMaster: 'smtp inet n\n  -o x=y\n',
    });
    expect(localAdditions.parse(absent)).toEqual({ postfixMain: '', postfixMaster: '' });
  });
});
