import type { SetupError } from '../errors.js';
import { refuseLogin } from './failures.js';
import {
  HOST_KEY_ALGORITHMS,
  type KnownHost,
  keyTypeOf,
  knownKeyTypes,
  lookupHostKey,
  orderHostKeyAlgorithms,
  readFingerprint,
  readKeyType,
} from './known-hosts.js';

/** What was learnt about one server's key. */
export interface HostKeyReport {
  /** The name the key is (or would be) filed under: `host` or `[host]:port`. */
  name: string;
  fingerprint: string;
  keyType: string;
  /** known: on file · pinned: given by the caller · confirmed: by the person, during this login. */
  known: 'known' | 'pinned' | 'confirmed';
  key: Buffer;
  /** Where it is on file (`file:line`); absent when it is not. */
  source?: string;
  /** The file a new entry belongs in, and whether names are hashed there. */
  file: string;
  hashNames: boolean;
}

/** All that is known beforehand about the key that a host should present. */
export interface HostKeyPolicy {
  /** As the user knows the host, for messages. */
  label: string;
  /** Names to look up; the first one is the right one. */
  names: readonly string[];
  entries: readonly KnownHost[];
  /** Keys of RevokedHostKeys. */
  revoked: readonly Buffer[];
  /** The fingerprint given by --host-key. */
  pin?: string;
  /** A key that the person confirmed earlier in this process. */
  confirmed?: Buffer;
  /** File for a new entry. */
  file: string;
  hashNames: boolean;
}

export type HostKeyVerdict =
  | { accept: true; known: HostKeyReport['known']; source?: string }
  | { accept: false; ask: true }
  | { accept: false; ask: false; error: SetupError };

/** Checks the form of --host-key. Throws SetupError E_HOST_KEY_FORMAT (exit 2). */
export function parseFingerprint(text: string): string {
  const match = /^SHA256:([A-Za-z0-9+/]{43})=?$/.exec(text.trim());
  if (match) return `SHA256:${match[1]}`;
  throw refuseLogin({
    code: 'E_HOST_KEY_FORMAT',
    what: 'The host key fingerprint is not of the form SHA256:… (43 characters after the colon).',
    fix: ['On the server: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub'],
  });
}

/** Judges the key that a server presented. Pure. A revoked key is refused whatever else is said. */
export function judgeHostKey(policy: HostKeyPolicy, key: Buffer): HostKeyVerdict {
  const lookup = lookupHostKey(policy.entries, policy.names, key);
  if (lookup.status === 'revoked' || policy.revoked.some((one) => one.equals(key))) {
    return stop(revokedKey(policy, key, lookup.status === 'revoked' ? lookup.entry : undefined));
  }
  const source = lookup.status === 'known' ? { source: place(lookup.entry) } : {};
  if (policy.pin !== undefined) {
    return policy.pin === readFingerprint(key)
      ? { accept: true, known: 'pinned', ...source }
      : stop(otherThanPinned(policy, [key]));
  }
  if (lookup.status === 'known') return { accept: true, known: 'known', ...source };
  if (policy.confirmed) {
    return policy.confirmed.equals(key)
      ? { accept: true, known: 'confirmed' }
      : stop(changedInBetween(policy, key));
  }
  if (lookup.status === 'changed') return stop(changedKey(policy, key, lookup.entries));
  if (lookup.status === 'authority') return stop(certificateOnly(policy, key, lookup.entry));
  return { accept: false, ask: true };
}

/** Algorithms to offer, best known first; with `only`, those of one key type. */
export function chooseHostKeyAlgorithms(policy: HostKeyPolicy, only?: string): string[] {
  if (only !== undefined) return HOST_KEY_ALGORITHMS.filter((algorithm) => keyTypeOf(algorithm) === only);
  const confirmed = policy.confirmed && readKeyType(policy.confirmed);
  if (confirmed) return orderHostKeyAlgorithms([confirmed]);
  return orderHostKeyAlgorithms(knownKeyTypes(policy.entries, policy.names));
}

