import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Exit, SetupError } from '../../errors.js';
import { imageKey, RECIPES, type VpsImage } from '../images/recipes.js';
import { isErrno, readText, waitForLock } from '../lock.js';
import { run } from '../run.js';

/**
 * A layer is the writable part of a stopped VPS, kept in the cache under a name. It fits only the image (and the layers
 * below it) on which it was made.
 */
export interface LayerMeta {
  /** Directory name of the image, which changes with its recipe. */
  image: string;
  /** Changes whenever the layer is written, so that layers above notice. */
  id: string;
  /** The layers below, topmost first. */
  parents: readonly LayerRef[];
}

export interface LayerRef {
  name: string;
  id: string;
}

/** The lower directories for a VPS that starts from a layer, topmost first; undefined: no such layer, or an outdated one. */
export async function findLayer(
  cacheDir: string,
  imageDir: string,
  name: string,
): Promise<string[] | undefined> {
  const meta = await readMeta(cacheDir, imageDir, name);
  if (meta === undefined) return undefined;
  const below: string[] = [];
  for (const parent of meta.parents) {
    if ((await readMeta(cacheDir, imageDir, parent.name))?.id !== parent.id) return undefined;
    below.push(join(layerDir(cacheDir, imageDir, parent.name), 'root'));
  }
  return [join(layerDir(cacheDir, imageDir, name), 'root'), ...below, imageDir];
}

/** Whether a VPS of this image can start from this layer. */
export async function hasLayer(cacheDir: string, image: VpsImage, name: string): Promise<boolean> {
  return (await findLayer(cacheDir, join(cacheDir, 'images', imageKey(RECIPES[image])), name)) !== undefined;
}

/** The chain that a layer written on top of `name` refers to. */
export async function layerChain(cacheDir: string, imageDir: string, name: string): Promise<LayerRef[]> {
  const meta = await readMeta(cacheDir, imageDir, name);
  return meta === undefined ? [] : [{ name, id: meta.id }, ...meta.parents];
}

/** Copies an upper directory (with its whiteouts and extended attributes) into the cache, replacing a layer of that name. */
export async function writeLayer(
  cacheDir: string,
  imageDir: string,
  name: string,
  upper: string,
  parents: readonly LayerRef[],
): Promise<void> {
  await requireReplaceable(cacheDir, imageDir, name);
  const target = layerDir(cacheDir, imageDir, name);
  const draft = `${target}.draft`;
  await mkdir(dirname(target), { recursive: true });
  const release = await waitForLock(`${target}.lock`);
  try {
    await rm(draft, { recursive: true, force: true });
    await mkdir(draft);
    await run('cp', ['-a', '--sparse=auto', upper, join(draft, 'root')]);
    const meta: LayerMeta = { image: imageName(imageDir), id: randomUUID(), parents };
    await writeFile(join(draft, 'meta.json'), JSON.stringify(meta));
    await rm(target, { recursive: true, force: true });
    await rename(draft, target);
  } finally {
    await rm(draft, { recursive: true, force: true });
    await release();
  }
}

export async function removeLayer(cacheDir: string, imageDir: string, name: string): Promise<void> {
  await requireReplaceable(cacheDir, imageDir, name);
  await rm(layerDir(cacheDir, imageDir, name), { recursive: true, force: true });
}

/** Removes the oldest layers of an image whose names begin with `prefix`, but the newest `keep` and those in use. */
export async function pruneLayers(
  cacheDir: string,
  image: VpsImage,
  prefix: string,
  keep: number,
): Promise<void> {
  const imageDir = join(cacheDir, 'images', imageKey(RECIPES[image]));
  const layers: { name: string; written: number }[] = [];
  for (const name of await listLayers(cacheDir, imageDir)) {
    if (!name.startsWith(prefix)) continue;
    layers.push({ name, written: (await stat(layerDir(cacheDir, imageDir, name))).mtimeMs });
  }
  for (const { name } of layers.sort((a, b) => b.written - a.written).slice(keep)) {
    try {
      await removeLayer(cacheDir, imageDir, name);
    } catch (error) {
      if (!(error instanceof SetupError) || error.exit !== Exit.busy) throw error;
    }
  }
}

/**
 * Throws `E_SANDBOX_LAYER_BUSY` while a VPS stands on this layer: changing a directory below a mounted overlay has
 * undefined results (kernel documentation, overlayfs).
 */
export async function requireReplaceable(cacheDir: string, imageDir: string, name: string): Promise<void> {
  requireLayerName(name);
  const directory = layerDir(cacheDir, imageDir, name);
  const mounts = (await readText('/proc/self/mountinfo')) ?? '';
  if (!mounts.includes(`${directory}/root`)) return;
  throw new SetupError({
    code: 'E_SANDBOX_LAYER_BUSY',
    exit: Exit.busy,
    what: 'A running sandbox uses this layer.',
    evidence: [directory],
    fix: ['End that sandbox with `smtp-setup sandbox down`, or save under another name.'],
  });
}

/** Names of the layers that fit an image. */
export async function listLayers(cacheDir: string, imageDir: string): Promise<string[]> {
  try {
    const names = await readdir(join(cacheDir, 'layers', imageName(imageDir)));
    return names.filter((name) => !name.includes('.')).sort();
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}

function requireLayerName(name: string): void {
  if (/^[a-z0-9][a-z0-9_-]{0,60}$/.test(name)) return;
  throw new SetupError({
    code: 'E_SANDBOX_LAYER_NAME',
    exit: Exit.usage,
    what: 'A layer name has 1 to 61 characters: small letters, digits, hyphens and underscores.',
    evidence: [`got ${JSON.stringify(name.slice(0, 80))}`],
  });
}

function layerDir(cacheDir: string, imageDir: string, name: string): string {
  return join(cacheDir, 'layers', imageName(imageDir), name);
}

function imageName(imageDir: string): string {
  return imageDir.slice(imageDir.lastIndexOf('/') + 1);
}

async function readMeta(cacheDir: string, imageDir: string, name: string): Promise<LayerMeta | undefined> {
  requireLayerName(name);
  const text = await readText(join(layerDir(cacheDir, imageDir, name), 'meta.json'));
  if (text === undefined) return undefined;
  const meta = JSON.parse(text) as LayerMeta;
  return meta.image === imageName(imageDir) ? meta : undefined;
}
