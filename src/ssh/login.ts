import type { Duplex } from 'node:stream';
import type { Client } from 'ssh2';
import ssh2 from 'ssh2';
import { type AuthRecord, type AuthRequest, type AuthStage, createAuthHandler } from './auth-handler.js';
import { cancelled, expiredPassword, timedOut } from './failures.js';
import {
  chooseHostKeyAlgorithms,
  type HostKeyPolicy,
  type HostKeyVerdict,
  judgeHostKey,
} from './host-key.js';
import { cutDuringLogin, handshakeFailure, notSsh } from './login-failures.js';
import type { LoginMemory } from './login-memory.js';
import { readableLines } from './printable.js';
import type { SshLog, SshPrompts } from './prompts.js';

export interface LoginRequest {
  stream: Duplex;
  user: string;
  host: string;
  port: number;
  policy: HostKeyPolicy;
  /** Offer only this type of host key. */
  onlyKeyType?: string;
  stage: AuthStage;
  record: AuthRecord;
  memory: LoginMemory;
  prompts?: Partial<SshPrompts>;
  timeoutMs: number;
  keepaliveMs: number;
  signal?: AbortSignal;
  log: SshLog;
}

export type LoginOutcome =
  | { status: 'in'; client: Client; key: Buffer; verdict: Extract<HostKeyVerdict, { accept: true }> }
  /** The server's key is for the caller to judge: unknown, or not the pinned one. */
  | { status: 'host-key'; key: Buffer; verdict: Extract<HostKeyVerdict, { accept: false }> }
  /** Every attempt of this stage was refused. */
  | { status: 'refused' };

/**
 * Speaks SSH over an open stream: host key first, then one stage of authentication. Nothing is sent before the key is
 * judged; an unknown key ends the connection, so that no server waits while a person compares fingerprints.
 */
export function login(request: LoginRequest): Promise<LoginOutcome> {
  const { policy, signal, record } = request;
  const client = new ssh2.Client();
  const place = `${request.host} port ${request.port}`;
  return new Promise((resolve, reject) => {
    let judged: { key: Buffer; verdict: HostKeyVerdict } | undefined;
    let settled = false;
    let handshakeDone = false;
    let remoteKex = '';
    let banner: string[] = [];
    const greeting = watchGreeting(request.stream, () => fail(notSsh(place, greeting.text)));
    const timer = createPausableTimer(request.timeoutMs, () => {
      if (handshakeDone) fail(timedOut(place, ['the login was not answered']));
      else if (greeting.foreign) fail(notSsh(place, greeting.text));
      else fail(timedOut(place, ['the SSH handshake was not answered']));
    });
    const settle = (): boolean => {
      if (settled) return false;
      settled = true;
      timer.stop();
      signal?.removeEventListener('abort', onAbort);
      return true;
    };
    const onAbort = () => fail(cancelled(signal));
    const fail = (error: unknown) => {
      if (!settle()) return;
      client.destroy();
      reject(error);
    };
    const finish = (outcome: LoginOutcome) => {
      if (!settle()) return;
      if (outcome.status !== 'in') client.destroy();
      resolve(outcome);
    };

    client.on('ready', () => {
      if (judged?.verdict.accept) finish({ status: 'in', client, key: judged.key, verdict: judged.verdict });
      else fail(new Error('ssh2 logged in without asking about the host key'));
    });
    client.on('handshake', () => {
      handshakeDone = true;
    });
    client.on('banner', (message) => {
      const lines = readableLines(message, 20);
      banner = lines.slice(-3);
      for (const line of lines) request.log('info', line);
    });
    client.on('change password', () => fail(expiredPassword(request.user, request.host)));
    client.on('error', (error: Error & { level?: string; code?: unknown }) => {
      if (error.level === 'agent' || settled) return;
      if (judged && !judged.verdict.accept)
        finish({ status: 'host-key', key: judged.key, verdict: judged.verdict });
      else if (error.level === 'client-authentication') finish({ status: 'refused' });
      else if (handshakeDone) fail(cutDuringLogin(place, record.tried, error, banner));
      else if (greeting.foreign) fail(notSsh(place, greeting.text));
      else fail(handshakeFailure(place, error, remoteKex));
    });
    // A server that hangs up without a word emits no error.
    client.on('close', () => {
      if (handshakeDone)
        fail(cutDuringLogin(place, record.tried, new Error('the server closed the connection'), banner));
      else fail(handshakeFailure(place, new Error('the server closed the connection'), remoteKex));
    });
    if (signal?.aborted) return onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });

    const auth: AuthRequest = {
      user: request.user,
      host: request.host,
      port: request.port,
      stage: request.stage,
      record,
      memory: request.memory,
      ...(request.prompts ? { prompts: request.prompts } : {}),
      pause: (question) => timer.pauseWhile(question),
    };
    client.connect({
      sock: request.stream as never,
      username: request.user,
      readyTimeout: 0,
      keepaliveInterval: request.keepaliveMs,
      keepaliveCountMax: 3,
      algorithms: { serverHostKey: chooseHostKeyAlgorithms(policy, request.onlyKeyType) as never[] },
      hostVerifier: (key: Buffer) => {
        judged = { key: Buffer.from(key), verdict: judgeHostKey(policy, key) };
        return judged.verdict.accept;
      },
      authHandler: createAuthHandler(auth, fail) as never,
      debug: (message) => {
        // The only place where ssh2 tells what the server would have accepted.
        const kex = /^Handshake: \(remote\) KEX method: (.*)$/.exec(message)?.[1];
        if (kex !== undefined) remoteKex = kex;
      },
    });
    return undefined;
  });
}

interface Greeting {
  readonly text: string;
  /** Something was said, and it was not SSH. */
  readonly foreign: boolean;
}

/** Looks at the first bytes. ssh2 waits for ever for an "SSH-" line behind whatever else a service says. */
function watchGreeting(stream: Duplex, onHttp: () => void): Greeting {
  let text = '';
  const look = (chunk: Buffer) => {
    text += chunk.toString('latin1', 0, 1024);
    if (text.startsWith('HTTP/')) onHttp();
    if (text.length >= 1024 || /^SSH-/m.test(text)) stream.off('data', look);
  };
  stream.on('data', look);
  return {
    get text() {
      return text;
    },
    get foreign() {
      return text !== '' && !/^SSH-/m.test(text);
    },
  };
}

interface PausableTimer {
  pauseWhile<T>(question: () => Promise<T>): Promise<T>;
  stop(): void;
}

function createPausableTimer(ms: number, onTimeout: () => void): PausableTimer {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined = setTimeout(onTimeout, ms);
  return {
    async pauseWhile(question) {
      clearTimeout(timer);
      try {
        return await question();
      } finally {
        // A full new measure: what was used up before the question is not worth counting.
        if (!stopped) timer = setTimeout(onTimeout, ms);
      }
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
