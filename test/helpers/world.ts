import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  cacheDirFrom,
  createLab,
  destroyLab,
  hasLayer,
  type Lab,
  pruneLayers,
  type VpsImage,
} from '../../src/sandbox/index.js';
import { waitForLock } from '../../src/sandbox/lock.js';
import { waitUntil } from '../../src/sandbox/machine/wait-until.js';
import { type MailProgram, openMailProgram } from '../../src/sandbox/mail-program.js';
import { prepareRehearsal, type Rehearsal } from '../../src/sandbox/rehearsal.js';

const root = join(import.meta.dirname, '..', '..');
const bin = join(root, 'bin', 'smtp-setup.js');

export interface CliResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** A sandbox with accounts, and the built CLI in the client's network. */
export interface World {
  lab: Lab;
  rehearsal: Rehearsal;
  mail: MailProgram;
  /** Runs the real CLI; without a terminal. */
  cli(
    args: readonly string[],
    options?: { env?: Readonly<Record<string, string>>; timeoutMs?: number },
  ): Promise<CliResult>;
  /** The same with the connection flags, so that `plan` and `apply` find everything. */
  cliWithFlags(
    command: string,
    args?: readonly string[],
    env?: Readonly<Record<string, string>>,
  ): Promise<CliResult>;
}

export interface WorldOptions {
  name: string;
  image?: VpsImage;
  /** Start from the machine that the cold installation left behind (see {@link provisionedLayer}). */
  provisioned?: boolean;
  layer?: string;
  domain?: string;
  setPtr?: boolean;
}

/** Two checkouts at work on one machine keep apart by a prefix (`SMTP_SETUP_TEST_PREFIX`, two letters or so). */
export function labName(name: string): string {
  return `${process.env.SMTP_SETUP_TEST_PREFIX ?? ''}${name}`.slice(0, 20).replace(/-$/, '');
}

/** Raises a world; what an interrupted test left of the same name goes first. */
export async function openWorld(options: WorldOptions): Promise<World> {
  const { image = 'debian-12', provisioned, layer = provisioned ? provisionedLayer() : undefined } = options;
  const name = labName(options.name);
  await destroyLab(name);
  const lab = await createLab({
    name,
    image,
    ...(layer === undefined ? {} : { layer }),
    ...(options.domain === undefined ? {} : { domain: options.domain }),
  });
  const rehearsal = await prepareRehearsal(lab, { ...(options.setPtr === false ? { setPtr: false } : {}) });
  return openWorldOf(lab, rehearsal);
}

export function openWorldOf(lab: Lab, rehearsal: Rehearsal): World {
  const cli: World['cli'] = async (args, { env = {}, timeoutMs = 15 * 60_000 } = {}) =>
    lab.client.exec(process.execPath, [bin, ...args], { env: { ...rehearsal.env, ...env }, timeoutMs });
  return {
    lab,
    rehearsal,
    mail: patient(openMailProgram(lab, rehearsal)),
    cli,
    cliWithFlags: (command, args = [], env = {}) =>
      cli([command, ...rehearsal.connectFlags, ...args], { env }),
  };
}

/** A story logs in more often than a person does: the server's limit for logins of one client is waited for. */
function patient(program: MailProgram): MailProgram {
  return {
    ...program,
    send: (options) =>
      waitUntil(
        async () => {
          const report = await program.send(options);
          return !/^450 .*too many AUTH commands/.test(report.detail) && report;
        },
        { what: 'a login that the rate limit lets through', timeoutMs: 120_000, intervalMs: 2000 },
      ),
  };
}

/** Name of the layer that holds a provisioned server of exactly this source: another source makes another one. */
export function provisionedLayer(): string {
  const hash = createHash('sha256');
  for (const folder of ['src', 'templates']) {
    for (const entry of readdirSync(join(root, folder), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || entry.parentPath.includes('/sandbox')) continue;
      hash.update(entry.name).update(readFileSync(join(entry.parentPath, entry.name)));
    }
  }
  return `provisioned-${hash.digest('hex').slice(0, 12)}`;
}

