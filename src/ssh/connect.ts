import { hostname } from 'node:os';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { readLocalUser } from '../local-user.js';
import type { Connector } from './connection.js';
import { dial } from './dial.js';
import { handshake } from './handshake.js';
import type { HostKeyReport } from './host-key.js';
import type { HostSettings } from './host-settings.js';
import { createLoginMemory, type LoginMemory } from './login-memory.js';
import type { GivenSecrets, SshLog, SshPrompts } from './prompts.js';
import { createReconnector } from './reconnect.js';
import { planRoute } from './route.js';
import { openSocket } from './socket.js';
import { readSshConfig } from './ssh-config.js';
import { Ssh2Connection, type SshConnection } from './ssh2-connection.js';
import { openTunnel } from './tunnel.js';

export interface SshOptions {
  /** `[USER@]HOST[:PORT]` or a Host alias of ssh_config. */
  target: string;
  /** Private key file (or a public one whose private half the agent holds). */
  identity?: string;
  /** `SHA256:…`: the server's key must be this one. */
  hostKey?: string;
  homeDir: string;
  env: { readonly [name in 'SSH_AUTH_SOCK' | 'USER' | 'LOGNAME']?: string | undefined };
  /** Absent members are not asked: that is what a run without a terminal passes. */
  prompts?: Partial<SshPrompts>;
  given?: GivenSecrets;
  signal?: AbortSignal;
  log?: SshLog;
  /** For tests: /etc/ssh elsewhere, other waits. Times in milliseconds. */
  systemDir?: string;
  timeoutMs?: number;
  keepaliveMs?: number;
}

const LOGIN_TIMEOUT_MS = 30_000;
const KEEPALIVE_MS = 10_000;

/**
 * Logs in and checks that commands run. Writes nothing anywhere (known_hosts included: see rememberHostKey).
 * Throws SetupError, exit 2, for everything that stands in the way.
 */
export async function openSsh(options: SshOptions): Promise<SshConnection> {
  return openWithMemory(options, createLoginMemory());
}

export interface SshConnector extends Connector {
  connect(signal?: AbortSignal, refusals?: number): Promise<SshConnection>;
}

/** Opens the same connection again and again; what was unlocked or confirmed the first time is not asked again. */
export function createConnector(options: SshOptions): SshConnector {
  const memory = createLoginMemory();
  return createReconnector({
    open: (signal) => openWithMemory({ ...options, ...(signal ? { signal } : {}) }, memory),
    wait: (ms, signal) => sleep(ms, undefined, signal ? { signal } : {}),
    log: options.log ?? (() => undefined),
  });
}

async function openWithMemory(options: SshOptions, memory: LoginMemory): Promise<SshConnection> {
  const log = options.log ?? (() => undefined);
  const { name, uid } = readLocalUser(options.env);
  const settingsFor = await readSshConfig({
    homeDir: options.homeDir,
    user: name,
    uid,
    hostname: hostname(),
    systemDir: options.systemDir ?? '/etc/ssh',
  });
  const route = planRoute(options.target, settingsFor);
  const opened: Ssh2Connection[] = [];
  const hostKeys: HostKeyReport[] = [];
  try {
    for (const settings of route) {
      const isTarget = settings === route.at(-1);
      const below = opened.at(-1);
      const prompts = isTarget ? { ...options.prompts, ...options.given } : options.prompts;
      const { client, hostKey, remoteAddress } = await openHost(
        settings,
        isTarget,
        below,
        { ...options, ...(prompts ? { prompts } : {}) },
        memory,
        log,
      );
      hostKeys.push(hostKey);
      opened.push(
        new Ssh2Connection({
          client,
          target: { host: settings.host, port: settings.port, user: settings.user },
          remoteAddress,
          hostKeys: [...hostKeys],
          memory,
          ...(prompts ? { prompts } : {}),
          wait: (ms) => sleep(ms, undefined, { ref: false }),
          ...(below ? { onClosed: () => void below.close() } : {}),
        }),
      );
    }
    const connection = opened.at(-1);
    if (!connection) throw new Error('a route without a host');
    await handshake(connection, options.signal);
    return connection;
  } catch (error) {
    for (const connection of opened.reverse()) await connection.close();
    throw error;
  }
}

async function openHost(
  settings: HostSettings,
  isTarget: boolean,
  below: Ssh2Connection | undefined,
  options: SshOptions,
  memory: LoginMemory,
  log: SshLog,
) {
  const timeoutMs = options.timeoutMs ?? LOGIN_TIMEOUT_MS;
  let remoteAddress = '';
  const openStream = async (): Promise<Duplex> => {
    if (below) return openTunnel(below, settings, options.signal);
    const socket = await openSocket({
      host: settings.host,
      port: settings.port,
      family: settings.addressFamily,
      timeoutMs,
      ...(options.signal ? { signal: options.signal } : {}),
    });
    remoteAddress = socket.remoteAddress ?? '';
    return socket;
  };
  const result = await dial({
    settings,
    ...(isTarget && options.identity !== undefined ? { identity: options.identity } : {}),
    ...(isTarget && options.hostKey !== undefined ? { pin: options.hostKey } : {}),
    ...(options.env.SSH_AUTH_SOCK ? { agentSocket: options.env.SSH_AUTH_SOCK } : {}),
    memory,
    ...(options.prompts ? { prompts: options.prompts } : {}),
    ...(options.signal ? { signal: options.signal } : {}),
    log,
    timeoutMs,
    keepaliveMs: options.keepaliveMs ?? KEEPALIVE_MS,
    openStream,
  });
  return { ...result, remoteAddress };
}
