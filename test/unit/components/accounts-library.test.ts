import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { callLibrary } from '../../helpers/library-call.js';
import { LocalServer } from '../../helpers/local-run.js';

let server: LocalServer;
const home = '/etc/smtp-setup';
const passwords: Record<string, string> = {
  alice: 'correct horse: battery',
  bob: "it's $(id) %u {x}",
  next: 'another one',
};

beforeEach(() => {
  server = new LocalServer();
  server.write(`${home}/domains`, '# the domains\nexample.org\nexample.net\n');
  server.write(`${home}/users`, '# users\n');
  server.write(`${home}/aliases`, '# aliases\n');
  server.write(`${home}/maps/.keep`, '');
  // Hashes by reversing: what matters here is what reaches it, and by which way.
  server.program(
    'doveadm',
    `printf '%s\\n' "$*" >>"${server.base}/doveadm.log"
read -r first
if [ "$2" = -t ]; then [ "$3" = "{ARGON2ID}\\$argon2id\\$$(printf %s "$first" | base64 -w0)" ]; exit; fi
read -r second
[ "$first" = "$second" ] && printf '{ARGON2ID}$argon2id$%s\\n' "$(printf %s "$first" | base64 -w0)"`,
  );
  server.program(
    'postmap',
    `printf '%s\\n' "$*" >>"${server.base}/postmap.log"
[ ! -e "${server.base}/postmap-fails" ] || { echo 'fatal: no space left'; exit 1; }
for last; do :; done
cp "\${last#*:}" "\${last#*:}.db"`,
  );
});
afterEach(() => server.remove());

const run = (...calls: [string, ...string[]][]) => callLibrary(server, calls, passwords);

const lines = (name: string) => (server.read(`${home}/${name}`) ?? '').trim().split('\n');
const add = (address: string, secret: string) => run(['accounts_add', address, secret, 'hash']);
const log = (name: string) => server.read(`/../${name}.log`) ?? '';

describe('accounts_add', () => {
  it('adds a login with a hash, and the tables that follow from it', async () => {
    const { status, changed } = await add('Alice@Example.org', 'alice');
    expect(status).toBe(0);
    expect(changed).toBe(true);
    expect(lines('users')).toEqual([
      '# users',
      `alice@example.org:{ARGON2ID}$argon2id$${Buffer.from(passwords.alice ?? '').toString('base64')}::::::`,
    ]);
    expect(lines('maps/mailboxes')).toEqual(['alice@example.org alice@example.org']);
    expect(server.read(`${home}/maps/mailboxes.db`)).toBe(server.read(`${home}/maps/mailboxes`));
    expect(server.modeOf(`${home}/users`)).toBe('640');
  });

  it('lets no password appear in arguments or output', async () => {
    const { output: said } = await add('bob@example.org', 'bob');
    for (const text of [log('doveadm'), log('postmap'), said]) {
      expect(text).not.toContain(passwords.bob);
    }
    expect(log('doveadm')).toBe('pw -s ARGON2ID\n');
    expect(lines('users').at(-1)).toContain(Buffer.from(passwords.bob ?? '').toString('base64'));
  });

  it('keeps the password of a mailbox that is there, and writes nothing', async () => {
    await add('alice@example.org', 'alice');
    const before = server.read(`${home}/users`);
    const { changed } = await add('alice@example.org', 'next');
    expect(changed).toBe(false);
    expect(server.read(`${home}/users`)).toBe(before);
  });

  it.each([
    ['alice@other.org', "other.org is none of this server's domains"],
    ['alice', 'not an address: alice'],
    ['@example.org', 'not an address: @example.org'],
    ['a:b@example.org', 'not an address: a:b@example.org'],
    ['a b@example.org', 'not an address: a b@example.org'],
    ['../x@example.org', 'not an address: ../x@example.org'],
    ['$(id)@example.org', 'not an address: $(id)@example.org'],
  ])('refuses %s', async (address, why) => {
    const { status, problem } = await add(address, 'alice');
    expect(status).toBe(1);
    expect(problem).toBe(`mailboxes: ${why}`);
    expect(lines('users')).toEqual(['# users']);
  });

  it('says that a password is missing', async () => {
    const { problem } = await add('alice@example.org', 'nobody');
    expect(problem).toMatch(/^mailboxes: the password was not handed over/);
  });

  it('leaves the list as it was when the tables cannot be made', async () => {
    server.write('/../postmap-fails', '');
    const { problem } = await add('alice@example.org', 'alice');
    expect(problem).toBe('mailboxes: postmap: fatal: no space left');
    expect(server.read(`${home}/maps/mailboxes`)).toBeUndefined();
  });
});