export interface Installed {
  world: World;
  /** How the `init` ended that made this server, or made it anew. */
  init: CliResult;
}

/**
 * A server on which `init` has just done all its work. The first call for a source makes a cold installation and keeps
 * it as the provisioned layer (the server is rebooted for that); later ones start from the layer and take away what
 * belonged to that first world, so that the same can be asserted of both.
 */
export async function installServer(name: string, image: VpsImage): Promise<Installed> {
  const release = await lockLayer(image);
  const cold = !(await hasLayer(cacheDirFrom({}), image, provisionedLayer()));
  if (!cold) {
    await release();
    return installAfresh(name, image, false);
  }
  try {
    return await installAfresh(name, image, true);
  } finally {
    await release();
  }
}

/** Two files that need the layer at once: one makes it, the other waits. */
function lockLayer(image: VpsImage): Promise<() => Promise<void>> {
  const cacheDir = cacheDirFrom({});
  mkdirSync(cacheDir, { recursive: true });
  return waitForLock(join(cacheDir, `${image}-${provisionedLayer()}.lock`));
}

async function installAfresh(name: string, image: VpsImage, cold: boolean): Promise<Installed> {
  const world = await openWorld({ name, image, provisioned: !cold });
  try {
    if (!cold) await forgetFormerWorld(world);
    const init = await world.cli(world.rehearsal.initArguments);
    if (cold && init.code === 0) {
      await world.lab.vps.saveLayer(provisionedLayer());
      // Each change of the source leaves one of about 450 MB behind.
      await pruneLayers(cacheDirFrom({}), image, 'provisioned-', 12);
    }
    return { world, init };
  } catch (error) {
    await world.lab.down();
    throw error;
  }
}

/**
 * The provisioned layer of this source from that of an earlier one, as an `init` of a newer version would do it: while
 * working on one test, this spares the installation of all packages (`SMTP_SETUP_TEST_BASE=provisioned-…`).
 */
async function upgradeServer(name: string, image: VpsImage, layer: string): Promise<Installed> {
  const release = await lockLayer(image);
  try {
    const made = await hasLayer(cacheDirFrom({}), image, provisionedLayer());
    return await (made ? installAfresh(name, image, false) : upgradeLayer(name, image, layer));
  } finally {
    await release();
  }
}

async function upgradeLayer(name: string, image: VpsImage, layer: string): Promise<Installed> {
  const world = await openWorld({ name, image, layer });
  try {
    await forgetFormerWorld(world);
    const init = await world.cli(world.rehearsal.initArguments);
    if (init.code === 0) await world.lab.vps.saveLayer(provisionedLayer());
    return { world, init };
  } catch (error) {
    await world.lab.down();
    throw error;
  }
}

/**
 * A world around a server that was provisioned in another one, as a restored snapshot would be: nothing is in DNS, and
 * neither certificate nor mailbox of the former world is there.
 */
export async function openProvisioned(name: string, image: VpsImage = 'debian-12'): Promise<World> {
  if (!(await hasLayer(cacheDirFrom({}), image, provisionedLayer()))) {
    const base = process.env.SMTP_SETUP_TEST_BASE;
    const { world, init } = await (base === undefined
      ? installServer(`${name}-0`, image)
      : upgradeServer(`${name}-0`, image, base));
    await world.lab.down();
    if (init.code !== 0) throw new Error(`init ended with ${init.code}\n${init.stdout}\n${init.stderr}`);
  }
  const world = await openWorld({ name, image, provisioned: true });
  try {
    await forgetFormerWorld(world);
    return world;
  } catch (error) {
    await world.lab.down();
    throw error;
  }
}

