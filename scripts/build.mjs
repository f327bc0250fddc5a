import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { collectLicenses } from './licenses.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const outdir = join(root, 'dist');

/** Programs that run as processes of their own (the sandbox's services) are bundled as entries of their own. */
function findServiceEntries(folder) {
  return readdirSync(folder, { recursive: true })
    .filter((path) => path === 'main.ts' || path.endsWith('/main.ts'))
    .map((path) => join(folder, path));
}

/**
 * ssh2 and its optional dependency try to load compiled add-ons and fall back to JavaScript when that throws.
 * The published package has no add-ons, so they always throw.
 */
const stubNativeAddons = {
  name: 'stub-native-addons',
  setup(esbuild) {
    esbuild.onResolve({ filter: /\.node$|^cpu-features$/ }, (args) => ({
      path: args.path,
      namespace: 'stub',
    }));
    esbuild.onLoad({ filter: /.*/, namespace: 'stub' }, () => ({
      contents: "throw new Error('native add-ons are not bundled');",
    }));
  },
};

// Bundled CommonJS modules (ssh2 above all) expect these three in scope.
const banner = [
  "import{createRequire as __smtpRequire}from'node:module';",
  "import{fileURLToPath as __smtpPath}from'node:url';",
  "import{dirname as __smtpDir}from'node:path';",
  'const require=__smtpRequire(import.meta.url),__filename=__smtpPath(import.meta.url),__dirname=__smtpDir(__filename);',
].join('');

rmSync(outdir, { recursive: true, force: true });
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: [join(root, 'src/main.ts'), ...findServiceEntries(join(root, 'src/sandbox'))],
  outbase: join(root, 'src'),
  outdir,
  bundle: true,
  splitting: true,
  minify: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  chunkNames: 'chunks/[name]-[hash]',
  banner: { js: banner },
  plugins: [stubNativeAddons],
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
});
writeFileSync(join(outdir, 'THIRD-PARTY-LICENSES.txt'), collectLicenses(root, Object.keys(metafile.inputs)));

const files = Object.keys(metafile.outputs);
const size = files.reduce((sum, file) => sum + statSync(join(root, file)).size, 0);
const main = readFileSync(join(outdir, 'main.js')).length;
process.stderr.write(
  `dist: ${files.length} files, ${kilobytes(size)}, of which main.js ${kilobytes(main)}\n`,
);

function kilobytes(bytes) {
  return `${Math.ceil(bytes / 1024)} KiB`;
}
