import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { HostApt } from '../apt/host-apt.js';
import { requireSources } from '../apt/host-apt.js';
import { renderSourceLine } from '../apt/sources.js';
import { RECIPES, type VpsImage } from '../images/recipes.js';
import { addressOf, HOSTS, labDir } from '../layout.js';
import { applyFaults, type Fault } from '../net/faults.js';
import { INET, inNamespace, ipIn, portName } from '../net/network.js';
import { type RunOptions, type RunResult, tryRun } from '../run.js';
import { type LabState, updateLabState } from '../state.js';
import {
  bootContainer,
  type Container,
  containerDirs,
  enterArgs,
  execInContainer,
  findLeader,
  forgetMachine,
  killContainer,
  mountContainer,
} from './container.js';
import { tailOf } from './daemon.js';
import { layerChain, requireReplaceable, writeLayer } from './layers.js';
import { mountOverlay, unmountBelow } from './mounts.js';
import { authorizeKey, ensureHostKeys } from './ssh-keys.js';
import { waitUntil } from './wait-until.js';

export const APT_PROXY_PORT = 3142;

/** The rented server: a booted Debian with sshd. All methods resolve when the thing is done, not merely begun. */
export interface Vps {
  readonly ipv4: string;
  readonly ipv6?: string;
  readonly hostname: string;
  /** File with the private key that root's authorized_keys accepts. */
  readonly sshKeyFile: string;
  /** `SHA256:…` of the Ed25519 host key. */
  readonly hostKeyFingerprint: string;
  /** The VPS's root file system as seen from this machine (for looking and for planting faults). */
  readonly root: string;
  /** Runs a shell command as root inside, without SSH. Any exit code is a result, not an error. */
  exec(command: string, options?: RunOptions): Promise<RunResult>;
  isRunning(): Promise<boolean>;
  /** Arguments for nsenter(1) to get inside (`sandbox shell`); undefined when the VPS is down. */
  enterCommand(
    argv: readonly string[],
    env?: Readonly<Record<string, string>>,
  ): Promise<string[] | undefined>;
  start(): Promise<void>;
  /** Clean shutdown. */
  stop(): Promise<void>;
  reboot(): Promise<void>;
  /** Every process inside is gone in an instant; the VPS stays off until {@link start}. */
  powerCut(): Promise<void>;
  /** Resolves when sshd greets on the VPS's address. */
  waitForSsh(): Promise<void>;
  /** Stops the VPS cleanly, keeps its disk in the cache under this name, and starts it again unless told otherwise. */
  saveLayer(name: string, options?: { restart?: boolean }): Promise<void>;
  cutLink(): Promise<void>;
  restoreLink(): Promise<void>;
  /** The network before the VPS drops (or refuses) what the VPS sends to this TCP port elsewhere. */
  blockOutbound(port: number, how?: 'drop' | 'reject'): Promise<void>;
  blockInbound(port: number, how?: 'drop' | 'reject'): Promise<void>;
  /** Takes all blocked ports back. */
  unblock(): Promise<void>;
}

export function vpsContainer(state: LabState): Container {
  return { lab: state.name, host: 'vps', lower: state.vpsLower };
}

/** Mounts the root of a new VPS and gives it its identity: name, keys, resolver, package sources. Returns the host key's fingerprint. */
export async function prepareVps(state: LabState, apt: HostApt): Promise<string> {
  const root = await mountContainer(vpsContainer(state));
  await furnishVps(root, state.hostname, state.image, apt);
  await authorizeKey(root, sshKeyFile(state.name));
  return ensureHostKeys(root);
}

/** Name, resolver and package sources of a rented server. */
export async function furnishVps(
  root: string,
  hostname: string,
  image: VpsImage,
  apt: HostApt,
): Promise<void> {
  const short = hostname.split('.')[0] ?? hostname;
  const resolver = addressOf(HOSTS.resolver, false).ipv4;
  const proxy = `http://${addressOf(HOSTS.router, false).ipv4}:${APT_PROXY_PORT}`;
  const sources = requireSources(apt, RECIPES[image].release).map((source) =>
    renderSourceLine({ ...source, uri: source.uri.replace(/^https:/, 'http:') }),
  );
  const write = (file: string, text: string) => writeFile(join(root, file), text);
  await write('etc/hostname', `${hostname}\n`);
  await write(
    'etc/hosts',
    `127.0.0.1 localhost\n127.0.1.1 ${[...new Set([hostname, short])].join(' ')}\n::1 localhost ip6-localhost ip6-loopback\n`,
  );
  await rm(join(root, 'etc/resolv.conf'), { force: true });
  await write('etc/resolv.conf', `nameserver ${resolver}\n`);
  await write('etc/apt/sources.list', `${sources.join('\n')}\n`);
  await write(
    'etc/apt/apt.conf.d/90sandbox',
    [`Acquire::http::Proxy "${proxy}";`, ...apt.settings, ''].join('\n'),
  );
}

