import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  cacheDirFrom,
  createLab,
  destroyLab,
  hasLayer,
  type Lab,
  type VpsImage,
} from '../../src/sandbox/index.js';
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

/** Raises a world; what an interrupted test left of the same name goes first. */
export async function openWorld(options: WorldOptions): Promise<World> {
  const {
    name,
    image = 'debian-12',
    provisioned,
    layer = provisioned ? provisionedLayer() : undefined,
  } = options;
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
    mail: openMailProgram(lab, rehearsal),
    cli,
    cliWithFlags: (command, args = [], env = {}) =>
      cli([command, ...rehearsal.connectFlags, ...args], { env }),
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

/** Makes the provisioned layer unless it is there: a cold installation, whose story the caller may want to look at. */
export async function ensureProvisioned(
  image: VpsImage,
  visit: (world: World, init: CliResult) => Promise<void> = async () => undefined,
): Promise<void> {
  if (await hasLayer(cacheDirFrom({}), image, provisionedLayer())) return;
  const world = await openWorld({ name: `cold-${image.slice(-2)}`, image });
  try {
    const init = await world.cli(world.rehearsal.initArguments);
    if (init.code !== 0) throw new Error(`init ended with ${init.code}\n${init.stdout}\n${init.stderr}`);
    await visit(world, init);
    await world.lab.vps.saveLayer(provisionedLayer(), { restart: false });
  } finally {
    await world.lab.down();
  }
}
