import { randomBytes } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Lab } from '../lab.js';
import { isErrno } from '../lock.js';
import { findDaemonFile } from '../machine/daemon-file.js';
import type { LabHost } from '../machine/host.js';
import { waitUntil } from '../machine/wait-until.js';
import { type CloudflareControl, connectControl } from './control.js';
import { basePath } from './emulator.js';
import type { CloudflareProcessConfig } from './run-process.js';
import type { TokenSettings } from './token-store.js';
import type { ZoneSettings } from './zone-store.js';

const port = 8080;

export interface CloudflareOptions {
  /** Default: the lab's domain. Each must be a zone of the lab's DNS tree. */
  zones?: readonly ZoneSettings[];
  /** Further tokens beside {@link LabCloudflare.token}. */
  tokens?: readonly TokenSettings[];
}

/** A Cloudflare account inside the lab, whose zones are served by the lab's name server. */
export interface LabCloudflare {
  readonly host: LabHost;
  /** For CLOUDFLARE_BASE_URL, from inside the lab. */
  readonly baseUrl: string;
  /** A token that may edit every zone. */
  readonly token: string;
  readonly control: CloudflareControl;
}

const socketOf = (lab: Lab): string => join(lab.directory, 'cloudflare.sock');
const baseUrl = `http://api.test:${port}${basePath}`;

/** Starts the emulator as a process of the lab's `api` host. Its records are gone when that process ends. */
export async function startCloudflare(lab: Lab, options: CloudflareOptions = {}): Promise<LabCloudflare> {
  const token = randomBytes(30).toString('base64url');
  const { dns } = lab;
  const config: CloudflareProcessConfig = {
    host: lab.addresses.api.ipv6 === undefined ? '0.0.0.0' : '::',
    port,
    controlSocket: socketOf(lab),
    zones: options.zones ?? [{ name: lab.domain }],
    tokens: [{ value: token, access: 'edit', zones: 'all' }, ...(options.tokens ?? [])],
    update: {
      address: dns.host.ipv4,
      port: 53,
      key: dns.tsig,
      command: ['chroot', dns.host.root, 'nsupdate', '-t', '20'],
    },
  };
  const file = join(lab.directory, 'cloudflare.json');
  await writeFile(file, JSON.stringify(config), { mode: 0o600 });
  await writeFile(join(lab.directory, 'cloudflare.token'), token, { mode: 0o600 });
  await rm(socketOf(lab), { force: true });
  const daemon = await findDaemonFile('cloudflare-api', lab.directory);
  const host = await lab.startHost('api', {
    program: { kind: 'process', argv: [process.execPath, daemon, file] },
  });
  const control = connectControl(socketOf(lab));
  await waitUntil(() => answers(control), {
    what: 'the Cloudflare emulator to answer',
    timeoutMs: 120_000,
    evidence: () => host.tail(),
  });
  return { host, baseUrl, token, control };
}

/** The emulator that another process started in this lab; undefined when there is none. */
export async function openCloudflare(lab: Lab): Promise<LabCloudflare | undefined> {
  const host = await lab.host('api');
  if (host === undefined) return undefined;
  const token = await readFile(join(lab.directory, 'cloudflare.token'), 'utf8');
  return { host, baseUrl, token, control: connectControl(socketOf(lab)) };
}

async function answers(control: CloudflareControl): Promise<boolean> {
  try {
    await control.writeCount();
    return true;
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ECONNREFUSED')) return false;
    throw error;
  }
}
