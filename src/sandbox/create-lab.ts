import { Exit, SetupError } from '../errors.js';
import { readHostApt } from './apt/host-apt.js';
import { cacheDirFrom } from './cache-dir.js';
import { lockLab, removeLab } from './destroy-lab.js';
import { requireHostPackages } from './host-packages.js';
import { ensureImage } from './images/build-image.js';
import type { VpsImage } from './images/recipes.js';
import { type Lab, openLab } from './lab.js';
import { addressOf, HOSTS, labDir, requireLabName } from './layout.js';
import { readProcessId } from './lock.js';
import { createServiceHost } from './machine/host.js';
import { findLayer } from './machine/layers.js';
import { mountTmpfs } from './machine/mounts.js';
import { openVps, prepareVps } from './machine/vps.js';
import { createHost, createInternet } from './net/network.js';
import { startAcme } from './services/acme.js';
import { startAptProxy } from './services/apt-proxy-service.js';
import { newTsigSecret, startDns } from './services/dns.js';
import { startResolver } from './services/resolver.js';
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
