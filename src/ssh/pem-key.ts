import { createPrivateKey, type KeyObject } from 'node:crypto';
import { messageOf } from '../errors.js';

/**
 * A private key in any PEM form (PKCS#1, SEC 1, PKCS#8; openssl and cloud consoles write all of them), decrypted, in a form
 * that ssh2 reads: it knows neither PKCS#8 nor every cipher.
 */
export function convertPem(
  pem: string,
  encrypted: boolean,
  passphrase?: string,
): { text: string } | 'bad-passphrase' | Error {
  let key: KeyObject;
  try {
    key = createPrivateKey(passphrase === undefined ? pem : { key: pem, passphrase });
  } catch (error) {
    return encrypted ? 'bad-passphrase' : new Error(messageOf(error), { cause: error });
  }
  if (key.asymmetricKeyType === 'rsa')
    return { text: key.export({ type: 'pkcs1', format: 'pem' }).toString() };
  if (key.asymmetricKeyType === 'ec') return { text: key.export({ type: 'sec1', format: 'pem' }).toString() };
  if (key.asymmetricKeyType === 'ed25519') return { text: writeOpenSsh(key) };
  return new Error(`SSH has no keys of type ${key.asymmetricKeyType}`);
}

/** OpenSSH's own form (PROTOCOL.key), without a passphrase. */
function writeOpenSsh(key: KeyObject): string {
  const { d = '', x = '' } = key.export({ format: 'jwk' });
  const [seed, point] = [Buffer.from(d, 'base64url'), Buffer.from(x, 'base64url')];
  const type = Buffer.from('ssh-ed25519');
  // Two equal numbers show that decryption worked; nothing is encrypted here.
  const check = Buffer.alloc(8);
  const secret = [
    check,
    field(type),
    field(point),
    field(Buffer.concat([seed, point])),
    field(Buffer.alloc(0)),
  ];
  const length = secret.reduce((sum, part) => sum + part.length, 0);
  const padding = Buffer.from(Array.from({ length: (8 - (length % 8)) % 8 }, (_, index) => index + 1));
  const bytes = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    field(Buffer.from('none')),
    field(Buffer.from('none')),
    field(Buffer.alloc(0)),
    Buffer.from([0, 0, 0, 1]),
    field(Buffer.concat([field(type), field(point)])),
    field(Buffer.concat([...secret, padding])),
  ]);
  const lines = bytes.toString('base64').replace(/.{70}/g, '$&\n');
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines}\n-----END OPENSSH PRIVATE KEY-----\n`;
}

function field(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
