import type { BaseAgent, ParsedKey } from 'ssh2';
import ssh2 from 'ssh2';
import { messageOf } from '../errors.js';

/** A key that the agent holds. */
export interface AgentKey {
  publicKey: ParsedKey;
  blob: Buffer;
}

export type AgentSigner = (key: ParsedKey, data: Buffer, hash: SignatureHash | undefined) => Promise<Buffer>;
export type SignatureHash = 'sha1' | 'sha256' | 'sha512';

export interface LoadedAgent {
  keys: AgentKey[];
  sign: AgentSigner;
}

/** Lists the keys of the agent at a socket. A dead agent is not an error: it has no keys, and `note` says why. */
export async function loadAgent(socketPath: string): Promise<LoadedAgent & { note?: string }> {
  const agent: BaseAgent = ssh2.createAgent(socketPath);
  const sign: AgentSigner = (key, data, hash) =>
    new Promise((resolve, reject) => {
      agent.sign(key, data, hash === undefined ? {} : { hash }, (error, signature) => {
        if (error || !signature) reject(error ?? new Error('the agent gave no signature'));
        else resolve(signature);
      });
    });
  try {
    const found = await new Promise<readonly unknown[]>((resolve, reject) => {
      agent.getIdentities((error, keys) => (error ? reject(error) : resolve(keys ?? [])));
    });
    const keys = found
      .map((one) => ssh2.utils.parseKey(publicPart(one)))
      .filter((key): key is ParsedKey => !(key instanceof Error) && !Array.isArray(key))
      .map((publicKey) => ({ publicKey, blob: publicKey.getPublicSSH() }));
    return { keys, sign };
  } catch (error) {
    return { keys: [], sign, note: `the SSH agent does not answer (${messageOf(error)})` };
  }
}

function publicPart(entry: unknown): ParsedKey {
  const wrapped = typeof entry === 'object' && entry !== null && 'pubKey' in entry ? entry.pubKey : entry;
  const inner =
    typeof wrapped === 'object' && wrapped !== null && 'pubKey' in wrapped ? wrapped.pubKey : wrapped;
  return inner as ParsedKey;
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
