import { join } from 'node:path';
import { type ChildProcess, spawn } from 'node:child_process';
import { Exit, SetupError } from '../errors.js';
import { readHostApt } from './apt/host-apt.js';
import { cacheDirFrom } from './cache-dir.js';
import { destroyLab } from './destroy-lab.js';
import { requireHostPackages } from './host-packages.js';
import { ensureImage } from './images/build-image.js';
import type { VpsImage } from './images/recipes.js';
import { addressOf, type HostAddress, HOSTS, type HostName, LABS_DIR, labDir, namespaceOf, requireLabName } from './layout.js';
import { isAlive, readProcessId, tryLock } from './lock.js';
import { findLayer } from './machine/layers.js';
import { mountTmpfs } from './machine/mounts.js';
import { openVps, prepareVps, type Vps } from './machine/vps.js';
import { createHost, createInternet, writeResolvConf } from './net/network.js';
import { type RunOptions, type RunResult, SANDBOX_ENV, tryRun } from './run.js';
import { startAptProxy } from './services/apt-proxy-service.js';
import { ensureLabsDir, type LabState, listLabNames, readLabState, writeLabState } from './state.js';

export interface LabOptions {
  /** Small letters, digits and inner hyphens, at most 20. */
  name: string;
  image?: VpsImage;
  /** Start from this layer instead of a fresh installation (see {@link Vps.saveLayer}). */
  layer?: string;
  /** Host name the VPS boots with; default `vps1`. */
  hostname?: string;
  /** The user's domain, default `rehearsal.test`. */
  domain?: string;
  /** Default true. */
  ipv6?: boolean;
  cacheDir?: string;
  /** Ends a creation under way; what was created is removed again. */
  signal?: AbortSignal;
  log?(line: string): void;
}

