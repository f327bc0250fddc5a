import { readFile, stat } from 'node:fs/promises';
import type { ParsedKey } from 'ssh2';
import { messageOf } from '../errors.js';
import { type AgentSigner, loadAgent, parsePublicKey, type SignatureHash } from './agent.js';
import { refuseLogin } from './failures.js';
import { inspectKeyFile, loadPrivateKey } from './key-file.js';
import { readFingerprint } from './known-hosts.js';
import type { LoginMemory } from './login-memory.js';
import type { SshPrompts } from './prompts.js';

/** One key to offer, signing only when the server accepts it. */
export interface KeyCandidate {
  /** For messages: file or "agent", type and fingerprint. */
  label: string;
  publicKey: ParsedKey;
  sign(data: Buffer, hash: SignatureHash | undefined): Promise<Buffer>;
}

export interface Identities {
  keys: KeyCandidate[];
  /** Why a key that the user may count on is not among them. */
  notes: string[];
}

export interface IdentityRequest {
  /** --identity; must be usable. */
  explicit?: string;
  files: readonly string[];
  /** True when `files` are the default names: a missing one is not worth a word. */
  filesDefault: boolean;
  identitiesOnly: boolean;
  certificateFiles: readonly string[];
  agentSocket?: string;
  memory: LoginMemory;
  prompts?: Partial<SshPrompts>;
}

const MOST_KEY_BYTES = 64 * 1024;
const PASSPHRASE_TRIES = 3;

/**
 * Collects the keys to offer, the likeliest first: --identity, IdentityFile, then (unless IdentitiesOnly) the agent's other
 * keys. A key file whose key the agent holds is signed by the agent. Throws E_SSH_KEY_FILE when --identity is unusable.
 */
export async function collectIdentities(request: IdentityRequest): Promise<Identities> {
  const notes: string[] = [];
  const agent = request.agentSocket === undefined ? undefined : await loadAgent(request.agentSocket);
  notes.push(...(agent?.notes ?? []));
  const keys: KeyCandidate[] = [];
  const add = (candidate: KeyCandidate) => {
    const blob = candidate.publicKey.getPublicSSH();
    if (!keys.some((one) => one.publicKey.getPublicSSH().equals(blob))) keys.push(candidate);
  };
  const fromAgent = (publicKey: ParsedKey, sign: AgentSigner, source: string): KeyCandidate => ({
    label: labelKey(source, publicKey),
    publicKey,
    sign: (data, hash) => sign(publicKey, data, hash),
  });

  const files = [
    ...new Set([...(request.explicit === undefined ? [] : [request.explicit]), ...request.files]),
  ];
  for (const file of files) {
    const found = await readIdentity(file, request, (blob) =>
      agent?.keys.find((key) => key.blob.equals(blob)),
    );
    if (found.kind === 'key') add(found.candidate);
    else if (found.kind === 'agent' && agent)
      add(fromAgent(found.publicKey, agent.sign, `${file}, held by the agent`));
    else if (found.kind === 'refused') {
      if (file === request.explicit) throw unusableIdentity(file, found.reason, found.fix);
      if (!found.missing || !request.filesDefault) notes.push(`${file} was not offered: ${found.reason}`);
    }
  }
  for (const file of request.certificateFiles)
    notes.push(`${file} was not offered: certificates cannot be presented by this client`);
  if (agent && !request.identitiesOnly) {
    for (const key of agent.keys) add(fromAgent(key.publicKey, agent.sign, 'agent'));
  }
  return { keys, notes };
}

type ReadIdentity =
  | { kind: 'key'; candidate: KeyCandidate }
  | { kind: 'agent'; publicKey: ParsedKey }
  | { kind: 'refused'; reason: string; fix: string; missing?: boolean };

async function readIdentity(
  file: string,
  request: IdentityRequest,
  findInAgent: (blob: Buffer) => { publicKey: ParsedKey } | undefined,
): Promise<ReadIdentity> {
  const loaded = request.memory.keys.get(file);
  if (loaded) return { kind: 'key', candidate: plainCandidate(file, loaded) };
  const text = await readKeyText(file);
  if (typeof text !== 'string') {
    // The private half may live in the agent alone, with only the public file on disk.
    const held = text.missing ? await findByPublicFile(`${file}.pub`, findInAgent) : undefined;
    return held ? { kind: 'agent', publicKey: held } : text;
  }
  const seen = inspectKeyFile(text);
  if (seen.kind === 'unusable') return { kind: 'refused', reason: seen.reason, fix: seen.fix };
  if (seen.kind === 'public') {
    const held = findInAgent(seen.publicBlob);
    if (held) return { kind: 'agent', publicKey: held.publicKey };
    return {
      kind: 'refused',
      reason: 'it is the public half, and no agent holds the private one',
      fix: `Give the private key: ${file.replace(/\.pub$/, '')}`,
    };
  }
  const publicKey = seen.publicBlob ? parsePublicKey(seen.publicBlob) : await readPublicFile(`${file}.pub`);
  const held = publicKey && findInAgent(publicKey.getPublicSSH());
  if (held) return { kind: 'agent', publicKey: held.publicKey };
  if (seen.locked) return { kind: 'refused', ...seen.locked };
  if (seen.encrypted) return readEncrypted(file, text, publicKey, request);
  const key = loadPrivateKey(text);
  if (key === 'bad-passphrase' || key instanceof Error) {
    return {
      kind: 'refused',
      reason: key instanceof Error ? `it cannot be read (${key.message})` : 'it is encrypted',
      fix: 'Make a key with ssh-keygen -t ed25519.',
    };
  }
  request.memory.keys.set(file, key);
  return { kind: 'key', candidate: plainCandidate(file, key) };
}

