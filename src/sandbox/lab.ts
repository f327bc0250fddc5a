import { type ChildProcess, spawn } from 'node:child_process';
import { Exit, SetupError } from '../errors.js';
import { readHostApt } from './apt/host-apt.js';
import { cacheDirFrom } from './cache-dir.js';
import { destroyLab, lockLab, removeLab } from './destroy-lab.js';
import { requireHostPackages } from './host-packages.js';
import { ensureImage } from './images/build-image.js';
import type { VpsImage } from './images/recipes.js';
import {
  addressOf,
  HOSTS,
  type HostAddress,
  type HostName,
  labDir,
  namespaceOf,
  requireLabName,
} from './layout.js';
import { isAlive, readProcessId } from './lock.js';
import { createServiceHost, type HostProgram, type LabHost, openHost } from './machine/host.js';
import { findLayer } from './machine/layers.js';
import { mountTmpfs } from './machine/mounts.js';
import { openVps, prepareVps, type Vps } from './machine/vps.js';
import { applyFaults } from './net/faults.js';
import { createHost, createInternet } from './net/network.js';
import { type RunOptions, type RunResult, SANDBOX_ENV, tryRun } from './run.js';
import { type LabAcme, openAcme, startAcme } from './services/acme.js';
import { startAptProxy } from './services/apt-proxy-service.js';
import { type LabDns, newTsigSecret, openDns, startDns, trustAnchorFile } from './services/dns.js';
import { type LabResolver, openResolver, startResolver } from './services/resolver.js';
import {
  ensureLabsDir,
  type LabState,
  listLabNames,
  readLabState,
  updateLabState,
  writeLabState,
} from './state.js';

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
  /** Names of the domain's name servers; the default are Cloudflare's, so that the provider is recognised by them. */
  nameServers?: readonly string[];
  /** Default true. */
  ipv6?: boolean;
  /** What to start beside the VPS; default all. The resolver needs `dns`; validation by the ACME server needs both. */
  services?: readonly LabService[];
  cacheDir?: string;
  /** Ends a creation under way; what was created is removed again. */
  signal?: AbortSignal;
  log?(line: string): void;
}

export type LabService = 'dns' | 'resolver' | 'acme';
const ALL_SERVICES: readonly LabService[] = ['dns', 'resolver', 'acme'];
const CLOUDFLARE_NAME_SERVERS = ['ada.ns.cloudflare.com.', 'bob.ns.cloudflare.com.'];

export interface StartHostOptions {
  program: HostProgram;
  /** Last part of its address; the hosts of {@link HOSTS} have theirs, others choose one that is free. */
  last?: number;
  /** Writes configuration into the root of a `boot` or `container` host before it starts. */
  prepare?(root: string): Promise<void>;
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
  readonly dns: LabDns;
  /** Address of the resolver that the VPS and the client use. */
  readonly resolver: string;
  readonly resolverHost: LabResolver;
  /** The root zone's DNSKEY in zone-file form. */
  readonly trustAnchorFile: string;
  readonly acme: LabAcme;
  readonly addresses: Readonly<Record<HostName, HostAddress>>;
  /** Creates a further host and starts its program; it ends with the lab. */
  startHost(name: string, options: StartHostOptions): Promise<LabHost>;
  /** A host that was started before, also by another process. */
  host(name: string): Promise<LabHost | undefined>;
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
  const release = await lockLab(options.name);
  try {
    const before = await readLabState(options.name);
    if (before?.phase === 'ready') throw alreadyUp(options.name);
    if ((await listLabNames()).includes(options.name)) {
      log(`Removing what an interrupted run left of the sandbox ${options.name}`);
      await removeLab(options.name);
    }
    try {
      return await build(options, log);
    } catch (error) {
      await removeLab(options.name);
      throw error;
    }
  } finally {
    await release();
  }
}