export interface LabClient {
  readonly namespace: string;
  readonly ipv4: string;
  readonly ipv6?: string;
  /** Runs a program in the client's network, with the lab's resolver in /etc/resolv.conf. */
  exec(command: string, args: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** The argument vector that {@link exec} would run: for terminals and for processes that are talked to. */
  command(command: string, args: readonly string[]): string[];
  spawn(command: string, args: readonly string[], env?: Readonly<Record<string, string>>): ChildProcess;
}

/** A running private Internet with a VPS in it. */
export interface Lab {
  readonly name: string;
  readonly domain: string;
  readonly image: VpsImage;
  /** Scratch directory of this lab; gone with it. */
  readonly directory: string;
  readonly vps: Vps;
  readonly client: LabClient;
  readonly resolver: string;
  readonly addresses: Readonly<Record<HostName, HostAddress>>;
  down(): Promise<void>;
}

/** Memory that one lab's disks may use. */
const DISK_BYTES = 6 * 1024 ** 3;

/**
 * Boots a VPS in a private Internet. Everything that was created is removed again when it fails or is aborted; a crashed
 * lab of the same name is cleaned up first. Errors: `E_SANDBOX_EXISTS`, `E_SANDBOX_BUSY`, `E_SANDBOX_PACKAGES`, …
 */
export async function createLab(options: LabOptions): Promise<Lab> {
  requireLabName(options.name);
  const log = options.log ?? (() => undefined);
  await requireHostPackages();
  await ensureLabsDir();
  const lock = await tryLock(join(LABS_DIR, `${options.name}.lock`));
  if (typeof lock !== 'function') throw busy(options.name, lock.pid);
  try {
    const before = await readLabState(options.name);
    if (before?.phase === 'ready') throw alreadyUp(options.name);
    if ((await listLabNames()).includes(options.name)) {
      log(`Removing what an interrupted run left of the sandbox ${options.name}`);
      await destroyLab(options.name);
    }
    try {
      return await build(options, log);
    } catch (error) {
      await destroyLab(options.name);
      throw error;
    }
  } finally {
    await lock();
  }
}

async function build(options: LabOptions, log: (line: string) => void): Promise<Lab> {
  const { name, signal } = options;
  const image = options.image ?? 'debian-12';
  const cacheDir = options.cacheDir ?? cacheDirFrom({});
  const buildOptions = { cacheDir, log, ...(signal === undefined ? {} : { signal }) };
  const imageDir = await ensureImage(image, buildOptions);
  const vpsLower = options.layer === undefined ? [imageDir] : await findLayer(cacheDir, imageDir, options.layer);
  if (vpsLower === undefined) throw unknownLayer(options.layer ?? '', image);
  const owner = await readProcessId(process.pid);
  if (owner === undefined) throw new Error('/proc is not mounted');

  await mountTmpfs(labDir(name), DISK_BYTES);
  let state: LabState = {
    version: 1,
    name,
    phase: 'starting',
    owner,
    cacheDir,
    domain: options.domain ?? 'rehearsal.test',
    ipv6: options.ipv6 ?? true,
    image,
    imageDir,
    ...(options.layer === undefined ? {} : { layer: options.layer }),
    vpsLower,
    hostname: options.hostname ?? 'vps1',
    hostKeyFingerprint: '',
    zones: [],
    hosts: {},
    faults: [],
  };
  await writeLabState(state);
  signal?.throwIfAborted();

  log('Creating the network');
  await createInternet(name, state.ipv6);
  for (const host of ['client', 'vps'] as const) await createHost(name, host, addressOf(HOSTS[host], state.ipv6));
  await writeResolvConf(name, 'client', `nameserver ${addressOf(HOSTS.resolver, false).ipv4}\n`);
  const apt = await readHostApt();
  await startAptProxy(state, apt);
  signal?.throwIfAborted();

  log(`Booting the VPS (${image}${options.layer === undefined ? '' : `, layer ${options.layer}`})`);
  state = { ...state, hostKeyFingerprint: await prepareVps(state, apt) };
  const lab = openLab(state);
  await lab.vps.start();
  signal?.throwIfAborted();
  await writeLabState({ ...state, phase: 'ready' });
  return openLab({ ...state, phase: 'ready' });
}

/** Opens a lab that another process created. Errors: `E_SANDBOX_UNKNOWN`, `E_SANDBOX_BROKEN`. */
export async function loadLab(name: string): Promise<Lab> {
  requireLabName(name);
  const state = await readLabState(name);
  if (state?.phase === 'ready') return openLab(state);
  const starting = state !== undefined && (await isAlive(state.owner));
  throw new SetupError({
    code: state === undefined ? 'E_SANDBOX_UNKNOWN' : 'E_SANDBOX_BROKEN',
    exit: starting ? Exit.busy : Exit.usage,
    what:
      state === undefined
        ? `No sandbox of the name ${name} is running.`
        : `The sandbox ${name} ${starting ? 'is still starting' : 'was interrupted while it started'}.`,
    evidence: (await listLabNames()).map((other) => `running: ${other}`),
    fix: [`Start it with: smtp-setup sandbox up --name ${name}`],
  });
}

function openLab(initial: LabState): Lab {
  let state = initial;
  const save = async (change: Partial<LabState>): Promise<LabState> => {
    state = { ...state, ...change };
    await writeLabState(state);
    return state;
  };
  const addresses = Object.fromEntries(
    Object.entries(HOSTS).map(([host, last]) => [host, addressOf(last, state.ipv6)]),
  ) as Record<HostName, HostAddress>;
  return {
    name: state.name,
    domain: state.domain,
    image: state.image,
    directory: labDir(state.name),
    vps: openVps(state, save),
    client: openClient(state),
    resolver: addresses.resolver.ipv4,
    addresses,
    down: () => destroyLab(state.name),
  };
}

function openClient(state: LabState): LabClient {
  const namespace = namespaceOf(state.name, 'client');
  const command = (program: string, args: readonly string[]) => ['ip', 'netns', 'exec', namespace, program, ...args];
  return {
    ...addressOf(HOSTS.client, state.ipv6),
    namespace,
    command,
    exec: (program, args, options) => tryRun('ip', command(program, args).slice(1), options),
    spawn: (program, args, env = {}) =>
      spawn('ip', command(program, args).slice(1), { env: { ...SANDBOX_ENV, ...env }, stdio: 'pipe' }),
  };
}

/** Names of the labs of this machine and whether they are whole. */
export async function listLabs(): Promise<{ name: string; ready: boolean }[]> {
  const names = await listLabNames();
  return Promise.all(names.map(async (name) => ({ name, ready: (await readLabState(name))?.phase === 'ready' })));
}

function busy(name: string, pid: number): SetupError {
  return new SetupError({
    code: 'E_SANDBOX_BUSY',
    exit: Exit.busy,
    what: `Another process is just creating the sandbox ${name}.`,
    evidence: [`process ${pid}`],
    fix: ['Wait until it is done, or choose another name.'],
  });
}

function alreadyUp(name: string): SetupError {
  return new SetupError({
    code: 'E_SANDBOX_EXISTS',
    exit: Exit.usage,
    what: `The sandbox ${name} is already running.`,
    fix: [`Use it, or end it with: smtp-setup sandbox down --name ${name}`],
  });
}

function unknownLayer(layer: string, image: string): SetupError {
  return new SetupError({
    code: 'E_SANDBOX_LAYER',
    exit: Exit.usage,
    what: `There is no layer ${layer} for the image ${image}, or it was made for an older one.`,
    fix: ['Save it again from a running sandbox, or start without a layer.'],
  });
}
