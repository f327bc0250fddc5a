import { type ChildProcess, spawn } from 'node:child_process';
import { Exit, SetupError } from '../errors.js';
import { destroyLab } from './destroy-lab.js';
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
import { isAlive } from './lock.js';
import { createServiceHost, type HostProgram, type LabHost, openHost } from './machine/host.js';
import { openVps, type Vps } from './machine/vps.js';
import { applyFaults } from './net/faults.js';
import { type RunOptions, type RunResult, SANDBOX_ENV, tryRun } from './run.js';
import { type LabAcme, openAcme } from './services/acme.js';
import { type LabDns, openDns, trustAnchorFile } from './services/dns.js';
import { type LabResolver, openResolver } from './services/resolver.js';
import { type LabState, listLabNames, readLabState, updateLabState } from './state.js';

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

export function openLab(state: LabState): Lab {
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
