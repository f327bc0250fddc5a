import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Env, Io } from '../ui/io.js';

/** The composition root: everything a command may use of the outside world, built when it is asked for. */
export interface Context {
  readonly io: Io;
  readonly env: Env;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly homeDir: string;
  /** Logs and DNS journals on this machine; made by the first that writes there. */
  readonly stateDir: string;
  /** Aborted by the first Ctrl-C. */
  readonly signal: AbortSignal;
  /** Where the log of this command is being written, once one is. */
  logPath?: string;
  close(): Promise<void>;
}

export function createContext(io: Io, env: Env): Context {
  const interrupt = new AbortController();
  const homeDir = env.HOME || homedir();
  return {
    io,
    env,
    clock: () => Date.now(),
    homeDir,
    stateDir: join(env.XDG_STATE_HOME || join(homeDir, '.local', 'state'), 'smtp-setup'),
    signal: interrupt.signal,
    close: async () => undefined,
  };
}
