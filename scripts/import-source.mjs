import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Imports a TypeScript module of this project, for scripts: bundled into a temporary file inside the project's reach. */
export async function importSource(path) {
  const folder = mkdtempSync(join(tmpdir(), 'smtp-setup-script-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const outfile = join(folder, 'module.mjs');
  await build({
    entryPoints: [join(root, path)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    external: ['esbuild', 'vitest'],
    logLevel: 'silent',
    define: { 'import.meta.dirname': JSON.stringify(dirname(join(root, path))) },
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
  });
  // The sandbox looks for its daemons beside the module.
  symlinkSync(join(root, 'dist', 'daemons'), join(folder, 'daemons'));
  return import(pathToFileURL(outfile).href);
}