describe('role addresses', () => {
  it('reach the first mailbox of their domain, or the first of all', async () => {
    await run(
      ['accounts_add', 'alice@example.org', 'alice', 'hash'],
      ['accounts_add', 'bob@example.org', 'bob', 'hash'],
    );
    const aliases = lines('maps/aliases');
    for (const role of ['postmaster', 'abuse', 'root', 'mailer-daemon']) {
      expect(aliases).toContain(`${role}@example.org alice@example.org`);
      expect(aliases).toContain(`${role}@example.net alice@example.org`);
    }
    await add('zoe@example.net', 'next');
    expect(lines('maps/aliases')).toContain('postmaster@example.net zoe@example.net');
  });

  it('follow an alias or a mailbox of their own', async () => {
    await add('alice@example.org', 'alice');
    await add('abuse@example.org', 'bob');
    await run(['accounts_alias', 'postmaster@example.org', 'abuse@example.org,out@side.test', 'hash']);
    const aliases = lines('maps/aliases');
    expect(aliases).toContain('postmaster@example.org abuse@example.org,out@side.test');
    expect(aliases.some((line) => line.startsWith('abuse@example.org '))).toBe(false);
  });

  it('do not exist without any mailbox', async () => {
    await run(['accounts_rebuild', 'hash']);
    expect(lines('maps/aliases')).toEqual(['']);
  });
});

describe('aliases', () => {
  it('may be used as sender by those whom they reach, through other aliases too, in a circle too', async () => {
    await add('alice@example.org', 'alice');
    await add('bob@example.org', 'bob');
    await run(
      ['accounts_alias', 'info@example.net', 'team@example.org', 'hash'],
      ['accounts_alias', 'team@example.org', 'alice@example.org,bob+x@example.org,info@example.net', 'hash'],
      ['accounts_alias', 'out@example.org', 'somebody@else.test', 'hash'],
    );
    const senders = lines('maps/senders');
    expect(senders).toContain('info@example.net alice@example.org,bob@example.org');
    expect(senders).toContain('team@example.org alice@example.org,bob@example.org');
    expect(senders.some((line) => line.startsWith('out@'))).toBe(false);
    expect(senders).toContain('alice@example.org alice@example.org');
  });

  it('are replaced, and removed', async () => {
    await add('alice@example.org', 'alice');
    await run(['accounts_alias', 'a@example.org', 'x@y.test', 'hash']);
    await run(['accounts_alias', 'a@example.org', 'alice@example.org', 'hash']);
    expect(lines('aliases')).toEqual(['# aliases', 'a@example.org alice@example.org']);
    await run(['accounts_alias_remove', 'A@example.org', 'hash']);
    expect(lines('aliases')).toEqual(['# aliases']);
  });

  it('a catch-all does not swallow the mailboxes beside it', async () => {
    await add('alice@example.org', 'alice');
    await run(['accounts_alias', '@example.org', 'alice@example.org', 'hash']);
    expect(lines('maps/aliases')).toEqual(
      expect.arrayContaining(['@example.org alice@example.org', 'alice@example.org alice@example.org']),
    );
  });

  it('never take the place of a mailbox, nor a mailbox theirs', async () => {
    await add('alice@example.org', 'alice');
    const alias = await run(['accounts_alias', 'alice@example.org', 'x@y.test', 'hash']);
    expect(alias.problem).toBe('mailboxes: alice@example.org is a mailbox');
    await run(['accounts_alias', 'a@example.org', 'x@y.test', 'hash']);
    expect((await add('a@example.org', 'bob')).problem).toBe(
      'mailboxes: a@example.org is an alias; remove that first',
    );
    const bad = await run(['accounts_alias', 'b@example.org', 'not an address', 'hash']);
    expect(bad.problem).toBe('mailboxes: not an address: not an address');
  });
});

