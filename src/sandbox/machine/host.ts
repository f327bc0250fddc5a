import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { addressOf, type HostAddress, labDir, namespaceOf } from '../layout.js';
import { createHost, writeResolvConf } from '../net/network.js';
import { type RunOptions, type RunResult, tryRun } from '../run.js';
import type { LabState } from '../state.js';
import { destroyGroup, groupPath, groupProcesses } from './cgroup.js';
import {
  bootContainer,
  type Container,
  containerDirs,
  execInContainer,
  killContainer,
  mountContainer,
  runInContainer,
} from './container.js';
import { startDaemon, tailOf } from './daemon.js';

/** What a service host runs. */
export type HostProgram =
  /** The services image, or another one, with its own init: enable units in `prepare`. */
  | { kind: 'boot'; hostname: string; imageDir?: string }
  /** One program of the services image. */
  | { kind: 'container'; argv: readonly string[]; env?: Readonly<Record<string, string>> }
  /** One program of this machine, in the host's network (with the lab's resolver). */
  | { kind: 'process'; argv: readonly string[]; env?: Readonly<Record<string, string>> }
  /** A network and nothing in it yet. */
  | { kind: 'none' };

/** A host of the private Internet beside the VPS. */
export interface LabHost extends HostAddress {
  readonly name: string;
  readonly namespace: string;
  /** Root file system of a `boot` or `container` host. */
  readonly root: string;
  readonly logFile: string;
  start(): Promise<void>;
  /** Ends all its processes at once; its network stays. */
  stop(): Promise<void>;
  isRunning(): Promise<boolean>;
  /** Runs a program in a running container, or in the network of a `process` host. */
  exec(argv: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** Last lines it printed. */
  tail(lines?: number): Promise<string[]>;
}

/** Creates the network of a host and, for the kinds that have one, mounts its root. Nothing runs yet. */
export async function createServiceHost(
  state: LabState,
  name: string,
  last: number,
  program: HostProgram,
  prepare?: (root: string) => Promise<void>,
): Promise<LabHost> {
  const resolvConf = 'nameserver 198.51.100.1\n';
  await createHost(state.name, name, addressOf(last, state.ipv6));
  await writeResolvConf(state.name, name, resolvConf);
  const host = openHost(state, name, last, program);
  if (program.kind === 'boot' || program.kind === 'container') {
    const root = await mountContainer(containerOf(state, name, program));
    await writeFile(join(root, 'etc/resolv.conf'), resolvConf);
    if (program.kind === 'boot') await writeFile(join(root, 'etc/hostname'), `${program.hostname}\n`);
    await prepare?.(root);
  }
  return host;
}

export function openHost(state: LabState, name: string, last: number, program: HostProgram): LabHost {
  const container = containerOf(state, name, program);
  const logFile = containerDirs(container).log;
  const inNetwork = ['ip', 'netns', 'exec', namespaceOf(state.name, name)];
  const isRunning = async () => (await groupProcesses(await groupPath(state.name, name))).length > 0;
  return {
    ...addressOf(last, state.ipv6),
    name,
    namespace: namespaceOf(state.name, name),
    root: containerDirs(container).merged,
    logFile,
    isRunning,
    start: async () => {
      if (await isRunning()) return;
      if (program.kind === 'boot') await bootContainer(container, program.hostname);
      if (program.kind === 'container') await runInContainer(container, program.argv, program.env);
      if (program.kind === 'process') {
        const env = program.env ?? {};
        const argv = [...inNetwork, ...program.argv];
        await startDaemon({ lab: state.name, group: name, argv, env, logFile, cwd: labDir(state.name) });
      }
    },
    stop: async () => {
      if (program.kind === 'process') await destroyGroup(await groupPath(state.name, name));
      else await killContainer(container);
    },
    exec: async (argv, options) => {
      if (program.kind === 'boot' || program.kind === 'container')
        return execInContainer(container, argv, options);
      return tryRun('ip', [...inNetwork.slice(1), ...argv], options);
    },
    tail: (lines) => tailOf(logFile, lines),
  };
}

function containerOf(state: LabState, name: string, program: HostProgram): Container {
  const lower = program.kind === 'boot' ? (program.imageDir ?? state.servicesDir) : state.servicesDir;
  return { lab: state.name, host: name, lower: [lower] };
}
