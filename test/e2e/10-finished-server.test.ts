import { randomBytes } from 'node:crypto';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseDocument } from 'yaml';
import { lockPathFor } from '../../src/config/lock-file.js';
import { type Receiver, startReceiver } from '../../src/sandbox/receiver/index.js';
import {
  type CliResult,
  emptyZone,
  forgetCertificate,
  openProvisioned,
  shell,
  startCli,
  type World,
} from '../helpers/world.js';

let world: World;
let receiver: Receiver;
/** Everything that any command printed, for the search for secrets at the end. */
const outputs: string[] = [];
const secrets = new Map<string, string>();

beforeAll(async () => {
  world = await openProvisioned('e2e-finished');
  receiver = await startReceiver(world.lab);
  secrets.set('mailbox password', world.rehearsal.password);
  secrets.set('token', world.rehearsal.cloudflare.token);
});
afterAll(() => world?.lab.down());

async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CliResult> {
  const result = await world.cli(args, { env });
  outputs.push(result.stdout, result.stderr);
  return result;
}
const init = (...more: string[]) => run([...world.rehearsal.initArguments, ...more]);
const command = (name: 'plan' | 'apply', ...more: string[]) =>
  run([name, ...world.rehearsal.connectFlags, ...(name === 'apply' ? ['--yes'] : []), ...more]);

const said = ({ stdout, stderr }: CliResult) => `${stdout}\n${stderr}`;
function expectExit(result: CliResult, code: number): void {
  expect(result.code, said(result)).toBe(code);
}

/** A file with a new password in it, which joins the canaries. */
async function passwordFile(name: string): Promise<{ file: string; password: string }> {
  const password = randomBytes(15).toString('base64url');
  secrets.set(`password of ${name}`, password);
  const file = join(world.rehearsal.home, `password-${name}`);
  await writeFile(file, `${password}\n`, { mode: 0o600 });
  return { file, password };
}

const contents = async (type: string, name: string) =>
  (await world.rehearsal.cloudflare.control.records(world.lab.domain))
    .filter((record) => record.type === type && record.name === name)
    .map(({ content }) => content.replace(/^"|"$/g, '').replace(/" "/g, ''));

describe('a token that expires midway', () => {
  it('ends with a clear word, and the next run goes on', async () => {
    const { control } = world.rehearsal.cloudflare;
    const value = randomBytes(30).toString('base64url');
    secrets.set('expired token', value);
    await control.addToken({ value, access: 'edit', zones: 'all' });
    const client = startCli(world, world.rehearsal.initArguments, { CLOUDFLARE_API_TOKEN: value });
    await client.saw(/done: Publish SPF and DKIM/);
    await control.expireToken(value);
    const code = await client.ended;
    outputs.push(client.output());
    expect(await contents('MX', world.lab.domain)).toEqual([]);

    const again = await command('apply');
    expectExit(again, 0);
    expect(await contents('MX', world.lab.domain)).toEqual([world.rehearsal.hostname]);
    expectExit(await command('plan', '--exit-code'), 0);
    // Records were written by then: 2 would say that nothing was touched.
    expect(code, client.output()).toBe(1);
    expect(client.output()).toMatch(/token/i);
    expect(client.output()).toMatch(/run .*again/i);
  });
});

describe('a zone that is in use', () => {
  const theirs = {
    spf: 'v=spf1 include:_spf.elsewhere.test ip4:198.51.100.200 ~all',
    dmarc: 'v=DMARC1; p=quarantine; rua=mailto:reports@elsewhere.test',
    other: 'site-verification=0123456789',
  };

  it('is not changed without consent, and then only where it must be', async () => {
    const { domain } = world.lab;
    const { control } = world.rehearsal.cloudflare;
    await world.lab.dns.addZone('elsewhere.test', {
      records: ['_spf.elsewhere.test. 300 TXT "v=spf1 ip4:198.51.100.201 -all"'],
    });
    await emptyZone(world);
    for (const file of [world.rehearsal.configFile, lockPathFor(world.rehearsal.configFile)])
      await rm(file, { force: true });
    const text = (name: string, content: string) => ({
      type: 'TXT',
      name,
      content: `"${content}"`,
      ttl: 300,
    });
    await control.seed(domain, text(domain, theirs.spf));
    await control.seed(domain, text(domain, theirs.other));
    await control.seed(domain, text(`_dmarc.${domain}`, theirs.dmarc));
    await control.seed(domain, { type: 'A', name: `www.${domain}`, content: '198.51.100.202', ttl: 300 });
    await control.clearCalls();

    const refused = await init();
    expectExit(refused, 2);
    expect(said(refused)).toContain('--allow-update');
    expect(await control.writeCount()).toBe(0);

    expectExit(await init('--allow-update'), 0);
    const texts = await contents('TXT', domain);
    const spf = texts.filter((content) => content.startsWith('v=spf1'));
    expect(spf).toHaveLength(1);
    expect(spf[0]).toContain('include:_spf.elsewhere.test');
    expect(spf[0]).toContain('ip4:198.51.100.200');
    expect(spf[0]).toMatch(/(a:|mx)/);
    expect(texts).toContain(theirs.other);
    expect(await contents('TXT', `_dmarc.${domain}`)).toEqual([theirs.dmarc]);
    expect(await contents('A', `www.${domain}`)).toEqual(['198.51.100.202']);
    expectExit(await command('plan', '--exit-code'), 0);
  });
});

