import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLab, type Lab } from '../../src/sandbox/index.js';
import { headerOf, type Receiver, startReceiver } from '../../src/sandbox/receiver/index.js';

const name = `receiver-${process.pid}`;

describe('a receiving mail server in the lab', () => {
  let lab: Lab;
  let receiver: Receiver;
  /** The other side: the same server with another domain stands in for the VPS. */
  let sender: Receiver;

  beforeAll(async () => {
    lab = await createLab({ name });
    receiver = await startReceiver(lab);
    sender = await startReceiver(lab, { domain: 'sender.test', hostName: 'sender', last: 82 });
  });
  afterAll(() => lab?.down());

  const carries = (messageId: string) => (message: { raw: string }) =>
    message.raw.includes(`Message-ID: ${messageId}`);

  it('finds everything in order with mail that is, and other verifiers agree', async () => {
    const id = await sender.sendMail({
      from: 'alice@sender.test',
      to: 'bob@receiver.test',
      subject: 'Grüße',
    });
    const message = await receiver.waitForMessage(carries(id));
    expect(message).toMatchObject({ envelopeFrom: 'alice@sender.test', recipient: 'bob@receiver.test' });
    expect(receiver.readVerdicts(message)).toEqual({
      spf: 'pass',
      dkim: 'pass',
      signatures: [{ result: 'pass', domain: 'sender.test', selector: 'lab1' }],
      dmarc: 'pass',
      iprev: 'pass',
      tls: expect.stringMatching(/^TLSv1\.[23]$/),
      quarantined: false,
    });
    const independent = await receiver.verifyIndependently(message);
    expect(independent, independent.detail.join('\n')).toMatchObject({
      opendkim: true,
      dkimpy: true,
      spf: 'pass',
    });
    const tampered = { ...message, raw: message.raw.replace('Hello', 'Hallo') };
    expect(await receiver.verifyIndependently(tampered)).toMatchObject({ opendkim: false, dkimpy: false });
  });

  it('answers mail to echo, signed and aligned, and stays silent to automatic mail', async () => {
    const silent = await sender.sendMail({
      from: 'robot@sender.test',
      to: 'echo@receiver.test',
      headers: { 'Auto-Submitted': 'auto-generated' },
    });
    const id = await sender.sendMail({
      from: 'carol@sender.test',
      to: 'echo@receiver.test',
      subject: 'Are you there?',
    });
    const reply = await sender.waitForMessage((message) => headerOf(message, 'in-reply-to') === id);
    expect(reply).toMatchObject({ envelopeFrom: 'echo@receiver.test', recipient: 'carol@sender.test' });
    expect(headerOf(reply, 'subject')).toBe('Re: Are you there?');
    expect(sender.readVerdicts(reply)).toMatchObject({
      spf: 'pass',
      dkim: 'pass',
      dmarc: 'pass',
      iprev: 'pass',
    });
    await receiver.waitForMessage(carries(silent));
    expect((await sender.messages()).filter(({ recipient }) => recipient === 'robot@sender.test')).toEqual(
      [],
    );
  });

  it('rejects mail that fails the policy of the domain it claims to be from', async () => {
    const spoofed = await sender.sendDirectly(receiver.host, {
      from: 'ceo@receiver.test',
      envelopeFrom: 'mallory@nowhere.test',
      to: 'bob@receiver.test',
    });
    expect(spoofed.code).not.toBe(0);
    expect(spoofed.stdout).toMatch(/<\*\* 55\d 5\.7\.1 .*DMARC/);
  });

  it('delivers as junk when the policy is quarantine, and plainly when it is none', async () => {
    await lab.dns.addZone('lax.test', { records: ['_dmarc.lax.test. 60 TXT "v=DMARC1; p=quarantine"'] });
    await lab.dns.addZone('open.test', { records: ['_dmarc.open.test. 60 TXT "v=DMARC1; p=none"'] });
    // The resolver may hold a signed denial that covers these names (RFC 8198).
    await lab.resolverHost.flush();
    for (const domain of ['lax.test', 'open.test']) {
      const sent = await sender.sendDirectly(receiver.host, { from: `x@${domain}`, to: 'bob@receiver.test' });
      expect(sent.code, sent.stdout).toBe(0);
      const message = await receiver.waitForMessage(({ envelopeFrom }) => envelopeFrom === `x@${domain}`);
      expect(receiver.readVerdicts(message)).toMatchObject({
        spf: 'none',
        dkim: 'none',
        dmarc: 'fail',
        quarantined: domain === 'lax.test',
      });
    }
  });

  it('sees a missing reverse name, a wrong sender, a clear connection, and no forged results', async () => {
    await lab.dns.setPtr(sender.labHost.ipv4, undefined);
    await lab.dns.addZone('strict.test', {
      records: ['strict.test. 60 TXT "v=spf1 -all"', '_dmarc.strict.test. 60 TXT "v=DMARC1; p=none"'],
    });
    await lab.resolverHost.flush();
    const mail = {
      from: 'x@strict.test',
      to: 'dave@receiver.test',
      headers: { 'Authentication-Results': 'mx.receiver.test; spf=pass; dkim=pass; dmarc=pass; iprev=pass' },
    };
    const sent = await sender.sendDirectly(receiver.labHost.ipv4, mail);
    expect(sent.code, sent.stdout).toBe(0);
    const message = await receiver.waitForMessage(({ recipient }) => recipient === 'dave@receiver.test');
    const verdicts = receiver.readVerdicts(message);
    expect(verdicts).toMatchObject({ spf: 'fail', dkim: 'none', dmarc: 'fail', iprev: 'fail' });
    expect(verdicts.tls).toBeUndefined();
    expect(message.headers.filter((header) => header.name === 'authentication-results')).toHaveLength(1);
    expect((await receiver.verifyIndependently(message)).spf).toBe('fail');
    await lab.dns.setPtr(sender.labHost.ipv4, sender.host);
  });

  it('has mailboxes that behave badly on purpose, and relays for nobody', async () => {
    const answer = async (to: string): Promise<string> =>
      (await sender.sendDirectly(receiver.host, { from: 'alice@sender.test', to })).stdout;
    expect(await answer('full@receiver.test')).toMatch(/<\*\* 452 4\.2\.2/);
    expect(await answer('nobody@receiver.test')).toMatch(/<\*\* 550 5\.1\.1/);
    expect(await answer('someone@elsewhere.test')).toMatch(/<\*\* 554 5\.7\.1 .*Relay access denied/);
  });

  it('shows a certificate of the lab that fits its name', async () => {
    const verify = ['-CAfile', '/lab/tls/ca.pem', '-verify_return_error', '-verify_hostname'];
    const connect = [
      'openssl',
      's_client',
      '-starttls',
      'smtp',
      '-connect',
      `${receiver.host}:25`,
      ...verify,
    ];
    const good = await sender.labHost.exec([...connect, receiver.host], { input: 'QUIT\n' });
    expect(good.code, good.stderr).toBe(0);
    const other = await sender.labHost.exec([...connect, 'mx.elsewhere.test'], { input: 'QUIT\n' });
    expect(other.code).not.toBe(0);
  });
});
