import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { lockPathFor } from '../../src/config/lock-file.js';
import { headerOf, type Receiver } from '../../src/sandbox/receiver/index.js';
import { shell, type World } from '../helpers/world.js';

export interface ColdStory {
  world(): World;
  receiver(): Receiver;
}

/** What must hold after `init`, whatever the release and however the server came to be. */
export function tellColdStory(story: ColdStory): void {
  const { world, receiver } = story;
  const address = (local: string) => `${local}@${world().lab.domain}`;
  const stranger = () => `stranger@${receiver().domain}`;
  const toVps = (to: string, swaks: readonly string[], subject = 'A letter') =>
    receiver().sendDirectly(world().lab.vps.ipv4, { from: stranger(), to, subject }, swaks);

  it.each([465, 587] as const)('sends mail on port %i that the world accepts', async (port) => {
    const subject = `Sent on ${port} ${Date.now()}`;
    const sent = await world().mail.send({ to: `echo@${receiver().domain}`, subject, port });
    expect(sent, sent.detail).toMatchObject({ ok: true, trusted: true });
    const message = await receiver().waitForMessage(({ raw }) => raw.includes(subject), 180_000);
    const verdicts = receiver().readVerdicts(message);
    expect(verdicts, message.raw).toMatchObject({
      spf: 'pass',
      dkim: 'pass',
      dmarc: 'pass',
      iprev: 'pass',
      quarantined: false,
    });
    expect(verdicts.tls).toMatch(/^TLSv1\.[23]$/);
    expect(verdicts.signatures.every(({ domain }) => domain === world().lab.domain)).toBe(true);
    expect(await receiver().verifyIndependently(message)).toMatchObject({
      opendkim: true,
      dkimpy: true,
      spf: 'pass',
    });
    // Where the sender sits is nobody's business.
    expect(message.raw).not.toContain(world().lab.client.ipv4);
    const answer = await world().mail.read({ subject, timeoutMs: 180_000 });
    expect(answer, answer.detail).toMatchObject({ ok: true, trusted: true });
  });

  it('has nothing left to do, and does nothing when told to do it', async () => {
    const { control } = world().rehearsal.cloudflare;
    const before = await snapshot(world());
    await control.clearCalls();
    const plan = await world().cliWithFlags('plan', ['--exit-code', '--json']);
    expect(plan.code, plan.stdout + plan.stderr).toBe(0);
    for (let round = 0; round < 2; round += 1) {
      const apply = await world().cliWithFlags('apply', ['--yes', '--json']);
      expect(apply.code, apply.stdout + apply.stderr).toBe(0);
      expect(JSON.parse(apply.stdout)).toMatchObject({ changed: false });
    }
    expect(await control.writeCount()).toBe(0);
    expect(await snapshot(world())).toEqual(before);
  });

  it('refuses unknown recipients when they are named', async () => {
    const said = await toVps(address('nobody'), ['--quit-after', 'RCPT']);
    expect(said.stdout).toMatch(/<\*\* +550 5\.1\.1/);
  });

  it('relays for nobody', async () => {
    const said = await toVps('someone@elsewhere.test', ['--quit-after', 'RCPT']);
    expect(said.stdout).toMatch(/<\*\* +[45]5\d/);
    expect(said.stdout).not.toMatch(/<- +250 2\.1\.5/);
  });

  it('offers no login on port 25, in the clear or under TLS', async () => {
    const program = [
      'import smtplib, ssl, sys',
      's = smtplib.SMTP(sys.argv[1], 25, "probe.receiver.test", 60)',
      's.ehlo(); print("clear", *s.esmtp_features)',
      's.starttls(context=ssl._create_unverified_context())',
      's.ehlo(); print("tls", *s.esmtp_features)',
      's.quit()',
    ].join('\n');
    const said = await receiver().labHost.exec(['python3', '-c', program, world().lab.vps.ipv4]);
    expect(said.code, said.stderr).toBe(0);
    expect(said.stdout).toMatch(/^clear .*starttls[\s\S]*\ntls .*size/m);
    expect(said.stdout).not.toMatch(/auth/i);
  });

  it.each(['postmaster', 'abuse'])('delivers mail for %s', async (role) => {
    const subject = `For ${role} ${Date.now()}`;
    await receiver().sendMail({ from: stranger(), to: address(role), subject });
    const arrived = await world().mail.read({ subject, timeoutMs: 240_000 });
    expect(arrived.ok, arrived.detail).toBe(true);
  });

  it.each([465, 587] as const)('refuses a forged sender on port %i', async (port) => {
    const to = `sink@${receiver().domain}`;
    const envelope = await world().mail.send({ to, port, subject: 'forged', from: address('eve') });
    expect(envelope).toMatchObject({ ok: false });
    expect(envelope.detail).toMatch(/^5\d\d /);
    const foreign = await world().mail.send({ to, port, subject: 'forged', from: 'ceo@elsewhere.test' });
    expect(foreign).toMatchObject({ ok: false });
    expect(foreign.detail).toMatch(/^5\d\d /);
  });

  it('keeps mail waiting when it cannot be signed', async () => {
    const { domain } = world().lab;
    const place = '/var/lib/rspamd/dkim';
    const subject = `Never unsigned ${Date.now()}`;
    await shell(world(), `mkdir /root/keys && mv ${place}/${domain}.* /root/keys/`);
    try {
      const sent = await world().mail.send({ to: `sink@${receiver().domain}`, subject });
      expect(sent.ok).toBe(false);
      expect(sent.detail).toMatch(/^4\d\d /);
    } finally {
      await shell(world(), `mv /root/keys/${domain}.* ${place}/ && rmdir /root/keys`);
    }
    const after = `Signed again ${Date.now()}`;
    const again = await world().mail.send({ to: `sink@${receiver().domain}`, subject: after });
    expect(again.ok, again.detail).toBe(true);
    await receiver().waitForMessage(({ raw }) => raw.includes(after), 180_000);
    expect((await receiver().messages()).filter(({ raw }) => raw.includes(subject))).toEqual([]);
  });

  it('keeps mail waiting while the filter is down', async () => {
    await shell(world(), 'systemctl stop rspamd');
    try {
      const sent = await world().mail.send({ to: `sink@${receiver().domain}`, subject: 'no filter' });
      expect(sent.ok).toBe(false);
      expect(sent.detail).toMatch(/^4\d\d /);
      const said = await toVps(address('ada'), []);
      expect(said.stdout).toMatch(/<\*\* +4\d\d/);
    } finally {
      await shell(world(), 'systemctl start rspamd');
    }
  });

  it('signs every message that left', async () => {
    const messages = await receiver().messages();
    const ours = messages.filter(({ envelopeFrom }) => envelopeFrom.endsWith(`@${world().lab.domain}`));
    expect(ours.length).toBeGreaterThan(0);
    for (const message of ours) expect(headerOf(message, 'dkim-signature'), message.raw).toBeDefined();
  });

  it('writes files to be committed, without a secret in them', async () => {
    const { configFile, password, env } = world().rehearsal;
    for (const path of [configFile, lockPathFor(configFile)]) {
      const text = await readFile(path, 'utf8');
      expect(text).toContain(world().lab.domain);
      for (const secret of [password, env.CLOUDFLARE_API_TOKEN ?? '']) expect(text).not.toContain(secret);
      expect(text).not.toMatch(/PRIVATE KEY|argon2/i);
    }
  });
}

/** Everything that a needless write, start or reload would change. */
async function snapshot(world: World): Promise<string[]> {
  const units = 'postfix@- postfix dovecot rspamd nginx unbound redis-server';
  const show = `systemctl show -p Id,InvocationID,StateChangeTimestampMonotonic ${units}`;
  const files =
    "find /etc /var/lib/smtp-setup /var/lib/rspamd/dkim /etc/letsencrypt -printf '%p %T@ %C@\\n' | sort";
  const reloads = "journalctl --sync; journalctl -q -o cat | grep -ciE 'reload|refreshing' || true";
  const generation = 'cat /var/lib/smtp-setup/manifest.json';
  const outputs: string[] = [];
  for (const command of [show, files, reloads, generation]) outputs.push(await shell(world, command));
  return outputs.flatMap((text) => text.split('\n'));
}