describe('init, run again', () => {
  it('only adds the mailbox that is named, and then nothing', async () => {
    const { domain } = world.lab;
    const { control } = world.rehearsal.cloudflare;
    const bob = `bob@${domain}`;
    const { file, password } = await passwordFile('bob');
    const add = [
      'init',
      ...world.rehearsal.connectFlags,
      '--mailbox',
      bob,
      '--password-file',
      file,
      '--yes',
      '--json',
    ];
    await control.clearCalls();
    const first = await run(add);
    expectExit(first, 0);
    const { plan } = JSON.parse(first.stdout) as {
      plan: { server: { id: string }[]; zones: { changes: unknown[] }[] };
    };
    expect(plan.server.map(({ id }) => id)).toEqual([`mailbox:${bob}`]);
    expect(plan.zones.flatMap(({ changes }) => changes)).toEqual([]);
    const second = await run(add);
    expectExit(second, 0);
    expect(JSON.parse(second.stdout)).toMatchObject({ changed: false });
    expect(await control.writeCount()).toBe(0);

    const subject = `From Bob ${Date.now()}`;
    const sent = await world.mail.send({ user: bob, password, to: `echo@${receiver.domain}`, subject });
    expect(sent.ok, sent.detail).toBe(true);
    const answer = await world.mail.read({ user: bob, password, subject, timeoutMs: 240_000 });
    expect(answer.ok, answer.detail).toBe(true);
    const forged = await world.mail.send({
      user: bob,
      password,
      from: world.rehearsal.mailbox,
      to: `sink@${receiver.domain}`,
      subject: 'as Ada',
    });
    expect(forged.detail).toMatch(/^5\d\d /);
    expect(
      (await world.mail.read({ user: bob, password: world.rehearsal.password, subject, timeoutMs: 0 })).ok,
    ).toBe(false);
  });

  it('refuses a weak password and a mailbox of another domain', async () => {
    const file = join(world.rehearsal.home, 'weak');
    await writeFile(file, 'password1234\n');
    const flags = ['init', ...world.rehearsal.connectFlags, '--yes', '--password-file'];
    expectExit(await run([...flags, file, '--mailbox', `carl@${world.lab.domain}`]), 2);
    const { file: good } = await passwordFile('carl');
    expectExit(await run([...flags, good, '--mailbox', 'carl@elsewhere.test']), 2);
    expect(await shell(world, "grep -c '^carl@' /etc/smtp-setup/users || true")).toBe('0');
  });

  it('prints exactly one document under --json, whatever happens', async () => {
    const results = [
      await command('plan', '--json'),
      await command('apply', '--json'),
      await command('plan', '--json', '--ssh', 'root@198.51.100.99'),
      await run(['apply', '--json', '--config', '/nonexistent/smtp-setup.yaml']),
      await run(['plan', '--json', '--no-such-flag']),
      await run([
        'check',
        'dns',
        '--json',
        '--resolver',
        world.lab.resolver,
        '--config',
        world.rehearsal.configFile,
      ]),
    ];
    for (const result of results) {
      expect(JSON.parse(result.stdout), said(result)).toMatchObject({ exit: result.code });
      expect(result.stdout.startsWith('{\n') && result.stdout.endsWith('}\n'), result.stdout).toBe(true);
    }
    expect(results.map(({ code }) => code).slice(0, 5)).toEqual([0, 0, 2, 2, 2]);
  });
});

