import { generateKeyPairSync, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { inspectKeyFile, loadPrivateKey, unusableType } from '../../../src/ssh/key-file.js';
import { makeKey } from '../../helpers/ssh-server.js';

const word = (text: string) => Buffer.concat([Buffer.from([0, 0, 0, text.length]), Buffer.from(text)]);
const publicLine = (type: string) =>
  `${type} ${Buffer.concat([word(type), word('x'.repeat(32))]).toString('base64')} me@lap\n`;

/** A new-format private key file of any type: only its public part can be read without the passphrase. */
function opensshFile(type: string, cipher = 'none'): string {
  const blob = Buffer.concat([word(type), word('x'.repeat(32))]);
  const length = Buffer.from([0, 0, 0, blob.length]);
  const body = [
    Buffer.from('openssh-key-v1\0'),
    word(cipher),
    word('none'),
    word(''),
    Buffer.from([0, 0, 0, 1]),
    length,
    blob,
  ];
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${Buffer.concat(body).toString('base64')}\n-----END OPENSSH PRIVATE KEY-----\n`;
}

describe('inspectKeyFile', () => {
  it('knows an OpenSSH key and its public half, encrypted or not', async () => {
    const plain = await makeKey('ed25519');
    const locked = await makeKey('rsa', 'open sesame');
    expect(inspectKeyFile(plain.privateText)).toEqual({
      kind: 'private',
      format: 'openssh',
      encrypted: false,
      keyType: 'ssh-ed25519',
      publicBlob: plain.blob,
    });
    expect(inspectKeyFile(locked.privateText)).toMatchObject({
      encrypted: true,
      keyType: 'ssh-rsa',
      publicBlob: locked.blob,
    });
    expect(inspectKeyFile(plain.publicText)).toEqual({
      kind: 'public',
      keyType: 'ssh-ed25519',
      publicBlob: plain.blob,
    });
  });

  it.each([
    ['a FIDO key', opensshFile('sk-ssh-ed25519@openssh.com'), 'FIDO'],
    ['a FIDO public key', publicLine('sk-ecdsa-sha2-nistp256@openssh.com'), 'FIDO'],
    ['a certificate', publicLine('ssh-ed25519-cert-v01@openssh.com'), 'certificate'],
    ['PPK version 3', 'PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n', 'version 3'],
    ['a DSA key', '-----BEGIN DSA PRIVATE KEY-----\nMIIB\n-----END DSA PRIVATE KEY-----\n', 'DSA'],
    [
      'a cut OpenSSH key',
      '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaA==\n-----END OPENSSH PRIVATE KEY-----',
      'damaged',
    ],
    ['a truncated OpenSSH key', opensshFile('ssh-ed25519').slice(0, 80), 'damaged'],
    ['a certificate authority file of another world', '-----BEGIN CERTIFICATE-----\nMIIB\n', 'unknown'],
    ['a text', 'hello world', 'unknown'],
    ['nothing', '', 'unknown'],
  ])('says why %s cannot be used', (_title, text, reason) => {
    const seen = inspectKeyFile(text);
    expect(seen).toMatchObject({ kind: 'unusable', reason: expect.stringContaining(reason) });
    if (seen.kind === 'unusable') expect(seen.fix).not.toBe('');
  });

  it('lets ordinary types pass', () => {
    expect(unusableType('ssh-ed25519')).toBeUndefined();
    expect(unusableType('ecdsa-sha2-nistp256')).toBeUndefined();
  });
});

describe('loadPrivateKey', () => {
  it('opens an encrypted key with its passphrase only', async () => {
    const key = await makeKey('ed25519', 'open sesame');
    expect(loadPrivateKey(key.privateText)).toBe('bad-passphrase');
    expect(loadPrivateKey(key.privateText, '')).toBe('bad-passphrase');
    expect(loadPrivateKey(key.privateText, 'wrong')).toBe('bad-passphrase');
    expect(loadPrivateKey(key.privateText, 'open sesame')).toMatchObject({ type: 'ssh-ed25519' });
  });

  it.each([
    ['rsa', 'pkcs1', undefined],
    ['rsa', 'pkcs1', 'locked'],
    ['rsa', 'pkcs8', undefined],
    ['rsa', 'pkcs8', 'locked'],
    ['ec', 'sec1', undefined],
    ['ec', 'pkcs8', 'locked'],
  ] as const)('opens an %s key in %s form, passphrase %s', (type, form, passphrase) => {
    const { privateKey } =
      type === 'rsa'
        ? generateKeyPairSync('rsa', { modulusLength: 2048 })
        : generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    const lock = passphrase === undefined ? {} : { cipher: 'aes-128-cbc', passphrase };
    const pem = privateKey.export({ type: form as 'pkcs8', format: 'pem', ...lock }).toString();
    expect(inspectKeyFile(pem)).toMatchObject({ kind: 'private', encrypted: passphrase !== undefined });
    expect(loadPrivateKey(pem, passphrase)).toMatchObject({
      type: type === 'rsa' ? 'ssh-rsa' : 'ecdsa-sha2-nistp256',
    });
    if (passphrase !== undefined) expect(loadPrivateKey(pem, 'wrong')).toBe('bad-passphrase');
  });

  it.each([undefined, 'locked'])('opens a PKCS#8 key of type ed25519, passphrase %s', (passphrase) => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const lock = passphrase === undefined ? {} : { cipher: 'aes-256-cbc', passphrase };
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem', ...lock }).toString();
    const key = loadPrivateKey(pem, passphrase);
    if (typeof key === 'string' || key instanceof Error) throw new Error(String(key));
    expect(key.type).toBe('ssh-ed25519');
    const signature = key.sign('what the server wants signed') as Buffer;
    expect(verify(null, Buffer.from('what the server wants signed'), publicKey, signature)).toBe(true);
    if (passphrase !== undefined) expect(loadPrivateKey(pem, 'wrong')).toBe('bad-passphrase');
  });

  it.each([undefined, 'locked'])('opens an EC key behind its parameters, passphrase %s', (passphrase) => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    const lock = passphrase === undefined ? {} : { cipher: 'aes-256-cbc', passphrase };
    const key = privateKey.export({ type: 'sec1', format: 'pem', ...lock }).toString();
    const pem = `-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n${key}`;
    expect(loadPrivateKey(pem, passphrase)).toMatchObject({ type: 'ecdsa-sha2-nistp256' });
  });

  it('does not blame the passphrase for what no passphrase opens', () => {
    const lock = { cipher: 'aes-256-cbc', passphrase: 'locked' };
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
    const curve = privateKey.export({ type: 'pkcs8', format: 'pem', ...lock }).toString();
    expect(loadPrivateKey(curve, 'locked')).toBeInstanceOf(Error);
    const ed448 = generateKeyPairSync('ed448').privateKey.export({ type: 'pkcs8', format: 'pem', ...lock });
    expect(loadPrivateKey(ed448.toString(), 'locked')).toMatchObject({
      message: 'SSH has no keys of type ed448',
    });
    const chacha = opensshFile('ssh-ed25519', 'chacha20-poly1305@openssh.com');
    expect(inspectKeyFile(chacha)).toMatchObject({
      kind: 'private',
      locked: {
        reason: expect.stringContaining('chacha20-poly1305@openssh.com'),
        fix: expect.stringContaining('ssh-keygen -p -Z aes256-ctr'),
      },
    });
    expect(loadPrivateKey(chacha, 'right or wrong')).toBeInstanceOf(Error);
    for (const cipher of ['aes256-ctr', 'aes256-gcm@openssh.com'])
      expect(inspectKeyFile(opensshFile('ssh-ed25519', cipher))).not.toHaveProperty('locked');
  });

  it('refuses a public key', async () => {
    expect(loadPrivateKey((await makeKey('ed25519')).publicText)).toMatchObject({
      message: 'not a private key',
    });
  });
});