describe('accounts_passwd and accounts_remove', () => {
  it('change one line and leave the others byte by byte', async () => {
    await add('alice@example.org', 'alice');
    await add('bob@example.org', 'bob');
    const [, alice] = lines('users');
    const { changed } = await run(['accounts_passwd', 'bob@example.org', 'next', 'hash']);
    expect(changed).toBe(true);
    expect(lines('users')[1]).toBe(alice);
    expect(lines('users')[2]).toContain(Buffer.from('another one').toString('base64'));
    expect((await run(['accounts_passwd', 'bob@example.org', 'next', 'hash'])).changed).toBe(false);
    const unknown = await run(['accounts_passwd', 'carol@example.org', 'next', 'hash']);
    expect(unknown.problem).toBe('mailboxes: there is no mailbox carol@example.org');
  });

  it('take the tables first and the login last', async () => {
    await add('alice@example.org', 'alice');
    await add('bob@example.org', 'bob');
    await run(['accounts_remove', 'bob@example.org', 'hash']);
    expect(lines('users')).toHaveLength(2);
    expect(lines('maps/mailboxes')).toEqual(['alice@example.org alice@example.org']);
    expect((await run(['accounts_remove', 'bob@example.org', 'hash'])).changed).toBe(false);
  });

  it('keep what they do not understand in the list', async () => {
    server.write(`${home}/users`, '# mine\n\nodd line\nalice@example.org:{ARGON2ID}x:::::extra=1\n');
    await add('bob@example.org', 'bob');
    expect(lines('users').slice(0, 4)).toEqual([
      '# mine',
      '',
      'odd line',
      'alice@example.org:{ARGON2ID}x:::::extra=1',
    ]);
  });
});

describe('accounts_add_all', () => {
  const all = (...lines: string[]) =>
    callLibrary(server, [['accounts_add_all', 'list', 'hash']], { list: lines.join('\n') });
  const hash = '{SHA512-CRYPT}$6$salt$abc./DEF';

  it('adds all in one go: passwords are hashed, hashes kept as they are', async () => {
    const { status } = await all(
      `alice@example.org\tpassword\t${passwords.alice}`,
      `Alice@example.net\thash\t${hash}`,
    );
    expect(status).toBe(0);
    expect(lines('users').slice(1)).toEqual([
      `alice@example.org:{ARGON2ID}$argon2id$${Buffer.from(passwords.alice ?? '').toString('base64')}::::::`,
      `alice@example.net:${hash}::::::`,
    ]);
    expect(log('postmap').trim().split('\n')).toHaveLength(3);
  });

  it('gives everybody the hash of their own password, however many are hashed at a time', async () => {
    const names = Array.from({ length: 11 }, (_, index) => `user${index}`);
    const { status } = await all(...names.map((name) => `${name}@example.org\tpassword\tsecret of ${name}`));
    expect(status).toBe(0);
    expect(lines('users').slice(1)).toEqual(
      names.map(
        (name) =>
          `${name}@example.org:{ARGON2ID}$argon2id$${Buffer.from(`secret of ${name}`).toString('base64')}::::::`,
      ),
    );
  });

  it('adds none when one of the hashes cannot be made', async () => {
    server.program(
      'doveadm',
      'read -r first; [ "$first" = bad ] && exit 75; echo "{ARGON2ID}\\$argon2id\\$x"',
    );
    const before = server.read(`${home}/users`);
    const outcome = await all(
      ...['good', 'good', 'bad', 'good'].map((secret, index) => `u${index}@example.org\tpassword\t${secret}`),
    );
    expect(outcome.problem).toBe('mailboxes: doveadm could not hash the password (status 75)');
    expect(server.read(`${home}/users`)).toBe(before);
  });

  it('adds none when one cannot be, and keeps those that are there', async () => {
    await add('alice@example.org', 'alice');
    const before = server.read(`${home}/users`);
    const foreign = await all(`bob@example.org\thash\t${hash}`, `carol@other.org\thash\t${hash}`);
    expect(foreign.problem).toBe("mailboxes: other.org is none of this server's domains");
    expect((await all('bob@example.org\thash\t{X}a:b')).problem).toContain(
      'line 1 of the list holds no hash',
    );
    expect((await all(`alice@example.org\thash\t${hash}`)).changed).toBe(false);
    expect(server.read(`${home}/users`)).toBe(before);
  });

  it('a login for an application may send as what is listed, and gets no mail', async () => {
    await add('alice@example.org', 'alice');
    await all(`shop@example.org\thash\t${hash}\torders@example.org,@example.net,alice@example.org`);
    expect(lines('maps/mailboxes')).toEqual(['alice@example.org alice@example.org']);
    expect(lines('maps/senders')).toEqual(
      expect.arrayContaining([
        '@example.net shop@example.org',
        'alice@example.org alice@example.org,shop@example.org',
        'orders@example.org shop@example.org',
        'postmaster@example.net alice@example.org,shop@example.org',
      ]),
    );
    expect(lines('maps/aliases').some((line) => line.endsWith('shop@example.org'))).toBe(false);
    await run(['accounts_remove', 'shop@example.org', 'hash']);
    expect(lines('logins')).toEqual(['']);
    expect(lines('maps/senders').some((line) => line.includes('shop'))).toBe(false);
  });
});