describe('a file that somebody edited', () => {
  const file = '/etc/postfix/main.cf';
  const edited = () => shell(world, `tail -n 1 ${file}`);

  it('stops everything, or stays, or goes, as one says', async () => {
    const original = await shell(world, `sha256sum ${file}`);
    await shell(world, `echo '# by hand' >>${file}`);
    const planned = await command('plan', '--exit-code');
    expectExit(planned, 1);
    expect(planned.stdout).toMatch(/cannot be carried out[\s\S]*main\.cf {2}changed since/);
    const stopped = await command('apply');
    expectExit(stopped, 1);
    expect(said(stopped)).toContain('E_HAND_EDITED');
    expect(said(stopped)).toContain(file);
    expect(said(stopped)).toContain('-# by hand');
    expect(said(stopped)).toContain('--on-conflict take-over');
    expect(await edited()).toBe('# by hand');

    const kept = await command('apply', '--on-conflict', 'keep');
    expectExit(kept, 0);
    expect(kept.stdout).toMatch(/main\.cf .*it is kept/);
    expect(await edited()).toBe('# by hand');

    expectExit(await command('apply', '--on-conflict', 'take-over'), 0);
    expect(await shell(world, `sha256sum ${file}`)).toBe(original);
    expect(await shell(world, "grep -rlx '# by hand' /var/lib/smtp-setup/backups")).toContain('main.cf');
    expectExit(await command('plan', '--exit-code'), 0);
  });

  it('has a place beside it for additions', async () => {
    const place = '/etc/smtp-setup/local/postfix-main.cf';
    await shell(
      world,
      `printf 'message_size_limit = 1000000\\nsmtpd_relay_restrictions = permit\\n' >${place}`,
    );
    try {
      expectExit(await command('apply'), 0);
      expect(await shell(world, 'postconf -h message_size_limit')).toBe('1000000');
      expect(await shell(world, 'postconf -h smtpd_relay_restrictions')).toContain(
        'reject_unauth_destination',
      );
    } finally {
      await shell(world, `rm ${place}`);
    }
    expectExit(await command('apply'), 0);
    expect(await shell(world, 'postconf -h message_size_limit')).toBe('52428800');
  });
});

it('leaves a server alone that a newer smtp-setup manages', async () => {
  const file = '/var/lib/smtp-setup/manifest.json';
  await shell(
    world,
    `cp -p ${file} /root/ && sed -i '0,/"schema": *1/s//"schema": 99/' ${file} && grep -q 99 ${file}`,
  );
  try {
    for (const name of ['plan', 'apply'] as const) {
      const refused = await command(name);
      expectExit(refused, 5);
      expect(said(refused)).toContain('E_SERVER_NEWER');
    }
  } finally {
    await shell(world, `mv /root/manifest.json ${file}`);
  }
});

describe('an authority that does not answer', () => {
  it('leaves the services up with the certificate they have; the next apply finishes', async () => {
    await forgetCertificate(world);
    await world.lab.acme.host.stop();
    const without = await command('apply');
    await world.lab.acme.host.start();
    expectExit(without, 1);
    expect(said(without)).toMatch(/certificate/i);
    expect(said(without)).toMatch(/again/);
    const subject = `Self-signed ${Date.now()}`;
    const sent = await world.mail.send({ to: `sink@${receiver.domain}`, subject });
    expect(sent, sent.detail).toMatchObject({ ok: true, trusted: false });

    expectExit(await command('apply'), 0);
    const trusted = await world.mail.send({
      to: `sink@${receiver.domain}`,
      subject: `Trusted ${Date.now()}`,
    });
    expect(trusted, trusted.detail).toMatchObject({ ok: true, trusted: true });
    expectExit(await command('plan', '--exit-code'), 0);
  });
});