export function reportHostKey(
  policy: HostKeyPolicy,
  key: Buffer,
  verdict: Extract<HostKeyVerdict, { accept: true }>,
): HostKeyReport {
  return {
    name: policy.names[0] ?? policy.label,
    fingerprint: readFingerprint(key),
    keyType: readKeyType(key) ?? 'unknown',
    known: verdict.known,
    key,
    ...(verdict.source === undefined ? {} : { source: verdict.source }),
    file: policy.file,
    hashNames: policy.hashNames,
  };
}

function stop(error: SetupError): HostKeyVerdict {
  return { accept: false, ask: false, error };
}

function place(entry: KnownHost): string {
  return `${entry.file}:${entry.line}`;
}

function describe(key: Buffer): string {
  return `${readFingerprint(key)} (${readKeyType(key) ?? 'unknown type'})`;
}

function revokedKey(policy: HostKeyPolicy, key: Buffer, entry: KnownHost | undefined): SetupError {
  return refuseLogin({
    code: 'E_HOST_KEY_REVOKED',
    what: `${policy.label} presents a host key that is marked as revoked.`,
    evidence: [`presented: ${describe(key)}`, `revoked by ${entry ? place(entry) : 'RevokedHostKeys'}`],
    fix: [
      'Do not log in. The key is known to be compromised: reinstall the server or replace its host keys.',
    ],
  });
}

function changedKey(policy: HostKeyPolicy, key: Buffer, entries: readonly KnownHost[]): SetupError {
  const first = entries[0];
  return refuseLogin({
    code: 'E_HOST_KEY_CHANGED',
    what: `The host key of ${policy.label} is not the one on file. Someone may be in between, or the server was reinstalled.`,
    evidence: [
      `presented: ${describe(key)}`,
      ...entries.map(
        (entry) => `on file:   ${readFingerprint(entry.key)} (${entry.keyType}), ${place(entry)}`,
      ),
    ],
    fix: [
      "Compare with the provider's console: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub",
      `If the server really has a new key: ssh-keygen -f ${first?.file ?? policy.file} -R '${policy.names[0] ?? policy.label}'`,
    ],
  });
}

function changedInBetween(policy: HostKeyPolicy, key: Buffer): SetupError {
  return refuseLogin({
    code: 'E_HOST_KEY_CHANGED',
    what: `The host key of ${policy.label} changed since it was confirmed a moment ago.`,
    evidence: [`presented: ${describe(key)}`, `confirmed: ${describe(policy.confirmed ?? key)}`],
    fix: ['Do not log in. Check whether two machines answer at this address.'],
  });
}

function certificateOnly(policy: HostKeyPolicy, key: Buffer, entry: KnownHost): SetupError {
  return refuseLogin({
    code: 'E_HOST_KEY_CERTIFICATE',
    what: `${policy.label} is only known by a certificate authority, and this client cannot check host certificates.`,
    evidence: [`presented: ${describe(key)}`, `@cert-authority line: ${place(entry)}`],
    fix: [`If that is the server's key (ask its administrator), give it: --host-key ${readFingerprint(key)}`],
  });
}

/** Off a terminal, or with StrictHostKeyChecking yes, an unknown key is not asked about. */
export function unknownKey(policy: HostKeyPolicy, key: Buffer, reason: string): SetupError {
  return refuseLogin({
    code: 'E_HOST_KEY_UNKNOWN',
    what: `The host key of ${policy.label} is not known, and ${reason}.`,
    evidence: [`presented: ${describe(key)}`, `looked in: ${[policy.file].join(', ')}`],
    fix: [
      "Compare with the provider's console: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub",
      `If it is the same: --host-key ${readFingerprint(key)}`,
    ],
  });
}

export function otherThanPinned(policy: HostKeyPolicy, keys: readonly Buffer[]): SetupError {
  return refuseLogin({
    code: 'E_HOST_KEY_MISMATCH',
    what: `${policy.label} does not have the host key that was given. Someone may be in between, or the fingerprint is another server's.`,
    evidence: [`given:     ${policy.pin ?? ''}`, ...keys.map((key) => `presented: ${describe(key)}`)],
    fix: ["Compare with the provider's console: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub"],
  });
}