/** An encrypted key is offered by its public half; the passphrase is asked for once the server wants the key. */
async function readEncrypted(
  file: string,
  text: string,
  publicKey: ParsedKey | undefined,
  request: IdentityRequest,
): Promise<ReadIdentity> {
  const ask = request.prompts?.passphrase;
  if (!ask) {
    return {
      kind: 'refused',
      reason: 'it is encrypted, and there is nobody to ask for the passphrase',
      fix: `Load it into the agent first (ssh-add ${file}), give the passphrase in SMTP_SETUP_SSH_PASSPHRASE (or …_FILE), or run on a terminal.`,
    };
  }
  const unlock = async () => {
    const known = request.memory.keys.get(file);
    if (known) return known;
    const key = await unlockKey(file, text, ask);
    request.memory.keys.set(file, key);
    return key;
  };
  if (publicKey) {
    const sign: KeyCandidate['sign'] = async (data, hash) => (await unlock()).sign(data, hash);
    return { kind: 'key', candidate: { label: labelKey(file, publicKey), publicKey, sign } };
  }
  return { kind: 'key', candidate: plainCandidate(file, await unlock()) };
}

async function unlockKey(file: string, text: string, ask: SshPrompts['passphrase']): Promise<ParsedKey> {
  for (let attempt = 1; attempt <= PASSPHRASE_TRIES; attempt++) {
    const passphrase = await ask(file);
    if (passphrase === undefined) break;
    const key = loadPrivateKey(text, passphrase);
    if (key instanceof Error)
      throw unusableIdentity(file, `it cannot be read (${key.message})`, 'Make a new key.');
    if (key !== 'bad-passphrase') return key;
  }
  throw refuseLogin({
    code: 'E_SSH_PASSPHRASE',
    what: `The key ${file} could not be unlocked.`,
    evidence: ['no passphrase that was given fits'],
    fix: [
      `Run again, or load the key into the agent: ssh-add ${file}`,
      'Without a terminal: SMTP_SETUP_SSH_PASSPHRASE, or SMTP_SETUP_SSH_PASSPHRASE_FILE, gives the passphrase.',
    ],
  });
}

function plainCandidate(file: string, key: ParsedKey): KeyCandidate {
  return { label: labelKey(file, key), publicKey: key, sign: async (data, hash) => key.sign(data, hash) };
}

function labelKey(source: string, key: ParsedKey): string {
  return `${source}: ${key.type} ${readFingerprint(key.getPublicSSH())}`;
}

async function readPublicFile(path: string): Promise<ParsedKey | undefined> {
  const text = await readKeyText(path);
  const seen = typeof text === 'string' ? inspectKeyFile(text) : undefined;
  return seen?.kind === 'public' ? parsePublicKey(seen.publicBlob) : undefined;
}

async function findByPublicFile(
  path: string,
  findInAgent: (blob: Buffer) => { publicKey: ParsedKey } | undefined,
): Promise<ParsedKey | undefined> {
  const publicKey = await readPublicFile(path);
  return publicKey && findInAgent(publicKey.getPublicSSH())?.publicKey;
}

async function readKeyText(path: string): Promise<string | Extract<ReadIdentity, { kind: 'refused' }>> {
  const refused = (reason: string, fix: string, missing = false) => ({
    kind: 'refused' as const,
    reason,
    fix,
    missing,
  });
  try {
    const info = await stat(path);
    if (!info.isFile()) return refused('it is not a file', 'Name the private key file itself.');
    if (info.size > MOST_KEY_BYTES)
      return refused('it is too large for a key', 'Name the private key file itself.');
    return await readFile(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT')
      return refused('there is no such file', 'Check the path, or make a key: ssh-keygen -t ed25519', true);
    return refused(`it cannot be read (${messageOf(error)})`, 'Check its owner and mode.');
  }
}

function unusableIdentity(file: string, reason: string, fix: string) {
  return refuseLogin({
    code: 'E_SSH_KEY_FILE',
    what: `The key ${file} cannot be used: ${reason}.`,
    fix: [fix],
  });
}
