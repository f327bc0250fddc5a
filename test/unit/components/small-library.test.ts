import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { callLibrary } from '../../helpers/library-call.js';
import { LocalServer } from '../../helpers/local-run.js';

let server: LocalServer;
beforeEach(() => {
  server = new LocalServer();
  server.program('chown', 'exit 0');
});
afterEach(() => server.remove());

const run = (fn: string, ...args: string[]) => callLibrary(server, [[fn, ...args]]);

describe('dkim_make_key', () => {
  const base = '/var/lib/rspamd/dkim/example.org.s1';

  it('makes an RSA key of 2048 bits, with its public half as DNS wants it', async () => {
    expect((await run('dkim_make_key', 'example.org', 's1')).status).toBe(0);
    expect(server.read(`${base}.key`)).toContain('PRIVATE KEY');
    expect(server.modeOf(`${base}.key`)).toBe('640');
    const der = Buffer.from(server.read(`${base}.pub`) ?? '', 'base64');
    const key = createPublicKey({ key: der, format: 'der', type: 'spki' });
    expect(key.asymmetricKeyDetails?.modulusLength).toBe(2048);
  });

  it('never makes one anew, and gives back a lost public half', async () => {
    await run('dkim_make_key', 'example.org', 's1');
    const [key, pub] = [server.read(`${base}.key`), server.read(`${base}.pub`)];
    expect((await run('dkim_make_key', 'example.org', 's1')).changed).toBe(false);
    server.write(`${base}.pub`, '');
    expect((await run('dkim_make_key', 'example.org', 's1')).changed).toBe(true);
    expect([server.read(`${base}.key`), server.read(`${base}.pub`)]).toEqual([key, pub]);
  });

  it('leaves a file that is no key as it is, and says so', async () => {
    server.write(`${base}.key`, 'not a key');
    const { problem } = await run('dkim_make_key', 'example.org', 's1');
    expect(problem).toMatch(/example\.org\.s1\.key is no key that openssl can read; it was left as it is$/);
    expect(server.read(`${base}.key`)).toBe('not a key');
  });
});

describe('dkim_take_key', () => {
  const base = '/var/lib/rspamd/dkim/example.org.s1';
  const make = (modulusLength: number) => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength });
    return {
      pem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      shown: publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
    };
  };
  const take = (pem: string, shown: string) =>
    callLibrary(server, [['dkim_take_key', 'example.org', 's1', shown]], { 'dkim-example.org.s1': pem });

  it('takes over a key that was fetched, and leaves one that is there', async () => {
    const { pem, shown } = make(2048);
    expect(await take(pem, shown)).toMatchObject({ status: 0, changed: true });
    expect(server.modeOf(`${base}.key`)).toBe('640');
    await run('dkim_make_key', 'example.org', 's1');
    expect(server.read(`${base}.pub`)).toBe(shown);
    expect(await take(make(2048).pem, shown)).toMatchObject({ status: 0, changed: false });
  });

  it('refuses what is no key, a weak one, and another one than DNS shows', async () => {
    const { pem, shown } = make(2048);
    expect((await take('an error page', '')).problem).toMatch(/is no RSA key of 2048 bits or more$/);
    expect((await take(make(1024).pem, '')).problem).toMatch(/is no RSA key of 2048 bits or more$/);
    expect((await take(make(2048).pem, shown)).problem).toMatch(/another key than the one of s1\._domainkey/);
    expect(server.read(`${base}.key`)).toBeUndefined();
    expect(await take(pem, '')).toMatchObject({ status: 0 });
  });
});

describe('dkim_remove_key', () => {
  const base = '/var/lib/rspamd/dkim/example.org.s1';
  const remove = () => run('dkim_remove_key', 'example.org', 's1');
  beforeEach(() => {
    server.write(`${base}.key`, 'key');
    server.write(`${base}.pub`, 'pub');
  });

  it('removes both halves, once', async () => {
    server.write(
      '/etc/rspamd/local.d/dkim_signing.conf',
      'path = "/var/lib/rspamd/dkim/example.org.s2.key";',
    );
    expect(await remove()).toMatchObject({ status: 0, changed: true });
    expect([server.read(`${base}.key`), server.read(`${base}.pub`)]).toEqual([undefined, undefined]);
    expect(await remove()).toMatchObject({ status: 0, changed: false });
  });

  it('never removes the one that signs', async () => {
    server.write(
      '/etc/rspamd/local.d/dkim_signing.conf',
      'path = "/var/lib/rspamd/dkim/example.org.s1.key";',
    );
    const { status, problem } = await remove();
    expect(status).not.toBe(0);
    expect(problem).toBe('mail of example.org is still signed with s1');
    expect(server.read(`${base}.key`)).toBe('key');
  });
});

