import { spawn } from 'node:child_process';
import { connect, createServer, type Socket } from 'node:net';
import type { AuthContext, ServerChannel, Connection as ServerConnection } from 'ssh2';
import ssh2 from 'ssh2';

export interface TestServerOptions {
  /** PEM or OpenSSH private keys; made by makeKey. */
  hostKeys?: string[];
  /** Public key blobs that may log in. */
  authorized?: readonly Buffer[];
  password?: string;
  /** Both a key and the password are needed. */
  bothFactors?: boolean;
  keyboardPrompts?: readonly string[];
  keyboardAnswers?: readonly string[];
  /** Sends SSH_MSG_DISCONNECT after this many refused attempts ("none" does not count). */
  maxAuthTries?: number;
  maxSessions?: number;
  /** argv of the login shell; the command line is appended. */
  shell?: readonly string[];
  env?: Record<string, string>;
  kex?: string[];
  banner?: string;
  allowForwarding?: boolean;
}

export interface TestServer {
  port: number;
  /** Attempts seen: method and key type. */
  attempts: string[];
  /** Command lines that reached the login shell. */
  commands: string[];
  /** Public key blobs of signatures that were right. */
  sessions(): number;
  /** Cuts all TCP connections, as a dead line does. */
  cut(): void;
  close(): Promise<void>;
}

export interface TestKey {
  privateText: string;
  publicText: string;
  blob: Buffer;
  fingerprint: string;
}

/** A real sshd in shape, in this process: real SSH on 127.0.0.1, commands run by a real shell. */
export async function startSshServer(options: TestServerOptions = {}): Promise<TestServer> {
  const state = { attempts: [] as string[], commands: [] as string[], open: 0 };
  const sockets = new Set<Socket>();
  const server = new ssh2.Server(
    {
      hostKeys: options.hostKeys ?? [(await makeKey('ed25519')).privateText],
      ...(options.banner === undefined ? {} : { banner: options.banner }),
      ...(options.kex ? { algorithms: { kex: options.kex as never[] } } : {}),
    },
    (client) => serve(client, options, state),
  );
  // A listener of ours in front, so that the sockets can be cut under the protocol's feet.
  const listener = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    server.injectSocket(socket);
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const address = listener.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: address.port,
    attempts: state.attempts,
    commands: state.commands,
    sessions: () => state.open,
    cut,
    close: () =>
      new Promise((resolve) => {
        cut();
        listener.close(() => resolve());
      }),
  };
}

interface ServerState {
  attempts: string[];
  commands: string[];
  open: number;
}

function serve(client: ServerConnection, options: TestServerOptions, state: ServerState): void {
  let refused = 0;
  let keyPassed = false;
  const methods = [
    ...(options.authorized ? ['publickey'] : []),
    ...(options.password !== undefined && !(options.bothFactors && !keyPassed) ? ['password'] : []),
    ...(options.keyboardPrompts ? ['keyboard-interactive'] : []),
  ];
  client.on('error', () => undefined);
  client.on('authentication', (context) => {
    const refuse = () => {
      if (context.method !== 'none') refused++;
      if (options.maxAuthTries !== undefined && refused >= options.maxAuthTries) {
        (client as unknown as { _protocol: { disconnect(reason: number): void } })._protocol.disconnect(2);
        client.end();
        return;
      }
      context.reject(methods as never[]);
    };
    const pass = () => context.accept();
    state.attempts.push(context.method === 'publickey' ? `publickey ${context.key.algo}` : context.method);
    if (context.method === 'publickey') {
      if (!isAuthorized(context, options)) return refuse();
      if (context.signature === undefined) return pass();
      keyPassed = true;
      if (options.bothFactors) return context.reject(['password'] as never[], true);
      return pass();
    }
    if (context.method === 'password') {
      return context.password === options.password && (!options.bothFactors || keyPassed) ? pass() : refuse();
    }
    if (context.method === 'keyboard-interactive' && options.keyboardPrompts) {
      context.prompt(
        options.keyboardPrompts.map((prompt) => ({ prompt, echo: false })),
        (answers) => {
          if (answers.join('\n') === (options.keyboardAnswers ?? []).join('\n')) pass();
          else refuse();
        },
      );
      return undefined;
    }
    return refuse();
  });
  client.on('tcpip', (accept, reject, info) => {
    if (!options.allowForwarding) return reject();
    const out = connect(info.destPort, info.destIP);
    out.on('error', () => reject());
    out.once('connect', () => {
      const stream = accept();
      stream.pipe(out).pipe(stream);
      stream.on('close', () => out.destroy());
      stream.on('error', () => out.destroy());
    });
    return undefined;
  });
  let sessions = 0;
  client.on('session', (accept, reject) => {
    if (options.maxSessions !== undefined && sessions >= options.maxSessions) return reject();
    sessions++;
    state.open++;
    const session = accept();
    session.on('exec', (acceptExec, _reject, info) => {
      state.commands.push(info.command);
      runShell(acceptExec(), info.command, options, () => {
        sessions--;
        state.open--;
      });
    });
    return undefined;
  });
}

function isAuthorized(
  context: Extract<AuthContext, { method: 'publickey' }>,
  options: TestServerOptions,
): boolean {
  const allowed = options.authorized?.some((blob) => blob.equals(context.key.data)) ?? false;
  if (!allowed) return false;
  if (context.signature === undefined || context.blob === undefined) return true;
  const key = ssh2.utils.parseKey(context.key.data);
  if (key instanceof Error || Array.isArray(key)) return false;
  return key.verify(context.blob, context.signature, context.hashAlgo) === true;
}

function runShell(
  channel: ServerChannel,
  command: string,
  options: TestServerOptions,
  onEnd: () => void,
): void {
  const [program = 'sh', ...rest] = options.shell ?? ['/bin/sh', '-c'];
  const child = spawn(program, [...rest, command], {
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/nonexistent', ...options.env },
    stdio: 'pipe',
  });
  channel.on('error', () => undefined);
  child.stdin.on('error', () => undefined);
  channel.pipe(child.stdin);
  child.stdout.pipe(channel, { end: false });
  child.stderr.pipe(channel.stderr, { end: false });
  channel.on('close', () => child.kill('SIGKILL'));
  child.on('close', (code, signal) => {
    if (signal) channel.exit(signal.slice(3) as never);
    else channel.exit(code ?? 1);
    channel.end();
    onEnd();
  });
}

/** Makes a key pair; `passphrase` encrypts the private half (OpenSSH format). */
export async function makeKey(type: 'ed25519' | 'rsa' | 'ecdsa', passphrase?: string): Promise<TestKey> {
  const bits = type === 'rsa' ? { bits: 2048 } : type === 'ecdsa' ? { bits: 256 } : {};
  const lock = passphrase === undefined ? {} : { passphrase, cipher: 'aes256-ctr', rounds: 4 };
  let pair = ssh2.utils.generateKeyPairSync(type, { ...bits, ...lock } as never);
  // Now and then ssh2 writes a key that it cannot read itself.
  while (ssh2.utils.parseKey(pair.private, passphrase) instanceof Error) {
    pair = ssh2.utils.generateKeyPairSync(type, { ...bits, ...lock } as never);
  }
  const blob = Buffer.from(pair.public.split(' ')[1] ?? '', 'base64');
  const { readFingerprint } = await import('../../src/ssh/known-hosts.js');
  return { privateText: pair.private, publicText: pair.public, blob, fingerprint: readFingerprint(blob) };
}
