import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

const lockfile = z
  .object({
    packages: z.record(
      z.string(),
      z.object({ optionalDependencies: z.record(z.string(), z.string()).optional() }),
    ),
  })
  .parse(JSON.parse(readFileSync(new URL('../../../package-lock.json', import.meta.url), 'utf8')));

describe('package-lock.json', () => {
  // npm refuses `npm ci` when a platform's optional package is missing, whatever platform it runs on; an
  // `npm install` against a registry that lacks some of them drops them from the file without a word.
  it('names every optional package of every platform', () => {
    const missing = Object.entries(lockfile.packages)
      .filter(([path]) => path !== '')
      .flatMap(([path, { optionalDependencies }]) =>
        Object.keys(optionalDependencies ?? {}).filter(
          (name) =>
            lockfile.packages[`node_modules/${name}`] === undefined &&
            lockfile.packages[`${path}/node_modules/${name}`] === undefined,
        ),
      );
    expect(missing).toEqual([]);
  });

  it('names no registry host', () => {
    expect(JSON.stringify(lockfile.packages)).not.toContain('"resolved":"http');
  });
});