async function build(options: LabOptions, log: (line: string) => void): Promise<Lab> {
  const { name, signal } = options;
  const image = options.image ?? 'debian-12';
  const cacheDir = options.cacheDir ?? cacheDirFrom({});
  const buildOptions = { cacheDir, log, ...(signal === undefined ? {} : { signal }) };
  const imageDir = await ensureImage(image, buildOptions);
  const servicesDir = await ensureImage('services', buildOptions);
  const vpsLower =
    options.layer === undefined ? [imageDir] : await findLayer(cacheDir, imageDir, options.layer);
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
    servicesDir,
    ...(options.layer === undefined ? {} : { layer: options.layer }),
    vpsLower,
    hostname: options.hostname ?? 'vps1',
    hostKeyFingerprint: '',
    tsigSecret: newTsigSecret(),
    zones: [],
    hosts: {},
    faults: [],
  };
  await writeLabState(state);
  signal?.throwIfAborted();

  log('Creating the network');
  await createInternet(name, state.ipv6);
  await createHost(name, 'vps', addressOf(HOSTS.vps, state.ipv6));
  await createServiceHost(state, 'client', HOSTS.client, { kind: 'none' });
  const apt = await readHostApt();
  const hostKeyFingerprint = await prepareVps(state, apt);
  state = await updateLabState(name, (now) => ({ ...now, hostKeyFingerprint }));
  signal?.throwIfAborted();

  const wanted = new Set(options.services ?? ALL_SERVICES);
  log(
    `Booting the VPS (${image}${options.layer === undefined ? '' : `, layer ${options.layer}`}) and its Internet`,
  );
  // Waits for all, so that nothing is still being created while a failure is cleaned up.
  const results = await Promise.allSettled([
    startAptProxy(state, apt),
    openVps(state).start(),
    wanted.has('dns') ? startNames(state, wanted, options.nameServers ?? CLOUDFLARE_NAME_SERVERS) : undefined,
    wanted.has('acme') ? startAcme(state) : undefined,
  ]);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
  signal?.throwIfAborted();
  return openLab(await updateLabState(name, (now) => ({ ...now, phase: 'ready' })));
}

async function startNames(
  state: LabState,
  wanted: ReadonlySet<LabService>,
  nameServers: readonly string[],
): Promise<void> {
  await startDns(state, nameServers);
  if (wanted.has('resolver')) await startResolver(state);
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

function openLab(state: LabState): Lab {
  const addresses = Object.fromEntries(
    Object.entries(HOSTS).map(([host, last]) => [host, addressOf(last, state.ipv6)]),
  ) as Record<HostName, HostAddress>;
  return {
    name: state.name,
    domain: state.domain,
    image: state.image,
    directory: labDir(state.name),
    vps: openVps(state),
    client: openClient(state),
    dns: openDns(state),
    resolver: addresses.resolver.ipv4,
    resolverHost: openResolver(state),
    trustAnchorFile: trustAnchorFile(state.name),
    acme: openAcme(state),
    addresses,
    startHost: (name, options) => startHost(state, name, options),
    host: async (name) => {
      const found = (await readLabState(state.name))?.hosts[name];
      return found === undefined ? undefined : openHost(state, name, found.last, found.program);
    },
    down: () => destroyLab(state.name),
  };
}

async function startHost(state: LabState, name: string, options: StartHostOptions): Promise<LabHost> {
  const last = options.last ?? (HOSTS as Readonly<Record<string, number>>)[name];
  const known = (await readLabState(state.name))?.hosts ?? {};
  const taken = [
    ...Object.entries(HOSTS),
    ...Object.entries(known).map(([other, { last: used }]) => [other, used] as const),
  ];
  const clash = taken.find(([other, used]) => used === last && other !== name);
  if (
    last === undefined ||
    last < 2 ||
    last > 253 ||
    clash !== undefined ||
    !/^[a-z][a-z0-9]{0,11}$/.test(name)
  ) {
    throw new SetupError({
      code: 'E_SANDBOX_HOST',
      exit: Exit.usage,
      what: `A host ${JSON.stringify(name)} cannot be added to the sandbox.`,
      evidence:
        clash === undefined ? [`address 198.51.100.${last}`] : [`198.51.100.${last} belongs to ${clash[0]}`],
      fix: ['Give it a name of small letters and digits (at most 12), and the last part of a free address.'],
    });
  }
  const host = await createServiceHost(state, name, last, options.program, options.prepare);
  const { faults } = await updateLabState(state.name, (now) => ({
    ...now,
    hosts: { ...now.hosts, [name]: { last, program: options.program } },
  }));
  if (faults.length > 0) await applyFaults(state.name, faults);
  await host.start();
  return host;
}

function openClient(state: LabState): LabClient {
  const namespace = namespaceOf(state.name, 'client');
  const command = (program: string, args: readonly string[]) => [
    'ip',
    'netns',
    'exec',
    namespace,
    program,
    ...args,
  ];
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
  return Promise.all(
    names.map(async (name) => ({ name, ready: (await readLabState(name))?.phase === 'ready' })),
  );
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
