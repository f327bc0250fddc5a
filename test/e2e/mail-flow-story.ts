import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseDocument } from 'yaml';
import type { VpsImage } from '../../src/sandbox/index.js';
import { waitUntil } from '../../src/sandbox/machine/wait-until.js';
import { headerOf, type Receiver, startReceiver } from '../../src/sandbox/receiver/index.js';
import { type CliResult, openProvisioned, shell, type World } from '../helpers/world.js';

/** What the filter, the store and forwarding do with mail, whatever the release. */
export function tellMailFlowStory(image: VpsImage): void {
  let world: World;
  let receiver: Receiver;
  beforeAll(async () => {
    world = await openProvisioned('flow', image);
    receiver = await startReceiver(world.lab);
    const init = await world.cli(world.rehearsal.initArguments);
    expect(init.code, init.stdout + init.stderr).toBe(0);
  });
  afterAll(() => world?.lab.down());

  const at = (local: string) => `${local}@${world.lab.domain}`;
  const said = ({ stdout, stderr }: CliResult) => `${stdout}\n${stderr}`;
  const config = () => ['--config', world.rehearsal.configFile];
  async function ok(command: string, ...more: string[]): Promise<CliResult> {
    const result = await world.cli([...command.split(' '), ...more, ...config()]);
    expect(result.code, said(result)).toBe(0);
    return result;
  }
  async function apply(): Promise<void> {
    const result = await world.cliWithFlags('apply', ['--yes']);
    expect(result.code, said(result)).toBe(0);
  }
  async function addUser(name: string): Promise<{ user: string; password: string }> {
    const password = randomBytes(15).toString('base64url');
    const file = join(world.rehearsal.home, `password-${name}`);
    await writeFile(file, `${password}\n`, { mode: 0o600 });
    await ok('user add', at(name), '--password-file', file, '--yes');
    return { user: at(name), password };
  }
  let count = 0;
  const newSubject = (what: string) => `${what} ${process.pid}-${count++}`;
  const arrives = (subject: string) =>
    receiver.waitForMessage((message) => headerOf(message, 'subject') === subject, 120_000);
  async function reads(subject: string, more: { user?: string; password?: string; mailbox?: string } = {}) {
    const read = await world.mail.read({ subject, timeoutMs: 120_000, ...more });
    expect(read.ok, read.detail).toBe(true);
    return read.detail;
  }
  /** A message from the world, straight to port 25; swaks's exit code and the dialogue. */
  const fromOutside = (to: string, subject: string, from = `someone@${receiver.domain}`) =>
    receiver.sendDirectly(world.lab.vps.ipv4, { from, to, subject });
  const log = (pattern: string) =>
    shell(world, `journalctl --sync; journalctl -q -o cat --no-pager | grep -c -- '${pattern}' || true`).then(
      Number,
    );

  describe('mail from the world', () => {
    it('is sealed as it came (ARC), and keeps its sender', async () => {
      const subject = newSubject('sealed');
      await receiver.sendMail({ from: `someone@${receiver.domain}`, to: world.rehearsal.mailbox, subject });
      const message = await reads(subject);
      expect(message).toMatch(new RegExp(`^ARC-Seal: i=1;[\\s\\S]*?d=${world.lab.domain};`, 'm'));
      expect(message).toMatch(/^Return-Path: <someone@receiver\.test>/m);
      const verify =
        'import dkim,sys; cv,_,why = dkim.arc_verify(sys.stdin.buffer.read()); print(cv.decode(), why)';
      const stored = await shell(
        world,
        `cat $(grep -rl '${subject}' /var/vmail/*/ada/Maildir/new /var/vmail/*/ada/Maildir/cur)`,
      );
      // Above the seal stands what was added after it: transport, and what LMTP notes.
      const { stdout, stderr } = await receiver.labHost.exec(['python3', '-c', verify], {
        input: `${stored.replace(/\r?\n/g, '\r\n')}\r\n`,
      });
      expect(stdout + stderr).toMatch(/^pass/);
    });

    it('goes into Junk when its From domain disowns it, and no user script sees it', async () => {
      await world.lab.dns.addZone('forged.test', {
        records: ['forged.test. 300 A 198.51.100.230', '_dmarc.forged.test. 300 TXT "v=DMARC1; p=reject"'],
      });
      const subject = newSubject('forged');
      const sent = await fromOutside(world.rehearsal.mailbox, subject, 'boss@forged.test');
      expect(sent.code, sent.stdout).toBe(0);
      expect(await reads(subject, { mailbox: 'Junk' })).toMatch(/^X-Spam: Yes/m);
    });

    it('is not taken from whom talks before the greeting', async () => {
      // Who has shown patience once is remembered.
      await shell(
        world,
        'systemctl stop postfix; rm -f /var/lib/postfix/postscreen_cache*; systemctl start postfix',
      );
      const talk = `exec 3<>/dev/tcp/${world.lab.vps.ipv4}/25
        printf 'EHLO early.test\\r\\nMAIL FROM:<>\\r\\nRCPT TO:<${world.rehearsal.mailbox}>\\r\\nQUIT\\r\\n' >&3
        timeout 30 cat <&3`;
      const early = await world.lab.client.exec('bash', ['-c', talk]);
      expect(early.stdout).toMatch(/^5\d\d 5\.5\.1 /m);
      expect(early.stdout).not.toMatch(/^250 2\.1\.5/m);
      expect(await log('PREGREET')).toBe(1);
    });
  });

  describe('Sieve', () => {
    const sieve = async (lines: readonly string[], tls = true) => {
      const { ipv4 } = world.lab.vps;
      const text = lines.map((line) => `${line}\r\n`).join('');
      const program = tls
        ? `timeout 60 openssl s_client -quiet -starttls sieve -connect ${ipv4}:4190`
        : `{ exec 3<>/dev/tcp/${ipv4}/4190; cat >&3; timeout 20 sed '/^NO /q' <&3; }`;
      const { stdout } = await world.lab.client.exec('bash', ['-c', program], { input: text });
      return stdout;
    };
    const plain = () =>
      Buffer.from(`\0${world.rehearsal.mailbox}\0${world.rehearsal.password}`).toString('base64');

    it('offers no login without TLS', async () => {
      const answer = await sieve([`AUTHENTICATE "PLAIN" "${plain()}"`, 'LOGOUT'], false);
      expect(answer).toContain('"STARTTLS"');
      expect(answer).toContain('"SASL" ""');
      expect(answer).toMatch(/^NO /m);
    });

    it('runs the script that a user has sent in, and sends mail on with a sender of ours', async () => {
      const script = [
        'require ["copy", "fileinto", "mailbox", "vacation"];',
        'if header :contains "subject" "list" { fileinto :create "Lists"; stop; }',
        `if header :contains "subject" "pass on" { redirect :copy "friend@${receiver.domain}"; }`,
        'if header :contains "subject" "are you there" { vacation :subject "Away" "Not now."; }',
      ].join('\r\n');
      const answer = await sieve([
        `AUTHENTICATE "PLAIN" "${plain()}"`,
        `PUTSCRIPT "mine" {${Buffer.byteLength(script)}+}\r\n${script}`,
        'SETACTIVE "mine"',
        'LOGOUT',
      ]);
      expect(answer.match(/^OK/gm)?.length, answer).toBeGreaterThanOrEqual(4);

      const list = newSubject('list');
      const pass = newSubject('pass on');
      const there = newSubject('are you there');
      for (const subject of [list, pass, there])
        await receiver.sendMail({ from: `someone@${receiver.domain}`, to: world.rehearsal.mailbox, subject });
      await reads(list, { mailbox: 'Lists' });
      await reads(pass);

      const passed = await receiver.waitForMessage(
        (message) =>
          message.recipient === `friend@${receiver.domain}` && headerOf(message, 'subject') === pass,
        120_000,
      );
      expect(passed.envelopeFrom).toMatch(
        new RegExp(`^SRS0=.*=receiver\\.test=someone@${world.lab.domain}$`),
      );
      expect(receiver.readVerdicts(passed)).toMatchObject({ spf: 'pass', dkim: 'pass', dmarc: 'pass' });

      const away = await arrives('Away');
      expect(headerOf(away, 'from')).toContain(world.rehearsal.mailbox);
      expect(receiver.readVerdicts(away)).toMatchObject({ dkim: 'pass', dmarc: 'pass' });
    });
  });

  describe('an alias that leads outside', () => {
    it('sends mail on with a sender of ours: SPF holds, the signature stays', async () => {
      await ok('alias add', at('friend'), `sink@${receiver.domain}`, '--yes');
      const subject = newSubject('forwarded');
      await receiver.sendMail({ from: `someone@${receiver.domain}`, to: at('friend'), subject });
      const message = await arrives(subject);
      expect(message.envelopeFrom).toMatch(
        new RegExp(`^SRS0=.*=receiver\\.test=someone@${world.lab.domain}$`),
      );
      expect(headerOf(message, 'from')).toBe(`someone@${receiver.domain}`);
      expect(receiver.readVerdicts(message)).toMatchObject({ spf: 'pass', dkim: 'pass', dmarc: 'pass' });
      expect(await receiver.verifyIndependently(message)).toMatchObject({ opendkim: true, spf: 'pass' });

      const own = newSubject('own to the alias');
      const sent = await world.mail.send({ to: at('friend'), subject: own });
      expect(sent.ok, sent.detail).toBe(true);
      expect((await arrives(own)).envelopeFrom).toBe(world.rehearsal.mailbox);
    });

    it('lets a bounce find its way back, and nobody else use the way', async () => {
      await ok('alias add', at('gone'), `nobody@${receiver.domain}`, '--yes');
      const subject = newSubject('to nobody');
      await receiver.sendMail({ from: `asker@${receiver.domain}`, to: at('gone'), subject });
      const bounce = await receiver.waitForMessage(
        (message) => message.recipient === `asker@${receiver.domain}`,
        120_000,
      );
      expect(bounce.envelopeFrom).toBe('');
      expect(bounce.body).toContain('User unknown');
      expect(receiver.readVerdicts(bounce)).toMatchObject({ dkim: 'pass', dmarc: 'pass' });

      const guessed = await fromOutside(
        `SRS0=AAAA=AA=receiver.test=asker@${world.lab.domain}`,
        newSubject('guessed'),
      );
      expect(guessed.stdout).toMatch(/<\*\* 550 5\.1\.1/);
    });
  });

  describe('a full mailbox', () => {
    it('is told to the world at RCPT (452), and mail of our own waits until there is room', async () => {
      const quinn = await addUser('quinn');
      const room = (bytes: string) =>
        shell(
          world,
          `sed -i -E 's/^(quinn@[^:]*:[^:]*):.*/\\1::::::${bytes}/' /etc/smtp-setup/users; sleep 1.1; doveadm quota get -u ${quinn.user}`,
        );
      const first = newSubject('fits');
      await receiver.sendMail({ from: `someone@${receiver.domain}`, to: quinn.user, subject: first });
      await reads(first, quinn);
      expect(await room('userdb_quota_storage_size=100')).toMatch(/STORAGE/);

      const refused = await fromOutside(quinn.user, newSubject('too much'));
      expect(refused.stdout).toMatch(/<\*\* 452 4\.2\.2 /);
      const others = newSubject('others');
      await receiver.sendMail({
        from: `someone@${receiver.domain}`,
        to: world.rehearsal.mailbox,
        subject: others,
      });
      await reads(others);

      const own = newSubject('waits');
      const sent = await world.mail.send({ to: quinn.user, subject: own });
      expect(sent.ok, sent.detail).toBe(true);
      await waitUntil(async () => (await shell(world, 'mailq')).includes('4.2.2') || undefined, {
        what: 'the message to wait in the queue',
        timeoutMs: 120_000,
        intervalMs: 500,
      });
      await room('');
      await shell(world, 'postqueue -f');
      await reads(own, quinn);
    });
  });

  describe('the sending limit of a login', () => {
    const status = async () => {
      const result = await world.cli(['status', '--json', ...config()]);
      return (
        JSON.parse(result.stdout) as {
          findings: { id: string; subject: string; status: string; message: string }[];
        }
      ).findings;
    };

    it("is the configuration's; what exceeds it gets a 4xx, and status names who it was", async () => {
      const { configFile } = world.rehearsal;
      const before = await readFile(configFile, 'utf8');
      const document = parseDocument(before);
      document.setIn(['servers', world.rehearsal.hostname, 'limits'], { perHour: 2 });
      document.setIn(['domains', world.lab.domain, 'limits'], { perDay: 3 });
      await writeFile(configFile, document.toString());
      const lena = await addUser('lena');
      await apply();
      const send = () =>
        world.mail.send({ ...lena, to: `sink@${receiver.domain}`, subject: newSubject('limit') });
      expect([(await send()).ok, (await send()).ok]).toEqual([true, true]);
      const third = await send();
      expect(third.ok).toBe(false);
      expect(third.detail).toMatch(/^451 4\.7\.1 .*[Ll]imit/);
      expect(await log(`sending limit of ${lena.user} reached`)).toBe(1);
      // Others go on, up to their own limit.
      const omar = await addUser('omar');
      expect(
        (await world.mail.send({ ...omar, to: `sink@${receiver.domain}`, subject: newSubject('other') })).ok,
      ).toBe(true);
      // Until all of them have sent what the domain may.
      const all = await world.mail.send({
        ...omar,
        to: `sink@${receiver.domain}`,
        subject: newSubject('all'),
      });
      expect(all.ok).toBe(false);
      expect(all.detail).toMatch(new RegExp(`^451 4\\.7\\.1 .*from all of ${world.lab.domain}`));
      const limited = (await status()).find(({ id }) => id === 'SRV-LIMIT');
      expect(limited?.status).toBe('warn');
      expect(limited?.message).toContain(lena.user);
      expect(limited?.message).toContain(` @${world.lab.domain}`);

      await writeFile(configFile, before);
      await apply();
      expect((await send()).ok).toBe(true);
    });

    it('counts nothing while Redis is down: mail flows, and what leaves is signed', async () => {
      await shell(world, 'systemctl stop smtp-setup-redis');
      try {
        const out = newSubject('uncounted');
        const sent = await world.mail.send({ to: `sink@${receiver.domain}`, subject: out });
        expect(sent.ok, sent.detail).toBe(true);
        expect(receiver.readVerdicts(await arrives(out))).toMatchObject({ dkim: 'pass', dmarc: 'pass' });
        const back = newSubject('in without redis');
        await receiver.sendMail({
          from: `someone@${receiver.domain}`,
          to: world.rehearsal.mailbox,
          subject: back,
        });
        await reads(back);
        expect(await log('the sending limit was not checked')).toBeGreaterThan(0);
        expect((await status()).find(({ subject }) => subject === 'smtp-setup-redis.service')).toMatchObject({
          status: 'fail',
        });
      } finally {
        await shell(world, 'systemctl start smtp-setup-redis');
      }
    });
  });

  describe('mail that leaves', () => {
    it('says nothing of where its writer sits', async () => {
      const subject = newSubject('private');
      expect((await world.mail.send({ to: `sink@${receiver.domain}`, subject })).ok).toBe(true);
      const { raw } = await arrives(subject);
      for (const address of [world.lab.addresses.client.ipv4, world.lab.addresses.client.ipv6 ?? 'none'])
        expect(raw).not.toContain(address);
      expect(raw).toMatch(new RegExp(`^Received: by ${world.rehearsal.hostname} \\(Postfix\\)`, 'm'));
    });

    it('goes only to the server whose key the receiver publishes (DANE)', async () => {
      const hash =
        'openssl x509 -in /lab/tls/server.pem -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum';
      const { stdout } = await receiver.labHost.exec(['sh', '-c', hash]);
      const digest = stdout.slice(0, 64);
      const publish = (key: string) =>
        world.lab.dns.setRecords(`_25._tcp.${receiver.host}`, 'TLSA', [`3 1 1 ${key}`], 1);
      // A change of the signed zone takes a moment, and both resolvers on the way may hold what was before it (or a signed
      // denial, RFC 8198): asked again until the answer is the new one.
      const until = (what: string, shows: () => Promise<boolean>) =>
        waitUntil(
          async () => {
            await world.lab.resolverHost.flush();
            await shell(world, `unbound-control -q flush_zone ${receiver.domain}; postqueue -f`);
            const to = `sink@${receiver.domain}`;
            // From the server itself: what logins may send is counted.
            const letter = `printf 'Subject: ${newSubject('dane')}\\n\\nx\\n'`;
            await shell(world, `${letter} | sendmail -f ${world.rehearsal.mailbox} ${to}`);
            return (await shows()) || undefined;
          },
          { what, timeoutMs: 120_000, intervalMs: 2000 },
        );
      const waiting = async () => /certificate not (verified|trusted)/.test(await shell(world, 'mailq'));

      await publish(digest);
      const verified = `Verified TLS connection established to ${receiver.host}`;
      await until('a connection whose key was verified', async () => (await log(verified)) > 0);
      await publish('0'.repeat(64));
      await until('a message to wait for the right key', waiting);
      await publish(digest);
      await until('all messages to leave', async () => !(await waiting()));
    });
  });

  it('leaves nothing to do', async () => {
    const plan = await world.cliWithFlags('plan', ['--exit-code']);
    expect(plan.code, said(plan)).toBe(0);
  });
}
