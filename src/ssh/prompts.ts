/** Questions that only a person can answer. All are optional to the caller: without them nothing is asked. */
export interface SshPrompts {
  /** First contact: is this the server's key? */
  confirmHostKey(host: string, fingerprint: string, keyType: string): Promise<boolean>;
  /** The passphrase of a key file; undefined: the person gave up. */
  passphrase(file: string): Promise<string | undefined>;
  /** The login password; undefined: the person gave up. */
  password(user: string, host: string): Promise<string | undefined>;
  sudoPassword(user: string, host: string): Promise<string | undefined>;
  /** A question of the server's own (one-time codes and the like); without it such servers are refused. */
  question?(host: string, text: string, echo: boolean): Promise<string | undefined>;
}

/** Secrets that are there beforehand: for the server alone, never for a jump host on the way. */
export type GivenSecrets = Partial<Pick<SshPrompts, 'passphrase' | 'password' | 'sudoPassword'>>;

export type LogLevel = 'debug' | 'info' | 'warn';
/** Receives sentences about the connection; never a secret. Text from the server is already made safe for a terminal. */
export type SshLog = (level: LogLevel, message: string) => void;