describe('host_name_set', () => {
  const set = () => run('host_name_set', 'mail.example.org', 'example.org');
  beforeEach(() => {
    // The running name of this machine is not a test's to change.
    server.program('hostnamectl', `echo "$*" >"${server.base}/hostnamectl"`);
  });

  it.each([
    [
      '127.0.0.1 localhost\n::1 localhost ip6-localhost\n',
      '127.0.0.1 localhost\n127.0.1.1 mail.example.org mail\n::1 localhost ip6-localhost\n',
    ],
    [
      '127.0.0.1\tlocalhost\n127.0.1.1\tvps1.host.test vps1\n',
      '127.0.0.1\tlocalhost\n127.0.1.1 mail.example.org mail vps1.host.test vps1\n',
    ],
    ['# only this\n', '127.0.0.1 localhost\n127.0.1.1 mail.example.org mail\n# only this\n'],
    [
      '127.0.0.1 localhost\n192.0.2.7 mail.example.org mail\n',
      '127.0.0.1 localhost\n192.0.2.7 mail.example.org mail\n',
    ],
  ])('/etc/hosts %j becomes %j', async (before, after) => {
    server.write('/etc/hosts', before);
    await set();
    expect(server.read('/etc/hosts')).toBe(after);
    await set();
    expect(server.read('/etc/hosts')).toBe(after);
  });

  it("the template that cloud-init makes /etc/hosts from, where the provider's user data asks for that", async () => {
    const template = '/etc/cloud/templates/hosts.debian.tmpl';
    const theirs = '## template:jinja\n# {{fqdn}}\n127.0.1.1 {{fqdn}} {{hostname}}\n127.0.0.1 localhost\n';
    server.write('/etc/hosts', '127.0.0.1 localhost\n');
    server.write(template, theirs);
    await set();
    expect(server.read(template)).toBe(theirs);
    server.write('/var/lib/cloud/instance/user-data.txt', '#cloud-config\nmanage_etc_hosts: true\n');
    await set();
    expect(server.read(template)).toBe(
      '## template:jinja\n# {{fqdn}}\n127.0.1.1 mail.example.org mail {{fqdn}} {{hostname}}\n127.0.0.1 localhost\n',
    );
    const once = server.read(template);
    await set();
    expect(server.read(template)).toBe(once);
  });

  it('writes the name and the mail domain, and keeps cloud-init from undoing it where there is one', async () => {
    server.write('/etc/hosts', '127.0.0.1 localhost\n');
    await set();
    expect(server.read('/etc/hostname')).toBe('mail.example.org\n');
    expect(server.read('/etc/mailname')).toBe('example.org\n');
    expect(server.read('/etc/cloud/cloud.cfg.d/99-smtp-setup.cfg')).toBeUndefined();
    server.write('/etc/cloud/cloud.cfg.d/05_logging.cfg', '');
    await set();
    expect(server.read('/etc/cloud/cloud.cfg.d/99-smtp-setup.cfg')).toContain('\npreserve_hostname: true\n');
  });
});

describe('the folder that daemons read while others write', () => {
  it.each([
    ['certificates_self_signed', 'mail.example.org'],
    ['accounts_folder', '', '0755', 'root:root'],
  ])('is open from the moment %s makes it', async (fn, ...args) => {
    const folder = `${server.root}/etc/smtp-setup`;
    server.program(
      'mkdir',
      `PATH=\${PATH#*:}\nmkdir "$@" || exit\n[ ! -d "${folder}" ] || stat -c %a "${folder}" >>"${server.base}/modes"`,
    );
    const given = args.map((argument) => (argument === '' ? folder : argument));
    expect((await run(fn, ...given)).status).toBe(0);
    const modes = readFileSync(join(server.base, 'modes'), 'utf8').trim().split('\n');
    expect(new Set(modes)).toEqual(new Set(['755']));
  });
});