describe('accounts_quota', () => {
  it('keeps a limit of its own in the line of the mailbox, beside what else is there', async () => {
    await add('alice@example.org', 'alice');
    const before = server.read(`${home}/users`);
    expect((await run(['accounts_quota', 'Alice@example.org', '5368709120', 'hash'])).changed).toBe(true);
    expect(lines('users')[1]).toMatch(/::::::userdb_quota_storage_size=5368709120$/);
    expect((await run(['accounts_quota', 'alice@example.org', '5368709120', 'hash'])).changed).toBe(false);
    await run(['accounts_disable', 'alice@example.org', 'hash']);
    await run(['accounts_quota', 'alice@example.org', '0', 'hash']);
    expect(lines('users')[1]).toMatch(/::::::allow_nets=255\.255\.255\.255\/32 userdb_quota_storage_size=0$/);
    await run(['accounts_enable', 'alice@example.org', 'hash']);
    await run(['accounts_quota', 'alice@example.org', 'default', 'hash']);
    expect(server.read(`${home}/users`)).toBe(before);
  });

  it('takes nothing but a number, of a mailbox that is there', async () => {
    await add('alice@example.org', 'alice');
    for (const bytes of ['1G', '-1', '01', '1 allow_nets=0.0.0.0/0'])
      expect((await run(['accounts_quota', 'alice@example.org', bytes, 'hash'])).problem).toContain(
        'not a number of bytes',
      );
    expect((await run(['accounts_quota', 'x@example.org', '1', 'hash'])).problem).toContain('no mailbox x@');
  });
});

describe('accounts_disable and accounts_enable', () => {
  it('take login and sending away, keep mail and password, and give all back byte by byte', async () => {
    await add('alice@example.org', 'alice');
    await add('bob@example.org', 'bob');
    await run(['accounts_alias', 'team@example.org', 'alice@example.org,bob@example.org', 'hash']);
    const files = ['users', 'maps/senders', 'maps/mailboxes', 'maps/aliases'].map(
      (name) => `${home}/${name}`,
    );
    const before = files.map((file) => server.read(file));
    expect((await run(['accounts_disable', 'Bob@example.org', 'hash'])).changed).toBe(true);
    expect(lines('users')[2]).toMatch(
      /^bob@example\.org:\{ARGON2ID\}\S+::::::allow_nets=255\.255\.255\.255\/32$/,
    );
    expect(lines('maps/senders')).toContain('team@example.org alice@example.org');
    expect(lines('maps/senders').some((line) => line.includes('bob'))).toBe(false);
    expect(server.read(`${home}/maps/mailboxes`)).toBe(before[2]);
    expect(server.read(`${home}/maps/aliases`)).toBe(before[3]);
    expect(log('doveadm')).toContain('kick bob@example.org\n');
    expect((await run(['accounts_disable', 'bob@example.org', 'hash'])).changed).toBe(false);
    await run(['accounts_enable', 'bob@example.org', 'hash']);
    expect(files.map((file) => server.read(file))).toEqual(before);
  });

  it('leave other extra fields alone', async () => {
    server.write(`${home}/users`, 'alice@example.org:{ARGON2ID}x::::::userdb_quota_rule=*:storage=1G\n');
    const before = server.read(`${home}/users`);
    await run(['accounts_disable', 'alice@example.org', 'hash']);
    expect(lines('users')[0]).toBe(
      'alice@example.org:{ARGON2ID}x::::::userdb_quota_rule=*:storage=1G allow_nets=255.255.255.255/32',
    );
    await run(['accounts_enable', 'alice@example.org', 'hash']);
    expect(server.read(`${home}/users`)).toBe(before);
    expect((await run(['accounts_disable', 'x@example.org', 'hash'])).problem).toContain('no mailbox x@');
  });
});