export function sshKeyFile(lab: string): string {
  return join(labDir(lab), 'id_ed25519');
}

export function openVps(state: LabState): Vps {
  const container = vpsContainer(state);
  const address = addressOf(HOSTS.vps, state.ipv6);
  const dirs = containerDirs(container);

  const waitForSsh = async (): Promise<void> => {
    const greet = `exec 3<>/dev/tcp/${address.ipv4}/22 && read -r -t 2 -n 4 -u 3 text && printf %s "$text"`;
    const [command = '', ...args] = inNamespace(state.name, INET, ['timeout', '3', 'bash', '-c', greet]);
    await waitUntil(async () => (await tryRun(command, args)).stdout === 'SSH-', {
      what: 'the VPS to answer on port 22',
      timeoutMs: 120_000,
      evidence: () => tailOf(dirs.log),
    });
  };
  const waitForEnd = async (): Promise<void> => {
    await waitUntil(async () => (await findLeader(container)) === undefined, {
      what: 'the VPS to shut down',
      timeoutMs: 120_000,
      evidence: () => tailOf(dirs.log),
    });
    await killContainer(container);
    await forgetMachine(state.name, 'vps');
  };
  const start = async (): Promise<void> => {
    if ((await findLeader(container)) === undefined) await bootContainer(container, state.hostname);
    await waitForSsh();
  };
  const stop = async (): Promise<void> => {
    if ((await findLeader(container)) === undefined) return;
    await execInContainer(container, ['systemctl', 'poweroff', '--no-block']);
    await waitForEnd();
  };
  const addFault = async (fault: Fault): Promise<void> => {
    const { faults } = await updateLabState(state.name, (now) => ({
      ...now,
      faults: [...now.faults, fault],
    }));
    await applyFaults(state.name, faults);
  };

  return {
    ...address,
    hostname: state.hostname,
    sshKeyFile: sshKeyFile(state.name),
    hostKeyFingerprint: state.hostKeyFingerprint,
    root: dirs.merged,
    exec: (command, options) => execInContainer(container, ['/bin/sh', '-c', command], options),
    isRunning: async () => (await findLeader(container)) !== undefined,
    enterCommand: async (argv, env) => {
      const leader = await findLeader(container);
      return leader === undefined ? undefined : ['nsenter', ...enterArgs(leader, argv, env)];
    },
    start,
    stop,
    waitForSsh,
    reboot: async () => {
      const before = await findLeader(container);
      await execInContainer(container, ['systemctl', 'reboot', '--no-block']);
      await waitUntil(
        async () => {
          const now = await findLeader(container);
          return now !== undefined && now !== before;
        },
        { what: 'the VPS to reboot', timeoutMs: 120_000, evidence: () => tailOf(dirs.log) },
      );
      await waitForSsh();
    },
    powerCut: async () => {
      await killContainer(container);
      await forgetMachine(state.name, 'vps');
    },
    saveLayer: async (name, options = {}) => {
      const { cacheDir, imageDir, layer } = state;
      await requireReplaceable(cacheDir, imageDir, name);
      await stop();
      // Without this mount nothing can write to the upper directory while it is copied.
      await unmountBelow(dirs.merged);
      try {
        const parents = layer === undefined ? [] : await layerChain(cacheDir, imageDir, layer);
        await writeLayer(cacheDir, imageDir, name, dirs.upper, parents);
      } finally {
        await mountOverlay(container.lower, dirs);
      }
      if (options.restart ?? true) await start();
    },
    cutLink: () => ipIn(state.name, INET, [`link set ${portName('vps')} down`]),
    restoreLink: () => ipIn(state.name, INET, [`link set ${portName('vps')} up`]),
    blockOutbound: (port, how = 'drop') => addFault({ direction: 'out', port, how }),
    blockInbound: (port, how = 'drop') => addFault({ direction: 'in', port, how }),
    unblock: async () => {
      await updateLabState(state.name, (now) => ({ ...now, faults: [] }));
      await applyFaults(state.name, []);
    },
  };
}