describe('nginx_prepare', () => {
  beforeEach(() => {
    server.write('/etc/nginx/sites-available/default', 'stock\n');
    server.write('/etc/nginx/sites-enabled/.keep', '');
    server.program(
      'dpkg-query',
      `echo " /etc/nginx/sites-available/default $(printf 'stock\\n' | md5sum | cut -d' ' -f1)"`,
    );
    server.program(
      'link',
      `ln -s "${server.root}/etc/nginx/sites-available/default" "${server.root}/etc/nginx/sites-enabled/default"`,
    );
  });
  const enabled = () => server.tree().includes('/etc/nginx/sites-enabled/default');

  it("takes the distribution's welcome page off, and makes the folder for challenges", async () => {
    await callLibrary(server, [['link'], ['nginx_prepare']]);
    expect(enabled()).toBe(false);
    expect((await run('nginx_prepare')).changed).toBe(false);
  });

  it('asks again where another step installs packages, and dpkg-query failed of it', async () => {
    server.program(
      'dpkg-query',
      `[ -e "${server.base}/asked" ] || { : >"${server.base}/asked"; exit 2; }
echo " /etc/nginx/sites-available/default $(printf 'stock\\n' | md5sum | cut -d' ' -f1)"`,
    );
    server.program('sleep', 'exit 0');
    await callLibrary(server, [['link'], ['nginx_prepare']]);
    expect(enabled()).toBe(false);
  });

  it('leaves a page that somebody changed', async () => {
    server.write('/etc/nginx/sites-available/default', 'mine\n');
    await callLibrary(server, [['link'], ['nginx_prepare']]);
    expect(enabled()).toBe(true);
  });
});

