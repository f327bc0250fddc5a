/** Where to connect; already resolved through flags and ssh_config. */
export interface SshTarget {
  host: string;
  port: number;
  user: string;
}

export interface ExecOptions {
  /** Bytes for the command's standard input; the stream is closed after them. */
  stdin?: string | Uint8Array | AsyncIterable<Uint8Array>;
  /** Run as root: directly when logged in as root, else through sudo (see src/ssh/sudo.ts). */
  root?: boolean;
  signal?: AbortSignal;
  /** Called with each chunk of standard output as it arrives, besides being collected. What it returns is waited for. */
  onStdout?(chunk: Buffer): void | Promise<void>;
  /** Standard output goes to `onStdout` only and is not limited: for streams larger than memory. */
  streamed?: boolean;
  /** Collected output is cut at this many bytes (default 16 MiB); more is an error. */
  maxOutput?: number;
}

export interface ExecResult {
  /** Exit status; null when ended by a signal. */
  code: number | null;
  signal?: string;
  stdout: string;
  stderr: string;
}

/** One authenticated connection to the server. ssh2 is behind it; a system-ssh transport must be able to follow. */
export interface Connection {
  readonly target: SshTarget;
  /** The server's address as this machine reaches it (IP literal). */
  readonly remoteAddress: string;
  /** Commands run so far: the figure that must not grow with the number of steps. */
  readonly roundTrips: number;
  /** Rejects with SetupError E_SSH_LOST when the connection goes away in between. */
  exec(command: string, options?: ExecOptions): Promise<ExecResult>;
  close(): Promise<void>;
}

/** Re-establishes a connection after a cut; the apply lane holds one of these. */
export interface Connector {
  /** Gives up after `refusals` answers that nothing listens; without a number it hopes for a server that still boots. */
  connect(signal?: AbortSignal, refusals?: number): Promise<Connection>;
}
