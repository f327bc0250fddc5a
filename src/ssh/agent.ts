import type { BaseAgent, ParsedKey } from 'ssh2';
import ssh2 from 'ssh2';
import { messageOf } from '../errors.js';
import { sanitizeLine } from '../lib/sanitize.js';
import { listAgentKeys } from './agent-list.js';
import { unusableType } from './key-file.js';
import { readKeyType } from './known-hosts.js';

/** A key that the agent holds. */
export interface AgentKey {
  publicKey: ParsedKey;
  blob: Buffer;
}

export type AgentSigner = (key: ParsedKey, data: Buffer, hash: SignatureHash | undefined) => Promise<Buffer>;
export type SignatureHash = 'sha1' | 'sha256' | 'sha512';

export interface LoadedAgent {
  keys: AgentKey[];
  /** Why keys that the user may count on are not among them. */
  notes: string[];
  sign: AgentSigner;
}

/**
 * Lists the keys of the agent at a socket. A dead agent is not an error: it has no keys. `notes` say why a key, or the whole
 * agent, cannot be used.
 */
export async function loadAgent(socketPath: string): Promise<LoadedAgent> {
  const agent: BaseAgent = ssh2.createAgent(socketPath);
  const sign: AgentSigner = (key, data, hash) =>
    new Promise((resolve, reject) => {
      agent.sign(key, data, hash === undefined ? {} : { hash }, (error, signature) => {
        if (error || !signature) reject(error ?? new Error('the agent gave no signature'));
        else resolve(signature);
      });
    });
  const keys: AgentKey[] = [];
  const notes: string[] = [];
  try {
    for (const { blob, comment } of await listAgentKeys(socketPath)) {
      const type = readKeyType(blob) ?? 'unknown type';
      const refused = unusableType(type);
      const publicKey = refused ? undefined : parsePublicKey(blob);
      if (publicKey) keys.push({ publicKey, blob });
      else {
        const reason = refused?.reason ?? 'this client cannot use keys of that type';
        notes.push(`agent: ${type} ${sanitizeLine(comment, 80)} was not offered: ${reason}`);
      }
    }
  } catch (error) {
    notes.push(`the SSH agent does not answer (${messageOf(error)})`);
  }
  return { keys, notes, sign };
}

/** A public key blob as ssh2 takes it; undefined for types that ssh2 does not know. */
export function parsePublicKey(blob: Buffer): ParsedKey | undefined {
  const parsed: unknown = ssh2.utils.parseKey(blob);
  return parsed instanceof Error || Array.isArray(parsed) ? undefined : (parsed as ParsedKey);
}

/** An agent of one key, as ssh2's authentication wants it; signing may take its time (passphrase, hardware). */
export function agentOfOne(
  publicKey: ParsedKey,
  sign: (data: Buffer, hash: SignatureHash | undefined) => Promise<Buffer>,
): BaseAgent<ParsedKey> {
  return new SingleKeyAgent(publicKey, sign);
}

type SignDone = (error?: Error | null, signature?: Buffer) => void;

class SingleKeyAgent extends ssh2.BaseAgent<ParsedKey> {
  readonly #publicKey: ParsedKey;
  readonly #sign: (data: Buffer, hash: SignatureHash | undefined) => Promise<Buffer>;

  constructor(
    publicKey: ParsedKey,
    sign: (data: Buffer, hash: SignatureHash | undefined) => Promise<Buffer>,
  ) {
    super();
    this.#publicKey = publicKey;
    this.#sign = sign;
  }

  override getIdentities(done: (error?: Error | null, keys?: ParsedKey[]) => void): void {
    done(null, [this.#publicKey]);
  }

  override sign(
    _key: ParsedKey,
    data: Buffer,
    options: { hash?: SignatureHash } | SignDone,
    callback?: SignDone,
  ): void {
    const done = typeof options === 'function' ? options : callback;
    const hash = typeof options === 'function' ? undefined : options.hash;
    this.#sign(data, hash).then(
      (signature) => done?.(null, signature),
      (error: unknown) => done?.(error instanceof Error ? error : new Error(String(error))),
    );
  }
}