describe('talk', () => {
  let mail: Server;
  let port: string;
  beforeEach(async () => {
    mail = createServer((socket) => {
      socket.write('220 mail.test ESMTP\r\n');
      socket.on('data', (data) => {
        const line = data.toString().trim();
        if (line.startsWith('EHLO')) socket.write('250-mail.test\r\n250-STARTTLS\r\n250 HELP\r\n');
        else if (line === 'QUIT') socket.end('221 bye\r\n');
        else socket.write(`550 no ${line.length}\u001b[31m\r\n`);
      });
    });
    await new Promise<void>((resolve) => mail.listen(0, '127.0.0.1', resolve));
    port = String((mail.address() as AddressInfo).port);
  });
  afterEach(() => mail.close());

  it('passes when every reply is as expected, many lines or one', async () => {
    const { status } = await run(
      'talk',
      '127.0.0.1',
      port,
      'plain',
      '',
      '<^220',
      '>EHLO x',
      '<STARTTLS',
      '!AUTH',
      '>QUIT',
      '<^221',
    );
    expect(status).toBe(0);
  });

  it('names port, last line and reply, cleaned', async () => {
    const { problem } = await run('talk', '127.0.0.1', port, 'plain', '', '<^220', '>MAIL FROM:<>', '<^250');
    expect(problem).toMatch(
      /^127\.0\.0\.1 port \d+: after MAIL FROM:<>: 550 no 12 \[31m +\(expected \^250\)$/,
    );
  });

  it('fails on a reply that must not be', async () => {
    const { problem } = await run(
      'talk',
      '127.0.0.1',
      port,
      'plain',
      '',
      '<^220',
      '>EHLO x',
      '<^250',
      '!STARTTLS',
    );
    expect(problem).toContain('(must not match STARTTLS)');
  });

  it('shows no secret line', async () => {
    server.write('/secret', 'AUTH PLAIN c2VjcmV0\n');
    const { problem, output } = await run(
      'talk',
      '127.0.0.1',
      port,
      'plain',
      '',
      '<^220',
      `>@${server.root}/secret`,
      '<^235',
    );
    expect(problem).toContain('after a secret line: 550 no 19');
    expect(output).not.toContain('c2VjcmV0');
  });

  it('says that nothing listens', async () => {
    mail.close();
    const { problem } = await run('talk', '127.0.0.1', '1', 'plain', '', '<^220');
    expect(problem).toMatch(/^127\.0\.0\.1 port 1: 127\.0\.0\.1:1: /);
  });
});

describe('postfix_takes_all', () => {
  it('is so for a domain with a catch-all, here or on the server that this one stands in for', async () => {
    server.write(
      '/etc/smtp-setup/aliases',
      '# aliases\n@example.org ada@example.org\ninfo@a.example.net x@y.org\n',
    );
    server.write('/etc/postfix/relay_recipients', '@example.net OK\nada@example.com OK\n');
    const takesAll = async (domain: string) => (await run('postfix_takes_all', domain)).status === 0;
    for (const domain of ['example.org', 'example.net']) expect(await takesAll(domain)).toBe(true);
    for (const domain of ['example.com', 'a.example.net', 'example', ''])
      expect(await takesAll(domain)).toBe(false);
  });
});

describe('certificates_certbot', () => {
  const delays = () => (server.read('/../sleeps') ?? '').split('\n').filter((line) => line !== '');
  const busy = 'Another instance of Certbot is already running.';
  /** The first `times` calls fail with the words. */
  const refuse = (times: number, words: string) => {
    server.program('sleep', `echo "$*" >>"${server.base}/sleeps"`);
    server.program(
      'certbot',
      `n=$(cat "${server.base}/refused" 2>/dev/null || echo 0)
[ "$n" -lt ${times} ] || { echo "done: $*"; exit 0; }
echo $((n + 1)) >"${server.base}/refused"
echo '${words}' >&2
exit 1`,
    );
  };
  const ask = () => run('certificates_certbot', 'certonly');

  it('waits for another one, such as a renewal by the timer', async () => {
    refuse(2, busy);
    const { status, output } = await ask();
    expect({ status, delays: delays() }).toEqual({ status: 0, delays: ['5', '5'] });
    expect(output).toMatch(/^Waiting for another certbot.*\ndone: certonly\n$/);
  });

  it('has its patience with that', async () => {
    refuse(1000, busy);
    expect(await ask()).toMatchObject({ status: 1 });
    expect(delays()).toHaveLength(180);
  });

  it('is no failure where it was told to stop meanwhile', async () => {
    refuse(1000, busy);
    server.write('/../runtime/call/stop', '');
    const { status, output } = await ask();
    expect({ status, delays: delays() }).toEqual({ status: 130, delays: [] });
    expect(output).toMatch(/^stopped while waiting/);
    expect(await run('web_certificate', '', '', 'smtp-setup.invalid', 'a.smtp-setup.invalid')).toMatchObject({
      status: 130,
      problem: expect.stringContaining('stopped while waiting'),
    });
  });

  it('says at once what else is wrong', async () => {
    refuse(1, 'Detail: 192.0.2.1: Connection refused');
    expect(await ask()).toMatchObject({ status: 1, output: 'Detail: 192.0.2.1: Connection refused\n' });
    expect(delays()).toEqual([]);
  });
});

describe('postfix_validate', () => {
  it('is not disturbed by the step that makes the same folder of the queue', async () => {
    const folder = `${server.root}/var/spool/postfix/private`;
    server.write('/stage/etc/postfix/main.cf', '');
    server.write('/stage/etc/postfix/master.cf', '');
    server.program('postconf', 'exit 0');
    // As post-install works: it looks, then makes what was not there. Dovecot's step comes between the two.
    server.program('postfix', `[ -d "${folder}" ] || { mkdir -p "${folder}"; mkdir "${folder}"; }`);
    const stage = ['export', `STAGE=${server.root}/stage`] as const;
    expect(await callLibrary(server, [stage, ['postfix_validate']])).toMatchObject({
      status: 0,
      problem: '',
    });
  });
});

describe('within', () => {
  beforeEach(() => server.program('sleep', 'exit 0'));

  it('tries until it succeeds, and says when the time is over', async () => {
    server.program(
      'grows',
      `printf x >>"${server.base}/tries"; [ "$(wc -c <"${server.base}/tries")" -ge 30 ]`,
    );
    expect((await run('within', '60', 'grows')).status).toBe(0);
    expect((await run('within', '0', 'false')).status).toBe(1);
  });

  it('gives a resolver that has just started more time than it remembers a failure', async () => {
    // Unbound does so for five seconds.
    server.program(
      'perl',
      `printf x >>"${server.base}/tries"; [ "$(wc -c <"${server.base}/tries")" -ge 20 ] && exit 0; printf 'SERVFAIL, 0 answers'; exit 1`,
    );
    expect((await run('unbound_probe_recursion', 'mail.example.org')).status).toBe(0);
  });
});
