import { randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { join } from 'node:path';
import type { TemplateTexts } from '../components/render.js';
import { askInTurn } from '../config/ask-in-turn.js';
import type { Asker } from '../config/asker.js';
import { type GivenFiles, openGivenFiles } from '../config/given-files.js';
import { createRedactor, type Redactor } from '../config/redact.js';
import type { Resolver } from '../dns/resolver/types.js';
import { Exit, SetupError } from '../errors.js';
import { readLocalUser } from '../local-user.js';
import type { SshConnector, SshOptions } from '../ssh/connect.js';
import type { SshConnection } from '../ssh/ssh2-connection.js';
import { cancelledError } from '../ui/cancelled.js';
import type { Progress } from '../ui/events.js';
import type { Env, Io } from '../ui/io.js';
import type { LogFile } from '../ui/log-file.js';

/** The composition root: everything a command may use of the outside world, loaded when it is asked for. */
export interface Context {
  readonly io: Io;
  readonly env: Env;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** Cryptographic. */
  readonly randomBytes: (count: number) => Uint8Array;
  readonly homeDir: string;
  /** Logs and DNS journals on this machine; made by the first that writes there. */
  readonly stateDir: string;
  /** Aborted by the first Ctrl-C, and at the end: what one half of a command does goes no further than the other's error. */
  readonly signal: AbortSignal;
  /** Tell it every secret that comes in: what is logged, shown as progress or reported as an error passes through it. */
  readonly redactor: Redactor;
  /** Files that flags and variables name. */
  readonly files: GivenFiles;
  /** The person at the terminal, or nobody. */
  createAsker(): Promise<Asker>;
  /** The log of this command; the same one when asked again. Writes to disk, so `plan` and `check` never call it. */
  openLog(command: string): Promise<LogFile>;
  createProgress(log?: LogFile): Promise<Progress>;
  loadTemplates(): Promise<TemplateTexts>;
  createConnector(
    options: Pick<SshOptions, 'target' | 'identity' | 'hostKey' | 'log'>,
  ): Promise<SshConnector>;
  /** Asks the given resolver (`IP[:PORT]`), else those of this machine. */
  createResolver(server?: string): Promise<Resolver>;
  /** What is open is closed; the last thing `main` does. */
  close(): Promise<void>;
  /** Where the log is being written, once one is. */
  readonly logPath: string | undefined;
}

export function createContext(io: Io, env: Env, interrupted: AbortSignal): Context {
  const { homeDir } = readLocalUser(env);
  const stateDir = join(env.XDG_STATE_HOME || join(homeDir, '.local', 'state'), 'smtp-setup');
  const clock = (): number => Date.now();
  const redactor = createRedactor();
  const files = openGivenFiles(io.stdin);
  let log: LogFile | undefined;
  const connections = new Set<SshConnection>();
  const ending = new AbortController();
  const signal = AbortSignal.any([interrupted, ending.signal]);
  // Every query and every step listens to it.
  setMaxListeners(0, signal);
  let asker: Asker | undefined;
  const createAsker = async (): Promise<Asker> => {
    if (!io.canPrompt) return (await import('../config/no-input-asker.js')).noInputAsker;
    const { createPromptAsker } = await import('../ui/ask.js');
    asker ??= askInTurn(createPromptAsker(io, signal));
    return asker;
  };
  return {
    io,
    env,
    clock,
    randomBytes,
    homeDir,
    stateDir,
    signal,
    redactor,
    files,
    createAsker,
    get logPath() {
      return log?.path;
    },
    async openLog(command) {
      const { openLogFile } = await import('../ui/log-file.js');
      log ??= openLogFile(stateDir, command, clock, redactor);
      return log;
    },
    async createProgress(progressLog) {
      const { createProgress } = await import('../ui/progress/create-progress.js');
      return await createProgress(io, clock, redactor, progressLog);
    },
    async loadTemplates() {
      return await (await import('./templates.js')).loadTemplates();
    },
    async createConnector(options) {
      const { createConnector } = await import('../ssh/connect.js');
      const { createSshPrompts } = await import('./ssh-prompts.js');
      const { readSshSecrets } = await import('./ssh-secrets.js');
      const prompts = createSshPrompts(await createAsker(), redactor);
      const connector = createConnector({
        ...options,
        homeDir,
        env,
        prompts,
        given: await readSshSecrets({ env, files, redactor }, prompts),
        signal,
      });
      return {
        async connect(...patience) {
          const connection = await connector.connect(...patience);
          connections.add(connection);
          if (ending.signal.aborted) await connection.close();
          return connection;
        },
      };
    },
    async createResolver(server) {
      const dns = await import('../dns/resolver/index.js');
      const chosen = server === undefined ? dns.readSystemResolvers() : [dns.parseServerAddress(server)];
      const servers = chosen.filter((address) => address !== undefined);
      if (servers.length === 0) throw noResolver(server);
      return dns.createRecursiveResolver({ servers, query: dns.query });
    },
    async close() {
      // A connection that is open or still being made, a question, a wait for an API would keep the process alive after an error.
      ending.abort(cancelledError());
      await Promise.all([...connections].map((connection) => connection.close()));
      log?.close();
    },
  };
}

function noResolver(server: string | undefined): SetupError {
  return new SetupError({
    code: 'E_RESOLVER',
    exit: Exit.usage,
    what:
      server === undefined
        ? 'This machine has no DNS resolver configured.'
        : `${server} is no resolver address.`,
    fix: ['Name one with --resolver IP[:PORT].'],
  });
}
