import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { HostApt } from '../apt/host-apt.js';
import { sourcesForRelease } from '../apt/sources.js';
import { RECIPES } from '../images/recipes.js';
import { labDir } from '../layout.js';
import { isErrno } from '../lock.js';
import { startDaemon, tailOf } from '../machine/daemon.js';
import { findDaemonFile } from '../machine/daemon-file.js';
import { APT_PROXY_PORT } from '../machine/vps.js';
import { waitUntil } from '../machine/wait-until.js';
import { INET, inNamespace } from '../net/network.js';
import type { LabState } from '../state.js';

/**
 * Starts the package proxy in this machine's network and its door in the lab's. Only the unix socket between the two
 * is shared, so nothing else can come in or go out through it.
 */
export async function startAptProxy(state: LabState, apt: HostApt): Promise<void> {
  const directory = labDir(state.name);
  const socket = join(directory, 'apt.sock');
  const logFile = join(directory, 'apt-proxy.log');
  const options = {
    archives: [
      ...new Set(sourcesForRelease(apt.sources, RECIPES[state.image].release).map(({ uri }) => uri)),
    ],
    cacheDir: join(state.cacheDir, 'apt'),
    ...(apt.httpProxy === undefined ? {} : { upstreamProxy: apt.httpProxy }),
  };
  const argv = [
    process.execPath,
    await findDaemonFile('apt-proxy', directory),
    socket,
    JSON.stringify(options),
  ];
  await startDaemon({ lab: state.name, group: 'apt', argv, logFile });
  await waitUntil(() => isSocket(socket), {
    what: 'the package proxy to start',
    timeoutMs: 120_000,
    evidence: () => tailOf(logFile),
  });
  const door = ['socat', `TCP-LISTEN:${APT_PROXY_PORT},fork,reuseaddr`, `UNIX-CONNECT:${socket}`];
  await startDaemon({ lab: state.name, group: 'apt', argv: inNamespace(state.name, INET, door), logFile });
}

async function isSocket(file: string): Promise<boolean> {
  try {
    return (await stat(file)).isSocket();
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false;
    throw error;
  }
}