async function forgetFormerWorld(world: World): Promise<void> {
  await forgetCertificate(world);
  await shell(world, "sed -i '/^[^#]/d' /etc/smtp-setup/users");
  // A file of a layer keeps its link count when it is replaced (overlayfs), and that is how Postfix notices.
  await shell(
    world,
    'cd /etc/smtp-setup && cp -a maps maps.new && rm -r maps && mv maps.new maps && systemctl restart postfix',
  );
}

/** The lab's authority is a new one each time it starts: it knows neither account nor certificate of the one before. */
export async function forgetCertificate(world: World): Promise<void> {
  const places = ['accounts', 'archive', 'live', 'renewal'].map((name) => `/etc/letsencrypt/${name}`);
  const issued = '/etc/smtp-setup/certs/issued-*';
  await shell(world, `rm -rf ${places.join(' ')} ${issued}; ln -sfnT certs/self-signed /etc/smtp-setup/tls`);
}

/** Deletes every record of the user's zone at the provider, and forgets what was counted. */
export async function emptyZone(world: World): Promise<void> {
  const { env, cloudflare } = world.rehearsal;
  const program = `
    const call = async (path, method = 'GET') => (await fetch(process.env.CLOUDFLARE_BASE_URL + path, {
      method, headers: { authorization: 'Bearer ' + process.env.CLOUDFLARE_API_TOKEN } })).json();
    const { result: [zone] } = await call('/zones?name=${world.lab.domain}');
    const { result } = await call('/zones/' + zone.id + '/dns_records?per_page=5000');
    for (const { id } of result) await call('/zones/' + zone.id + '/dns_records/' + id, 'DELETE');`;
  const done = await world.lab.client.exec(process.execPath, ['--input-type=module', '-e', program], { env });
  const left = await cloudflare.control.records(world.lab.domain);
  if (done.code !== 0 || left.length > 0) throw new Error(`the zone cannot be emptied: ${done.stderr}`);
  await cloudflare.control.clearCalls();
}

/** Output of a command on the VPS, without SSH; fails when it fails. */
export async function shell(world: World, command: string): Promise<string> {
  const result = await world.lab.vps.exec(command);
  if (result.code !== 0)
    throw new Error(`${command}: exit ${result.code}\n${result.stdout}\n${result.stderr}`);
  return result.stdout.trim();
}

/** The CLI as a process under way. */
export interface CliProcess {
  /** Everything it printed so far, both streams. */
  output(): string;
  /** Resolves when the output matches; fails with the output when the process ends before, or after ten minutes. */
  saw(pattern: RegExp): Promise<void>;
  /** As Ctrl-C would. */
  interrupt(): void;
  /** As a crash or `kill -9` would end it. */
  kill(): void;
  /** Resolves to its exit code; null when it was killed. */
  readonly ended: Promise<number | null>;
}

export function startCli(
  world: World,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): CliProcess {
  const child = world.lab.client.spawn(process.execPath, [bin, ...args], { ...world.rehearsal.env, ...env });
  let text = '';
  const watchers = new Set<() => void>();
  const take = (chunk: unknown) => {
    text += String(chunk);
    for (const watcher of watchers) watcher();
  };
  child.stdout?.on('data', take);
  child.stderr?.on('data', take);
  child.stdin?.end();
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return {
    output: () => text,
    ended,
    interrupt: () => void child.kill('SIGINT'),
    kill: () => void child.kill('SIGKILL'),
    saw: (pattern) =>
      new Promise((resolve, reject) => {
        const settle = (end: () => void) => {
          watchers.delete(look);
          clearTimeout(timer);
          end();
        };
        const fail = (why: string) => settle(() => reject(new Error(`${why} before ${pattern}:\n${text}`)));
        const timer = setTimeout(() => fail('ten minutes went by'), 10 * 60_000);
        const look = () => {
          if (pattern.test(text)) settle(resolve);
        };
        watchers.add(look);
        look();
        void ended.then((code) => fail(`it ended (${code})`), reject);
      }),
  };
}