describe("the probe's mailbox", () => {
  it('can log in and nothing else, and is gone at the end of any change', async () => {
    await add('alice@example.org', 'alice');
    const before = log('postmap');
    await run(['accounts_probe_begin', 'example.org', 'hash']);
    expect(lines('users').at(-1)).toMatch(/^smtp-setup-probe@example\.org:\{ARGON2ID\}/);
    expect(log('postmap')).toBe(before);
    await add('bob@example.org', 'bob');
    expect(server.read(`${home}/users`)).not.toContain('probe');
  });

  it('has a password that is in no output', async () => {
    const { output: said } = await run(
      ['accounts_probe_begin', 'example.org', 'hash'],
      ['accounts_probe_end', 'hash'],
    );
    const hashed = /argon2id\$(\S+?)::/.exec(said);
    expect(hashed).toBeNull();
    expect(server.read(`${home}/users`)).toBe('# users\n');
  });
});

describe('the mailbox of a check', () => {
  const name = 'smtp-setup-check-00c0ffee';
  const address = `${name}@example.org`;
  beforeEach(() => {
    server.program('systemd-run', `printf '%s\\n' "$*" >>"${server.base}/systemd-run.log"`);
    server.program('systemctl', `printf '%s\\n' "$*" >>"${server.base}/systemctl.log"`);
  });
  const begin = () => run(['check_login_begin', name, 'example.org', 'hash', '900']);
  const mark = () => server.write(`/../runtime/checks/${name}.sh`, '');

  it('comes and goes beside the probe of a run', async () => {
    await run(['accounts_probe_begin', 'example.org', 'hash']);
    const probing = lines('users');
    mark();
    await begin();
    expect(lines('users')).toEqual([...probing, expect.stringContaining(address)]);
    await run(['check_login_end', name, 'example.org', 'hash']);
    expect(lines('users')).toEqual(probing);
    await run(['accounts_rebuild', 'hash']);
    expect(lines('users')).toEqual(['# users']);
  });

  it('can send and receive, is nobody’s postmaster, and leaves everything as it was', async () => {
    await add('alice@example.org', 'alice');
    const before = ['users', 'maps/mailboxes', 'maps/aliases', 'maps/senders'].map((file) => lines(file));
    mark();
    const { output: said } = await begin();
    expect(said).toMatch(/^password [0-9a-f]{48}$/m);
    expect(log('systemd-run')).toContain('--on-active=900');
    expect(lines('maps/mailboxes')).toContain(`${address} ${address}`);
    expect(lines('maps/senders')).toContain(`${address} ${address}`);
    expect(lines('maps/aliases')).toEqual(before[2]);
    server.write(`/var/vmail/example.org/${name}/Maildir/new/1`, 'mail');
    await run(['check_login_end', name, 'example.org', 'hash']);
    expect(['users', 'maps/mailboxes', 'maps/aliases', 'maps/senders'].map((file) => lines(file))).toEqual(
      before,
    );
    expect(server.read(`/var/vmail/example.org/${name}/Maildir/new/1`)).toBeUndefined();
    expect(log('systemctl')).toContain(`stop ${name}.timer`);
  });

  it('outlives other changes while it may live, and no change after that', async () => {
    mark();
    await begin();
    await add('alice@example.org', 'alice');
    expect(lines('users').some((line) => line.startsWith(address))).toBe(true);
    rmSync(join(server.base, 'runtime', 'checks', `${name}.sh`));
    await add('bob@example.org', 'bob');
    expect(lines('users').some((line) => line.startsWith(address))).toBe(false);
    expect(lines('maps/mailboxes').join()).not.toContain(name);
  });
});

