import type { ParsedKey } from 'ssh2';
import ssh2 from 'ssh2';
import { readKeyType } from './known-hosts.js';
import { convertPem } from './pem-key.js';

/** What a key file turned out to be, found without its passphrase. */
export type KeyFile =
  | {
      kind: 'private';
      encrypted: boolean;
      format: KeyFormat;
      keyType?: string;
      publicBlob?: Buffer;
      /** Only the agent can use it; as `unusable` has it. */
      locked?: { reason: string; fix: string };
    }
  | { kind: 'public'; keyType: string; publicBlob: Buffer }
  /** Something ssh2 cannot use; `reason` is a clause for the user, `fix` what to do instead. */
  | { kind: 'unusable'; reason: string; fix: string };

type KeyFormat = 'openssh' | 'pem' | 'ppk';

const MAGIC = 'openssh-key-v1\0';

/** What OpenSSH encrypts keys with and ssh2 decrypts; its chacha20-poly1305 is for connections alone. */
const KEY_CIPHERS = /^(none|3des-cbc|aes(128|192|256)-(cbc|ctr)|aes(128|256)-gcm@openssh\.com)$/;

/** `openssl ecparam -genkey` writes the curve's parameters before the key, which names its curve itself. */
const EC_PARAMETERS = /^-----BEGIN EC PARAMETERS-----[\s\S]*?-----END EC PARAMETERS-----\s*/;

/** Tells what a key file holds. Pure; `text` is untrusted. */
export function inspectKeyFile(text: string): KeyFile {
  const trimmed = text.trim().replace(EC_PARAMETERS, '');
  const header = /^-----BEGIN ([A-Z0-9 ]+)-----/.exec(trimmed)?.[1];
  if (header === 'OPENSSH PRIVATE KEY') return inspectOpenSsh(trimmed);
  if (header === 'RSA PRIVATE KEY' || header === 'EC PRIVATE KEY') {
    return { kind: 'private', format: 'pem', encrypted: /^Proc-Type: *4,ENCRYPTED/m.test(trimmed) };
  }
  if (header === 'PRIVATE KEY' || header === 'ENCRYPTED PRIVATE KEY') {
    return { kind: 'private', format: 'pem', encrypted: header.startsWith('ENCRYPTED') };
  }
  if (header === 'DSA PRIVATE KEY') {
    return unusable(
      'it is a DSA key, which servers no longer accept',
      'Make a new one: ssh-keygen -t ed25519',
    );
  }
  if (/^PuTTY-User-Key-File-[3-9]/.test(trimmed)) {
    return unusable(
      'it is a PuTTY key of format version 3, which this client cannot read',
      'Convert it: puttygen KEY.ppk -O private-openssh -o KEY',
    );
  }
  if (trimmed.startsWith('PuTTY-User-Key-File-2')) {
    return { kind: 'private', format: 'ppk', encrypted: !/^Encryption: *none/m.test(trimmed) };
  }
  return inspectPublic(trimmed);
}

function inspectPublic(text: string): KeyFile {
  const [type, encoded] = text.split(/\s+/);
  const blob = Buffer.from(encoded ?? '', 'base64');
  const keyType = readKeyType(blob);
  if (keyType === undefined || keyType !== type) {
    return unusable(
      'its format is unknown',
      'Make a key with ssh-keygen -t ed25519, or convert this one to OpenSSH form.',
    );
  }
  return unusableType(keyType) ?? { kind: 'public', keyType, publicBlob: blob };
}

function inspectOpenSsh(text: string): KeyFile {
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----([\s\S]*?)-----END OPENSSH PRIVATE KEY-----/.exec(
    text,
  )?.[1];
  const bytes = Buffer.from(body ?? '', 'base64');
  const damaged = unusable(
    'it is damaged',
    'Restore it from a backup, or make a new one: ssh-keygen -t ed25519',
  );
  if (bytes.toString('latin1', 0, MAGIC.length) !== MAGIC) return damaged;
  let at = MAGIC.length;
  const next = (): Buffer | undefined => {
    if (at + 4 > bytes.length) return undefined;
    const end = at + 4 + bytes.readUInt32BE(at);
    if (end > bytes.length) return undefined;
    const part = bytes.subarray(at + 4, end);
    at = end;
    return part;
  };
  const cipher = next()?.toString('latin1');
  next();
  next();
  at += 4;
  const publicBlob = next();
  const keyType = publicBlob && readKeyType(publicBlob);
  if (!cipher || !publicBlob || !keyType) return damaged;
  return (
    unusableType(keyType) ?? {
      kind: 'private',
      format: 'openssh',
      encrypted: cipher !== 'none',
      keyType,
      publicBlob: Buffer.from(publicBlob),
      ...(KEY_CIPHERS.test(cipher) ? {} : { locked: describeLocked(cipher) }),
    }
  );
}

/** Key types that ssh2 cannot sign with. */
export function unusableType(keyType: string): Extract<KeyFile, { kind: 'unusable' }> | undefined {
  if (keyType.includes('-cert-v0')) {
    return unusable(
      'it is a certificate, which this client cannot present',
      "Add a plain public key to the server's authorized_keys and use that key.",
    );
  }
  if (keyType.startsWith('sk-')) {
    return unusable(
      'it lives on a FIDO security key, which this client cannot use',
      'Use an ordinary key for this: ssh-keygen -t ed25519, then ssh-copy-id -i.',
    );
  }
  return undefined;
}

function unusable(reason: string, fix: string): Extract<KeyFile, { kind: 'unusable' }> {
  return { kind: 'unusable', reason, fix };
}

function describeLocked(cipher: string): { reason: string; fix: string } {
  const name = /^[a-z0-9@.-]{1,40}$/.test(cipher) ? cipher : 'something';
  return {
    reason: `it is encrypted with ${name}, which this client cannot decrypt`,
    fix: 'Encrypt it with another cipher (ssh-keygen -p -Z aes256-ctr -f KEY), or load it into the agent: ssh-add KEY',
  };
}

/** The private key ready to sign, or why not. `bad-passphrase` also stands for a missing one. */
export function loadPrivateKey(text: string, passphrase?: string): ParsedKey | 'bad-passphrase' | Error {
  const file = inspectKeyFile(text);
  if (file.kind !== 'private') return new Error('not a private key');
  if (file.locked !== undefined) return new Error(file.locked.reason);
  if (file.encrypted && !passphrase) return 'bad-passphrase';
  if (file.format === 'pem') {
    const converted = convertPem(text.trim().replace(EC_PARAMETERS, ''), file.encrypted, passphrase);
    return typeof converted === 'object' && 'text' in converted ? parse(converted.text) : converted;
  }
  const key = parse(text, passphrase);
  return key instanceof Error && file.encrypted ? 'bad-passphrase' : key;
}

function parse(text: string, passphrase?: string): ParsedKey | Error {
  const parsed: unknown = ssh2.utils.parseKey(text, passphrase);
  const key = Array.isArray(parsed) ? parsed[0] : parsed;
  if (key instanceof Error) return key;
  return isPrivate(key) ? key : new Error('not a private key');
}

function isPrivate(key: unknown): key is ParsedKey {
  return (
    typeof key === 'object' && key !== null && 'isPrivateKey' in key && (key as ParsedKey).isPrivateKey()
  );
}
