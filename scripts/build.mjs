import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { collectLicenses } from './licenses.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const outdir = join(root, 'dist');
const licenses = 'THIRD-PARTY-LICENSES.txt';

/** The program, and each of the sandbox's daemons, which run as processes of their own and are looked for in dist/daemons/. */
function findEntries(source) {
  const daemons = readdirSync(join(source, 'sandbox', 'daemons')).filter((file) => file.endsWith('.ts'));
  return Object.fromEntries([
    ['main', join(source, 'main.ts')],
    ...daemons.map((file) => [`daemons/${file.slice(0, -3)}`, join(source, 'sandbox', 'daemons', file)]),
  ]);
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

/** Bundles the program into dist/ and returns esbuild's account of what went where. */
export async function bundle() {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: findEntries(join(root, 'src')),
    outdir,
    bundle: true,
    splitting: true,
    minify: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    chunkNames: 'chunks/[name]-[hash]',
    banner: { js: banner },
    // Bundles the sandbox's daemons when it runs from source; never reached in the package.
    external: ['esbuild'],
    plugins: [stubNativeAddons],
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
  });
  writeFileSync(join(outdir, licenses), collectLicenses(root, Object.keys(metafile.inputs)));
  const files = Object.keys(metafile.outputs).map((file) => relative(outdir, join(root, file)));
  removeStale(new Set([...files, licenses]));
  return metafile;
}

function describeSize({ outputs }) {
  const sizes = Object.values(outputs).map(({ bytes }) => bytes);
  const total = sizes.reduce((sum, bytes) => sum + bytes, 0);
  return `dist: ${sizes.length} files, ${kilobytes(total)}, of which main.js ${kilobytes(outputs['dist/main.js'].bytes)}`;
}

/** Only afterwards, so that a command that runs meanwhile still finds the code it has not loaded yet as long as it can. */
function removeStale(wanted) {
  for (const entry of readdirSync(outdir, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && !wanted.has(relative(outdir, path))) rmSync(path);
  }
}

function kilobytes(bytes) {
  return `${Math.ceil(bytes / 1024)} KiB`;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  process.stderr.write(`${describeSize(await bundle())}\n`);
}