describe('a run under way', () => {
  /** Holds the lock of the mailbox lists, so that the run waits in that step until it is let go. */
  const hold = () =>
    shell(
      world,
      'systemd-run -q --unit=e2e-holder flock /etc/smtp-setup/.accounts.lock sleep infinity; until ! flock -n /etc/smtp-setup/.accounts.lock true; do sleep 0.1; done',
    );
  const letGo = () => shell(world, 'systemctl stop e2e-holder');
  const adding = async (name: string) => {
    const { file, password } = await passwordFile(name);
    const address = `${name}@${world.lab.domain}`;
    const flags = ['--mailbox', address, '--password-file', file, '--yes'];
    return { address, password, args: ['init', ...world.rehearsal.connectFlags, ...flags] };
  };
  const started = (address: string) => new RegExp(`\\[server\\] Create the mailbox ${address}`);

  it('holds off a second client, shows nothing secret to other processes, outlives its own client', async () => {
    await hold();
    const dora = await adding('dora');
    const first = startCli(world, dora.args);
    await first.saw(started(dora.address));

    const second = await command('apply');
    expectExit(second, 6);
    expect(said(second)).toContain('E_BUSY');
    expect(said(second)).toMatch(/held by \S+@\S+ pid \d+/);

    const visible = await shell(
      world,
      "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'; ls -lR /run/smtp-setup",
    );
    for (const [name, secret] of secrets) expect(visible.includes(secret), name).toBe(false);
    expect(visible).toMatch(/drwx------/);

    first.kill();
    expect(await first.ended).toBeNull();
    outputs.push(first.output());
    const third = startCli(world, dora.args);
    await third.saw(/still at work; following it/);
    await letGo();
    expect(await third.ended, third.output()).toBe(0);
    outputs.push(third.output());
    const login = await world.mail.read({
      user: dora.address,
      password: dora.password,
      subject: 'none',
      timeoutMs: 0,
    });
    expect(login.detail).toBe('no such message');
  });

  it('is followed again after the line was cut', async () => {
    await hold();
    const emil = await adding('emil');
    const client = startCli(world, emil.args);
    await client.saw(started(emil.address));
    await world.lab.vps.cutLink();
    await client.saw(/connection was lost/);
    await world.lab.vps.restoreLink();
    await client.saw(/Connected again/);
    await letGo();
    expect(await client.ended, client.output()).toBe(0);
    outputs.push(client.output());
  });

  it('is gone after a power cut, and the next one goes on', async () => {
    await hold();
    const fred = await adding('fred');
    const client = startCli(world, fred.args);
    await client.saw(started(fred.address));
    await world.lab.vps.powerCut();
    await client.saw(/connection was lost/);
    await world.lab.vps.start();
    expect(await client.ended, client.output()).toBe(1);
    outputs.push(client.output());
    expect(client.output()).toContain('E_RUN_DIED');
    expectExit(await run(fred.args), 0);
    expectExit(await command('plan', '--exit-code'), 0);
    const login = await world.mail.read({
      user: fred.address,
      password: fred.password,
      subject: 'none',
      timeoutMs: 0,
    });
    expect(login.detail).toBe('no such message');
  });
});

describe('secrets', () => {
  it('are in nothing that was printed', () => {
    for (const [name, secret] of secrets)
      expect(
        outputs.some((text) => text.includes(secret)),
        name,
      ).toBe(false);
  });

  it('are in nothing that was written on this machine', async () => {
    const { home, configFile } = world.rehearsal;
    const entries = await readdir(home, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile() && !entry.name.startsWith('password'));
    expect(files.map(({ name }) => name)).toContain('smtp-setup.lock.json');
    for (const { parentPath, name } of files) {
      const text = await readFile(join(parentPath, name), 'utf8');
      for (const [what, secret] of secrets) expect(text.includes(secret), `${what} in ${name}`).toBe(false);
    }
    expect(parseDocument(await readFile(configFile, 'utf8')).errors).toEqual([]);
  });

  it('are nowhere on the server but as hashes', async () => {
    const patterns = [
      ...secrets.values(),
      ...[...secrets.values()].map((secret) => Buffer.from(secret).toString('base64').replace(/=+$/, '')),
    ];
    const found = await world.lab.vps.exec(
      'cat >/run/canaries; grep -rlaF --exclude-dir=proc --exclude-dir=sys --exclude-dir=dev --exclude=canaries -f /run/canaries / 2>/dev/null; journalctl -q --no-pager -a -o export | grep -aF -f /run/canaries | head -3; rm /run/canaries',
      { input: `${patterns.join('\n')}\n` },
    );
    expect(found.stdout).toBe('');
    const users = await shell(
      world,
      "grep -c '^[^#]' /etc/smtp-setup/users; grep -vc '{ARGON2ID}' /etc/smtp-setup/users || true",
    );
    expect(users.split('\n')[0]).toBe('5');
    expect(
      await shell(world, "ls -A /run/smtp-setup | grep -vE '^(lock|active-services|operator)$' || true"),
    ).toBe('');
  });
});
