import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheDirFrom, ensureImage } from '../../src/sandbox/index.js';
import { type RunResult, tryRun } from '../../src/sandbox/run.js';

/** A daemon of the sandbox's services image, in namespaces of its own: nothing of it is reachable but the relays. */
export interface RealDaemon {
  /** Port on 127.0.0.1 that leads to a TCP port of the daemon. */
  portTo(inside: number): number;
  /** Runs a program of the image beside the daemon, with its files in /mnt. */
  exec(argv: readonly string[], input?: string): Promise<RunResult>;
  close(): Promise<void>;
}

export interface DaemonSettings {
  /** Files by name; they lie in /mnt. */
  files: Readonly<Record<string, string>>;
  /** Shell commands that prepare it, then the daemon's own command. */
  prepare?: readonly string[];
  command: string;
  ports: readonly number[];
}

/** Starts it and waits until its first port answers. Needs root, as the sandbox does. */
export async function startRealDaemon(settings: DaemonSettings): Promise<RealDaemon> {
  const image = await ensureImage('services', { cacheDir: cacheDirFrom(process.env), log: () => undefined });
  const work = await mkdtemp(join(tmpdir(), 'smtp-setup-daemon-'));
  for (const [name, text] of Object.entries(settings.files)) await writeFile(join(work, name), text);
  const script = [
    'set -e',
    `mount --bind ${work} ${image}/mnt`,
    `mount -t tmpfs tmpfs ${image}/run`,
    `mount -t proc proc ${image}/proc`,
    `mount --bind /dev ${image}/dev`,
    'ip link set lo up',
    ...(settings.prepare ?? []).map((line) => `chroot ${image} sh -ec '${line}'`),
    ...settings.ports.map((port) => `socat UNIX-LISTEN:${work}/${port}.sock,fork TCP:127.0.0.1:${port} &`),
    `exec chroot ${image} ${settings.command}`,
  ].join('\n');
  const child = spawn(
    'unshare',
    ['--net', '--mount', '--pid', '--fork', '--kill-child', 'sh', '-c', script],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let output = '';
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString('utf8')).slice(-8000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const relays = await Promise.all(settings.ports.map((port) => relay(join(work, `${port}.sock`))));
  const exec: RealDaemon['exec'] = async (argv, input) => {
    const inside = await childOf(child);
    const enter = [`--target=${inside}`, '--net', '--mount', 'chroot', image, ...argv];
    return tryRun('nsenter', enter, input === undefined ? {} : { input });
  };
  const close = async (): Promise<void> => {
    for (const { stop } of relays) stop();
    const ended = new Promise((resolve) => child.once('close', resolve));
    if (child.exitCode === null && child.kill('SIGKILL')) await ended;
    await rm(work, { recursive: true, force: true });
  };
  try {
    await waitForPort(settings.ports[0] ?? 0, child);
  } catch (error) {
    await close();
    throw new Error(`the daemon did not start:\n${output}`, { cause: error });
  }
  return {
    portTo: (inside) => relays[settings.ports.indexOf(inside)]?.port ?? 0,
    exec,
    close,
  };
}

/** Waits until a zone is answered for; a daemon listens before it has read its zones. */
export async function untilServed(daemon: RealDaemon, zone: string): Promise<RealDaemon> {
  for (let tried = 0; tried < 200; tried++) {
    const { stdout } = await daemon.exec(['dig', '@127.0.0.1', '+short', '+norec', '+tcp', 'SOA', zone]);
    if (/^\S+ \S+ \d+ /.test(stdout)) return daemon;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await daemon.close();
  throw new Error(`${zone} is not served`);
}

async function childOf({ pid }: ChildProcess): Promise<string> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return children.trim().split(' ')[0] ?? '';
}

async function waitForPort(port: number, child: ChildProcess): Promise<void> {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  for (let tried = 0; tried < 1200; tried++) {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
    const inside = await childOf(child);
    const listening = inside === '' ? '' : await readFile(`/proc/${inside}/net/tcp`, 'utf8').catch(() => '');
    if (new RegExp(`:${hex} [0-9A-F]{8}:0000 0A`).test(listening)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`port ${port} never listened`);
}

/** From a loopback port to a Unix socket: the only way between the two networks. */
async function relay(path: string): Promise<{ port: number; stop(): void }> {
  const open = new Set<{ destroy(): void }>();
  const server = createServer((client) => {
    const upstream = connect({ path });
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(socket);
      socket.pipe(other);
      socket.on('error', () => other.destroy());
      socket.on('close', () => open.delete(socket));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    stop: () => {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}
