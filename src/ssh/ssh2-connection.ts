import { randomBytes } from 'node:crypto';
import type { Client, ClientChannel } from 'ssh2';
import type { SetupError } from '../errors.js';
import { type ChannelOutcome, type ChannelRun, runChannel } from './channel.js';
import { type ChannelPool, createChannelPool } from './channel-pool.js';
import type { Connection, ExecOptions, ExecResult, SshTarget } from './connection.js';
import { cancelled, lostConnection } from './failures.js';
import type { HostKeyReport } from './host-key.js';
import type { LoginMemory } from './login-memory.js';
import type { SshPrompts } from './prompts.js';
import { renderExecLine, renderRootOrder, renderSudoLine } from './remote-command.js';
import { refuseShell } from './shell-check.js';
import {
  createSudoDialogue,
  explainMissingPassword,
  explainSudoFailure,
  type RootMode,
  readSudoWords,
} from './sudo.js';

/** A Connection that also tells what was learnt about the host keys on the way. */
export interface SshConnection extends Connection {
  /** The target's key. The caller may hand it to rememberHostKey once the person agreed. */
  readonly hostKey: HostKeyReport;
  /** All keys met, jump hosts first, the target last. */
  readonly hostKeys: readonly HostKeyReport[];
}

export interface ConnectionParts {
  client: Client;
  target: SshTarget;
  remoteAddress: string;
  hostKeys: readonly HostKeyReport[];
  memory: LoginMemory;
  prompts?: Partial<SshPrompts>;
  wait(ms: number): Promise<void>;
  /** Closes what lies under this connection (jump hosts). */
  onClosed?(): void;
}

const CLOSE_PATIENCE_MS = 2000;

export class Ssh2Connection implements SshConnection {
  readonly target: SshTarget;
  readonly hostKeys: readonly HostKeyReport[];
  remoteAddress: string;
  rootMode: RootMode = 'root';
  /** What sudo said to the question whether it wants a password. */
  sudoRefusal = '';
  #roundTrips = 0;
  #failure: SetupError | undefined;
  #closing = false;
  readonly #parts: ConnectionParts;
  readonly #pool: ChannelPool;
  readonly #marker = `smtp-setup-${randomBytes(8).toString('hex')}`;
  /** What sudo says before all is well (a lecture), once it was heard. */
  #sudoLecture = '';
  #sudoPassword: Promise<string> | undefined;

  constructor(parts: ConnectionParts) {
    this.#parts = parts;
    this.target = parts.target;
    this.hostKeys = parts.hostKeys;
    this.remoteAddress = parts.remoteAddress;
    let lastError: unknown;
    parts.client.on('error', (error) => {
      lastError = error;
    });
    parts.client.on('close', () => {
      this.#failure ??= lostConnection(
        this.target.host,
        this.#closing ? 'it was closed on this side' : lastError,
      );
      parts.onClosed?.();
    });
    this.#pool = createChannelPool(parts.client, parts.target.host, parts.wait, () => this.#failure);
  }

  get roundTrips(): number {
    return this.#roundTrips;
  }

  get hostKey(): HostKeyReport {
    const last = this.hostKeys.at(-1);
    if (!last) throw new Error('a connection without a host key');
    return last;
  }

  /** For the handshake: runs like exec as the login user, without counting, and lets the noise be seen. */
  probe(command: string, signal?: AbortSignal): Promise<ChannelOutcome> {
    return this.#run(renderExecLine(command, this.#marker), {
      marker: this.#marker,
      options: signal ? { signal } : {},
    });
  }

  /** A stream through this host to another one (direct-tcpip). */
  forward(host: string, port: number, done: (error: Error | undefined, stream: ClientChannel) => void): void {
    this.#parts.client.forwardOut('127.0.0.1', 0, host, port, done);
  }

  async exec(command: string, options: ExecOptions = {}): Promise<ExecResult> {
    if (options.signal?.aborted) throw cancelled(options.signal);
    const outcome = await (options.root && this.rootMode !== 'root'
      ? this.#execAsRoot(command, options)
      : this.#execPlain(command, options));
    const { code, signal, stdout, stderr } = outcome;
    return { code, ...(signal === undefined ? {} : { signal }), stdout, stderr };
  }

  async #execPlain(command: string, options: ExecOptions): Promise<ChannelOutcome> {
    this.#roundTrips++;
    const outcome = await this.#run(renderExecLine(command, this.#marker), { marker: this.#marker, options });
    if (!outcome.ready) throw refuseShell(this.target, outcome);
    return outcome;
  }

  async #execAsRoot(command: string, options: ExecOptions): Promise<ChannelOutcome> {
    if (this.rootMode === 'sudo-password') return this.#execWithPassword(command, options);
    this.#roundTrips++;
    const outcome = await this.#run(renderSudoLine(this.#marker, false), {
      marker: this.#marker,
      options,
      greet: async (talk) => {
        talk.send(renderRootOrder(command, this.#marker));
        return true;
      },
    });
    if (!outcome.ready) throw this.#sudoFailure(outcome, false);
    return outcome;
  }

  async #execWithPassword(command: string, options: ExecOptions): Promise<ChannelOutcome> {
    this.#sudoPassword ??= this.#askSudoPassword();
    const password = await this.#sudoPassword;
    for (let attempt = 1; ; attempt++) {
      this.#roundTrips++;
      const dialogue = createSudoDialogue(password, command, this.#marker, this.#sudoLecture);
      const outcome = await this.#run(renderSudoLine(this.#marker, true), {
        marker: this.#marker,
        options,
        greet: dialogue.greet,
      });
      if (!outcome.ready) {
        delete this.#parts.memory.sudoPassword;
        throw this.#sudoFailure(outcome, true);
      }
      this.#parts.memory.sudoPassword = password;
      if (!dialogue.shutTooEarly) return outcome;
      if (attempt > 1) throw this.#sudoFailure(outcome, true);
      this.#sudoLecture = readSudoWords(outcome.noiseErr, this.#marker);
    }
  }

  async #askSudoPassword(): Promise<string> {
    const { memory, prompts } = this.#parts;
    const { user, host } = this.target;
    const password = memory.sudoPassword ?? (await prompts?.sudoPassword?.(user, host));
    if (password === undefined) throw explainMissingPassword(user, host, this.sudoRefusal);
    return password;
  }

  #sudoFailure(outcome: ChannelOutcome, sentPassword: boolean): SetupError {
    const words = readSudoWords(outcome.noiseErr, this.#marker);
    return explainSudoFailure(this.target.user, this.target.host, words, sentPassword);
  }

  async #run(line: string, run: ChannelRun): Promise<ChannelOutcome> {
    const outcome = await this.#pool.run(line, (channel) => runChannel(channel, run));
    if (outcome.unfinished)
      throw this.#failure ?? lostConnection(this.target.host, 'a command ended without a status');
    return outcome;
  }

  async close(): Promise<void> {
    if (this.#failure) return;
    this.#closing = true;
    const { client, wait } = this.#parts;
    const closed = new Promise<void>((resolve) => client.once('close', () => resolve()));
    client.end();
    await Promise.race([closed, wait(CLOSE_PATIENCE_MS)]);
    if (!this.#failure) client.destroy();
  }
}
