import { createPublicKey, type KeyObject } from 'node:crypto';
import { clip, parseTagList, tagValue } from './parse/tag-list.js';

export interface DkimKey {
  text: string;
  /** `rsa` unless said otherwise. */
  algorithm: string;
  /** Base64 as in `p=`, white space removed; empty means revoked. */
  publicKey: string;
  /** RSA modulus bits. */
  bits?: number;
  /** SPKI in base64, to compare with the private key's public half whatever the record's encoding. */
  spki?: string;
  revoked: boolean;
  /** `t=y`: receivers must treat the mail as unsigned. */
  testing: boolean;
  /** `t=s`: i= must equal d=. */
  strict: boolean;
  /** Accepted hash algorithms; undefined means all. */
  hashes?: readonly string[];
  /** Service types; `*` or `email` are needed for mail. */
  services: readonly string[];
  problems: readonly DkimProblem[];
  /** Receivers can verify with it. */
  usable: boolean;
}

export interface DkimProblem {
  kind: 'tags' | 'key' | 'ed25519' | 'encoding';
  message: string;
}

/** Prefix that turns 32 raw bytes into SubjectPublicKeyInfo (RFC 8410 section 4). */
const ed25519Prefix = Buffer.from('302a300506032b6570032100', 'hex');

/** Whether a TXT at a selector looks meant to be a key at all; `v=` may be left out (RFC 6376 3.6.1). */
export function looksLikeDkimKey(text: string): boolean {
  return /^\s*v\s*=\s*DKIM1\b/i.test(text) || /(?:^|;)\s*p\s*=/.test(text);
}

/** Reads a key record (RFC 6376 3.6.1, RFC 8463). Never throws; what is wrong is in `problems`. */
export function parseDkimKey(text: string): DkimKey {
  const list = parseTagList(text);
  const { tags } = list;
  const problems: DkimProblem[] = list.ok
    ? []
    : list.problems.map((message) => ({ kind: 'tags' as const, message }));
  const version = tagValue(tags, 'v');
  if (version !== undefined) {
    if (tags[0]?.name !== 'v') problems.push({ kind: 'tags', message: 'v= must be the first tag' });
    if (version !== 'DKIM1') problems.push({ kind: 'tags', message: `v=${clip(version)} is not DKIM1` });
  }
  const algorithm = (tagValue(tags, 'k') ?? 'rsa').toLowerCase();
  const flags = splitList(tagValue(tags, 't'));
  const hashes = tagValue(tags, 'h') === undefined ? undefined : splitList(tagValue(tags, 'h'));
  const services = tagValue(tags, 's') === undefined ? ['*'] : splitList(tagValue(tags, 's'));
  const rawKey = tagValue(tags, 'p');
  const publicKey = (rawKey ?? '').replace(/[ \t\r\n]/g, '');
  if (rawKey === undefined) problems.push({ kind: 'tags', message: 'p= is missing' });
  const revoked = rawKey !== undefined && publicKey === '';
  const key = publicKey === '' ? undefined : readKey(algorithm, publicKey, problems);
  const bits = key?.asymmetricKeyDetails?.modulusLength;
  const broken = problems.some((problem) => problem.kind !== 'encoding');
  return {
    text,
    algorithm,
    publicKey,
    ...(bits !== undefined && { bits }),
    ...(key && { spki: key.export({ type: 'spki', format: 'der' }).toString('base64') }),
    revoked,
    testing: flags.includes('y'),
    strict: flags.includes('s'),
    ...(hashes && { hashes }),
    services,
    problems,
    usable: key !== undefined && !broken && (services.includes('*') || services.includes('email')),
  };
}

function splitList(value: string | undefined): string[] {
  return (value ?? '')
    .toLowerCase()
    .split(':')
    .map((one) => one.trim())
    .filter((one) => one !== '');
}

function readKey(algorithm: string, base64: string, problems: DkimProblem[]): KeyObject | undefined {
  if (/["'\\]/.test(base64)) {
    problems.push({
      kind: 'tags',
      message: 'p= holds quotes or backslashes; they belong to the zone file, not to the value',
    });
    return undefined;
  }
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64) || base64.replace(/=+$/, '').length % 4 === 1) {
    problems.push({ kind: 'tags', message: 'p= is not valid base64' });
    return undefined;
  }
  const bytes = Buffer.from(base64, 'base64');
  if (algorithm === 'ed25519') return readEd25519(bytes, problems);
  if (algorithm !== 'rsa') {
    problems.push({ kind: 'tags', message: `k=${clip(algorithm)} is unknown; receivers ignore the key` });
    return undefined;
  }
  const spki = tryKey(bytes, 'spki');
  if (spki?.asymmetricKeyType === 'rsa') return spki;
  const pkcs1 = tryKey(bytes, 'pkcs1');
  if (pkcs1) {
    problems.push({
      kind: 'encoding',
      message: 'p= holds a bare RSAPublicKey; some receivers read only SubjectPublicKeyInfo',
    });
    return pkcs1;
  }
  problems.push({ kind: 'key', message: 'p= is not an RSA public key; it may be cut off' });
  return undefined;
}

function readEd25519(bytes: Buffer, problems: DkimProblem[]): KeyObject | undefined {
  if (bytes.length === 32) return tryKey(Buffer.concat([ed25519Prefix, bytes]), 'spki');
  const wrapped = bytes.length === 44 && bytes.subarray(0, 12).equals(ed25519Prefix);
  problems.push({
    kind: 'ed25519',
    message: wrapped
      ? 'the ed25519 key is wrapped as SubjectPublicKeyInfo; p= takes the 32 raw bytes (RFC 8463 section 4)'
      : `an ed25519 key has 32 bytes, this one ${bytes.length}`,
  });
  return undefined;
}

/** Undefined when the bytes are no such key: OpenSSL's exceptions are the only way to find out. */
function tryKey(der: Buffer, type: 'spki' | 'pkcs1'): KeyObject | undefined {
  try {
    return createPublicKey({ key: der, format: 'der', type });
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
}
