import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { imageKey, RECIPES } from '../../../src/sandbox/images/recipes.js';
import { listLayers, pruneLayers, writeLayer } from '../../../src/sandbox/machine/layers.js';

it('removes the oldest layers of a kind and keeps the newest and all others', async () => {
  const cacheDir = await mkdtemp(join(tmpdir(), 'layers-'));
  try {
    const imageDir = join(cacheDir, 'images', imageKey(RECIPES['debian-12']));
    const upper = join(cacheDir, 'upper');
    await mkdir(upper);
    await writeFile(join(upper, 'file'), 'x');
    for (const [index, name] of ['other', 'made-a', 'made-c', 'made-b'].entries()) {
      await writeLayer(cacheDir, imageDir, name, upper, []);
      const age = new Date(1_700_000_000_000 + index * 1000);
      await utimes(join(cacheDir, 'layers', imageDir.slice(imageDir.lastIndexOf('/') + 1), name), age, age);
    }
    await pruneLayers(cacheDir, 'debian-12', 'made-', 2);
    expect(await listLayers(cacheDir, imageDir)).toEqual(['made-b', 'made-c', 'other']);
  } finally {
    await rm(cacheDir, { recursive: true, force: true });
  }
});