describe('accounts_delete_mail', () => {
  const saved = 1_700_000_000;
  const message = (at: number, folder = 'cur') =>
    `/var/vmail/example.org/bob/Maildir/${folder}/${at}.M1P1.host,S=4:2,S`;
  const remove = (address: string) => run(['accounts_delete_mail', address, String(saved)]);

  it('deletes what is older than the backup, with what a killed one left', async () => {
    server.write(message(saved - 1), 'mail');
    server.write('/var/vmail/example.org/ada/Maildir/cur/1', 'mail');
    server.write('/var/vmail/.smtp-setup-gone.dead/x', 'mail');
    expect(await remove('bob@example.org')).toMatchObject({ status: 0, changed: true });
    expect(server.tree(`${server.root}/var/vmail`)).toEqual(['/example.org/ada/Maildir/cur/1']);
    expect(await remove('bob@example.org')).toMatchObject({ status: 0, changed: false });
  });

  it('keeps all of it when one message came since', async () => {
    server.write(message(saved - 1), 'mail');
    server.write(message(saved, '.Sent/new'), 'mail');
    expect((await remove('bob@example.org')).problem).toContain(
      '1 messages of bob@example.org are in no backup',
    );
    expect(server.tree(`${server.root}/var/vmail`)).toHaveLength(2);
  });

  it('never touches the mail of a mailbox that is there', async () => {
    server.write(`${home}/users`, 'bob@example.org:{X}::::::\n');
    server.write(message(saved - 1), 'mail');
    expect((await remove('bob@example.org')).problem).toBe('bob@example.org is a mailbox');
  });

  it.each(['..@example.org', 'a/../b@example.org', 'bob@..', '@example.org', 'bob@exa/mple'])(
    'refuses %s',
    async (address) => {
      server.write('/var/vmail/example.org/bob/Maildir/cur/1', 'mail');
      expect((await remove(address)).status).toBe(1);
      expect(server.tree(`${server.root}/var/vmail`)).toHaveLength(1);
    },
  );
});

describe('restore_lists', () => {
  it('brings lists line by line and folders file by file, and overwrites nothing', async () => {
    const from = `${server.root}/from`;
    server.write('/from/lists/users', 'ada@example.org:{OLD}\nbob@example.org:{B}\n');
    server.write('/from/local/dovecot.conf', 'theirs\n');
    server.write('/from/relay/server', 'host user:secret\n');
    server.write('/from/relay/example.org', 'old\n');
    server.write(`${home}/users`, 'ada@example.org:{NEW}\n');
    server.write(`${home}/relay/example.org`, 'new\n');
    expect(await run(['restore_lists', from])).toMatchObject({ status: 0 });
    expect(server.read(`${home}/users`)).toBe('ada@example.org:{NEW}\nbob@example.org:{B}\n');
    expect(server.read(`${home}/relay/example.org`)).toBe('new\n');
    expect([server.modeOf(`${home}/local/dovecot.conf`), server.modeOf(`${home}/relay/server`)]).toEqual([
      '644',
      '600',
    ]);
    expect(server.modeOf(`${home}/relay`)).toBe('700');
  });
});

describe('restore_srs', () => {
  const secret = '/etc/postsrsd.secret';

  it("signs with the backup's secret and goes on believing this server's own", async () => {
    server.write('/from/srs-secret', 'old');
    server.write(secret, 'own\n', 0o600);
    for (const _ of ['once', 'again']) {
      expect(await run(['restore_srs', `${server.root}/from`])).toMatchObject({ status: 0 });
      expect(server.read(secret)).toBe('old\nown\n');
      expect(server.modeOf(secret)).toBe('600');
    }
  });

  it('writes it where there is none yet, and nothing for a backup without one', async () => {
    expect(await run(['restore_srs', `${server.root}/from`])).toMatchObject({ status: 0 });
    expect(server.read(secret)).toBeUndefined();
    server.write('/from/srs-secret', 'old');
    server.write('/etc/other', '');
    expect(await run(['restore_srs', `${server.root}/from`])).toMatchObject({ status: 0 });
    expect([server.read(secret), server.modeOf(secret)]).toEqual(['old\n', '600']);
  });
});
