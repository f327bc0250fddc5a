import type { ParsedKey } from 'ssh2';

/**
 * What was unlocked or confirmed during the first login, so that reconnecting after a cut asks nothing.
 * Lives in memory only.
 */
export interface LoginMemory {
  /** Decrypted keys by file. */
  readonly keys: Map<string, ParsedKey>;
  /** Login passwords by `user@host:port`. */
  readonly passwords: Map<string, string>;
  sudoPassword?: string;
  /** Host keys confirmed by the person, by known_hosts name. */
  readonly hostKeys: Map<string, Buffer>;
}

export function createLoginMemory(): LoginMemory {
  return { keys: new Map(), passwords: new Map(), hostKeys: new Map() };
}
