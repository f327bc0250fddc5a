import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import type { Client } from '../apply/holder.js';
import type { LanePool } from '../apply/lane-pool.js';
import type { Context } from '../cli/context.js';
import type { FlagValues } from '../cli/flags.js';
import { type Answers, collectAnswers } from '../config/answers.js';
import type { Asker } from '../config/asker.js';
import { chooseConfigPath, loadConfig, loadLock, requireConfig } from '../config/load.js';
import type { Lock } from '../config/lock.js';
import type { LoadedConfig } from '../config/parse.js';
import { placePaths } from '../config/placed-path.js';
import type { Turns } from '../lib/turns.js';
import { readLocalUser } from '../local-user.js';

/** What one command run has at hand: who answers, what is configured. */
export interface Session {
  readonly context: Context;
  readonly asker: Asker;
  readonly configPath: string;
  readonly loaded: LoadedConfig | undefined;
  readonly lock: Lock;
  /** Flags over environment over file; the wizard adds to a copy. */
  readonly answers: Answers;
  /** There when one command is at work on several servers. */
  readonly shared?: Shared;
}

/** What the sessions of one command share. */
export interface Shared {
  readonly lanes: LanePool;
  /** One writer of configuration and lock file at a time. */
  readonly inTurn: Turns;
  /** Until the command's work on another of its servers is over, however it ended; at once for one that has none. */
  whenEnded(hostname: string): Promise<void>;
}

export interface SessionOptions {
  flags: FlagValues;
  config?: string;
  /** Without a configuration file the command makes no sense. */
  needsConfig?: boolean;
}

/** Reads what is given: configuration, lock file, flags, environment. Throws SetupError (exit 2) when it is wrong. */
export async function openSession(context: Context, options: SessionOptions): Promise<Session> {
  const configPath = chooseConfigPath(options.config, context.env);
  const loaded = options.needsConfig ? await requireConfig(configPath) : await loadConfig(configPath);
  return {
    context,
    asker: await context.createAsker(),
    configPath,
    loaded,
    lock: await loadLock(configPath),
    answers: readAnswers(context, configPath, options.flags, loaded),
  };
}

/** What flags, environment and configuration say, in terms of the configuration at `configPath`. Throws SetupError (exit 2). */
export function readAnswers(
  { env }: Pick<Context, 'env'>,
  configPath: string,
  flags: FlagValues,
  loaded: LoadedConfig | undefined,
): Answers {
  const answers = collectAnswers({ flags, env, ...(loaded === undefined ? {} : { file: loaded }) });
  return placePaths(answers, configPath, resolve('.'));
}

/** How this client calls itself to others while a run of its goes on. */
export function readMyself({ env }: Pick<Context, 'env'>): Client {
  return { user: readLocalUser(env).name, machine: hostname(), pid: process.pid };
}

/** Names a run on the server: its time first, so that names sort; random, so that two clients never collide. */
export function createRunId(now: number, run: string): string {
  const stamp = new Date(now).toISOString().replace(/[-:]/g, '').replace(/\.\d+/, '');
  return `${stamp}-${run}-${randomBytes(2).toString('hex')}`;
}
