import { generateKeyPairSync } from 'node:crypto';
import { createTransport } from 'nodemailer';
import { expect, test } from 'vitest';
import { verifyDkim } from '../../../src/mail/dkim-verify.js';

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const record = `v=DKIM1; k=rsa; p=${publicKey.export({ format: 'der', type: 'spki' }).toString('base64')}`;
const lookup = async (name: string) => (name === 's1._domainkey.example.org' ? record : undefined);

/** Signed by nodemailer's own signer, so that signer and verifier share no code. */
async function signedMessage(): Promise<string> {
  const transport = createTransport({
    streamTransport: true,
    buffer: true,
    newline: 'windows',
    dkim: {
      domainName: 'example.org',
      keySelector: 's1',
      privateKey: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    },
  });
  const sent = await transport.sendMail({
    from: 'anna@example.org',
    to: 'bob@example.net',
    subject: 'A long subject  with two spaces that has to be folded somewhere near the seventy-eighth column',
    text: 'Hello  \n\ttrailing white space \n\n\n',
  });
  return String(sent.message);
}

test('a signed message verifies', async () => {
  expect(await verifyDkim(await signedMessage(), lookup)).toEqual([
    { result: 'pass', domain: 'example.org', selector: 's1', detail: 'the signature verifies' },
  ]);
});

test('a changed body, a changed signed header and another key are told apart from a pass', async () => {
  const message = await signedMessage();
  const [body] = await verifyDkim(`${message}more\r\n`, lookup);
  expect(body).toMatchObject({ result: 'fail', detail: 'the body hash differs' });
  const [header] = await verifyDkim(message.replace('bob@', 'eve@'), lookup);
  expect(header).toMatchObject({ result: 'fail', detail: 'the signature does not verify' });
  const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey;
  const otherRecord = `v=DKIM1; p=${other.export({ format: 'der', type: 'spki' }).toString('base64')}`;
  expect(await verifyDkim(message, async () => otherRecord)).toMatchObject([{ result: 'fail' }]);
});

test('an absent key, a revoked key and a DNS failure are three different answers', async () => {
  const message = await signedMessage();
  expect(await verifyDkim(message, async () => undefined)).toMatchObject([{ result: 'permerror' }]);
  expect(await verifyDkim(message, async () => 'v=DKIM1; p=')).toMatchObject([{ result: 'permerror' }]);
  const failing = async () => Promise.reject(new Error('SERVFAIL'));
  expect(await verifyDkim(message, failing)).toMatchObject([{ result: 'temperror', detail: 'SERVFAIL' }]);
});

test('a message without a signature, and one with a broken signature, never pass', async () => {
  expect(await verifyDkim('From: a@example.org\r\n\r\nhi\r\n', lookup)).toMatchObject([{ result: 'none' }]);
  const broken =
    'DKIM-Signature: v=1; a=rsa-sha256; d=example.org; d=example.net\r\nFrom: a@example.org\r\n\r\nhi\r\n';
  expect(await verifyDkim(broken, lookup)).toMatchObject([{ result: 'permerror' }]);
});
