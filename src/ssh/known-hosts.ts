import { createHash, createHmac } from 'node:crypto';
import { matchesPatternList } from './patterns.js';

/** One line of a known_hosts file (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT). */
export interface KnownHost {
  marker?: 'revoked' | 'cert-authority';
  /** Plain patterns, or one hashed name. */
  names: { patterns: readonly string[] } | { salt: Buffer; hash: Buffer };
  keyType: string;
  key: Buffer;
  file: string;
  line: number;
}

export interface ParsedKnownHosts {
  entries: KnownHost[];
  /** One sentence for each line that could not be read; the rest still counts. */
  warnings: string[];
}

/** `SHA256:…` as ssh-keygen -l prints it: base64 without padding of the key blob's hash. */
export function readFingerprint(key: Uint8Array): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** The type name that every SSH public key blob begins with (RFC 4253 6.6). */
export function readKeyType(key: Uint8Array): string | undefined {
  const bytes = Buffer.from(key);
  if (bytes.length < 4) return undefined;
  const length = bytes.readUInt32BE(0);
  if (length === 0 || length > 64 || bytes.length <= 4 + length) return undefined;
  const type = bytes.toString('latin1', 4, 4 + length);
  return /^[a-zA-Z0-9@.-]+$/.test(type) ? type : undefined;
}

/** Parses one known_hosts file. Pure. A corrupt line is skipped with a warning. */
export function parseKnownHosts(text: string, file: string): ParsedKnownHosts {
  const entries: KnownHost[] = [];
  const warnings: string[] = [];
  for (const [index, raw] of text.split('\n').entries()) {
    const content = raw.trim();
    if (content === '' || content.startsWith('#')) continue;
    const entry = parseLine(content, file, index + 1);
    if (entry) entries.push(entry);
    else warnings.push(`${file}:${index + 1} is not a valid known_hosts line; it was skipped.`);
  }
  return { entries, warnings };
}

function parseLine(content: string, file: string, line: number): KnownHost | undefined {
  const words = content.split(/[ \t]+/);
  let marker: KnownHost['marker'];
  if (words[0]?.startsWith('@')) {
    const word = words.shift();
    if (word === '@revoked') marker = 'revoked';
    else if (word === '@cert-authority') marker = 'cert-authority';
    else return undefined;
  }
  const [hosts, keyType, encoded] = words;
  if (!hosts || !keyType || !encoded || !/^[A-Za-z0-9+/]+=*$/.test(encoded)) return undefined;
  const key = Buffer.from(encoded, 'base64');
  if (readKeyType(key) !== keyType) return undefined;
  const names = parseNames(hosts);
  if (!names) return undefined;
  return { ...(marker ? { marker } : {}), names, keyType, key, file, line };
}

function parseNames(hosts: string): KnownHost['names'] | undefined {
  if (!hosts.startsWith('|')) return { patterns: hosts.split(',').filter((pattern) => pattern !== '') };
  const [, version, salt, hash] = hosts.split('|');
  if (version !== '1' || !salt || !hash) return undefined;
  const decoded = { salt: Buffer.from(salt, 'base64'), hash: Buffer.from(hash, 'base64') };
  return decoded.salt.length === 20 && decoded.hash.length === 20 ? decoded : undefined;
}

/** HMAC-SHA1 of a host name as HashKnownHosts stores it. */
export function hashHostName(name: string, salt: Uint8Array): Buffer {
  return createHmac('sha1', salt).update(name).digest();
}

/** The name under which a host is filed: the alias as it is, else `host` or `[host]:port`. */
export function knownHostsName(host: string, port: number, hostKeyAlias?: string): string {
  if (hostKeyAlias) return hostKeyAlias.toLowerCase();
  return port === 22 ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`;
}

export function entryMatches(entry: KnownHost, name: string): boolean {
  if ('patterns' in entry.names) return matchesPatternList(entry.names.patterns, name);
  return hashHostName(name, entry.names.salt).equals(entry.names.hash);
}

export type HostKeyLookup =
  | { status: 'known'; entry: KnownHost }
  | { status: 'unknown' }
  | { status: 'revoked'; entry: KnownHost }
  /** The host is filed with other keys: an attack, a new server, or a removed key type. */
  | { status: 'changed'; entries: KnownHost[] }
  /** Only @cert-authority lines match; this client cannot ask for certificates. */
  | { status: 'authority'; entry: KnownHost };

/**
 * Judges a presented key. `names` are all names the host may be filed under: the first one decides; a further
 * one (the name without its port) counts only when it has this very key, as OpenSSH does it.
 */
export function lookupHostKey(
  entries: readonly KnownHost[],
  names: readonly string[],
  key: Uint8Array,
): HostKeyLookup {
  const same = (entry: KnownHost) => entry.key.equals(key);
  const matching = entries.filter((entry) => names.some((name) => entryMatches(entry, name)));
  const revoked = matching.find((entry) => entry.marker === 'revoked' && same(entry));
  if (revoked) return { status: 'revoked', entry: revoked };
  const plain = matching.filter((entry) => entry.marker === undefined);
  const known = plain.find(same);
  if (known) return { status: 'known', entry: known };
  const first = names[0] ?? '';
  const others = plain.filter((entry) => entryMatches(entry, first));
  if (others.length > 0) return { status: 'changed', entries: others };
  const authority = matching.find((entry) => entry.marker === 'cert-authority' && entryMatches(entry, first));
  return authority ? { status: 'authority', entry: authority } : { status: 'unknown' };
}

/** Host key algorithms to offer, those of keys already on file first; else a false "changed" appears. */
export function orderHostKeyAlgorithms(knownTypes: readonly string[]): string[] {
  const rank = (algorithm: string) => (knownTypes.includes(keyTypeOf(algorithm)) ? 0 : 1);
  return [...HOST_KEY_ALGORITHMS].sort((a, b) => rank(a) - rank(b));
}

/** ssh-rsa (SHA-1) is left out: every supported server signs with SHA-2. */
export const HOST_KEY_ALGORITHMS = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
] as const;

/** The key type behind a signature algorithm: rsa-sha2-512 signs with an ssh-rsa key. */
export function keyTypeOf(algorithm: string): string {
  return algorithm.startsWith('rsa-sha2-') ? 'ssh-rsa' : algorithm;
}

/** Types of the plain keys filed for a host. */
export function knownKeyTypes(entries: readonly KnownHost[], names: readonly string[]): string[] {
  return entries
    .filter((entry) => entry.marker === undefined && names.some((name) => entryMatches(entry, name)))
    .map((entry) => entry.keyType);
}
