import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** Rooms at the edge of the house: they know the core, never each other. */
const edges = ['ssh', 'dns/providers', 'dns/resolver', 'ui', 'sandbox'];

/** The edges' types, which the core shares. */
const contracts = ['ssh/connection.', 'dns/providers/provider.', 'dns/resolver/types.'];

/** Where each third-party package may be imported; anything else in src/ may not be. */
const homes = {
  commander: ['cli/'],
  inquirer: ['ui/ask.ts'],
  chalk: ['ui/'],
  ora: ['ui/'],
  ssh2: ['ssh/', 'sandbox/'],
  cloudflare: ['dns/providers/cloudflare'],
  '@aws-sdk/client-route-53': ['dns/providers/route53'],
  execa: ['sandbox/', 'local-exec.ts'],
  zod: ['config/'],
  yaml: ['config/'],
  eta: ['components/', 'cli/', 'lib/', 'plan/', 'templates'],
  'dns-packet': ['dns/', 'sandbox/'],
  esbuild: ['sandbox/machine/daemon-file.ts'],
};

/** The pure core: same input, same output. */
const pure = [
  'config/schema.ts',
  'config/questions.ts',
  'config/validate.ts',
  'components/',
  'dns/record',
  'dns/records/',
  'dns/diff',
  'dns/spf',
  'plan/',
  'relay/',
  'facts/',
  'lib/',
];
/** Where the package lies is read from the disk; facts are asked for over a connection and parsed purely. */
const impure = ['lib/package-root.ts', 'facts/read-facts.ts'];
const pureBuiltins = [
  'node:net',
  'node:url',
  'node:util',
  'node:buffer',
  'node:crypto',
  'node:string_decoder',
];
const forbiddenInPure = [
  [/\bDate\.now\(|\bnew Date\(\)|\bperformance\.now\(/, 'the clock'],
  [/\bMath\.random\(|\brandomBytes\(|\brandomUUID\(|\bgetRandomValues\(/, 'randomness'],
  [/\bprocess\.[a-z]/, 'the process'],
  [/\bfetch\(/, 'the network'],
];

const environmentHomes = ['main.ts', 'cli/context.ts', 'config/'];

/** What is wrong with one file of src/: `path` relative to src/, with forward slashes. */
export function findViolations(path, text) {
  const found = [];
  const code = text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  const isPure = startsWithAny(path, pure) && !impure.includes(path);
  for (const { specifier, isType } of importsOf(code)) {
    if (specifier.startsWith('.')) {
      const target = posix.join(posix.dirname(path), specifier);
      const [from, to] = [edgeOf(path), edgeOf(target)];
      if (from !== undefined && to !== undefined && from !== to)
        found.push(`${path}: ${from} imports ${to} (${specifier})`);
      // The working halves of the commands take the types of what the composition root hands them.
      const mayImportCli =
        path.startsWith('cli/') || path === 'main.ts' || (isType && path.startsWith('pipeline/'));
      if (target.startsWith('cli/') && !mayImportCli) {
        found.push(`${path}: only main may import cli (${specifier})`);
      }
      if (isPure && !isType && (to !== undefined || target.startsWith('apply/'))) {
        found.push(`${path}: the pure core imports an edge (${specifier})`);
      }
    } else if (specifier.startsWith('node:')) {
      if (isPure && !pureBuiltins.includes(specifier))
        found.push(`${path}: the pure core imports ${specifier}`);
    } else {
      const name = specifier.match(/^(?:@[^/]+\/)?[^/]+/)[0];
      const home = homes[name];
      if (home === undefined)
        found.push(`${path}: ${name} has no home in src/ (scripts/check-imports.mjs lists them)`);
      else if (!startsWithAny(path, home))
        found.push(`${path}: ${name} may be imported in ${home.join(', ')} only`);
    }
  }
  if (isPure) {
    for (const [pattern, what] of forbiddenInPure) {
      if (pattern.test(code)) found.push(`${path}: the pure core uses ${what}`);
    }
  }
  if (/\bprocess\.(env|exit)\b/.test(code) && !startsWithAny(path, environmentHomes)) {
    found.push(`${path}: process.env and process.exit belong to main and the composition root`);
  }
  return found;
}

function importsOf(code) {
  const statement =
    /^\s*(?:import|export)\s(type\s)?(?:[^'"`;]*?\sfrom\s*)?['"]([^'"\n]+)['"]|\bimport\(\s*['"]([^'"\n]+)['"]/gm;
  return [...code.matchAll(statement)].map(([, type, named, dynamic]) => ({
    specifier: named ?? dynamic,
    isType: type !== undefined,
  }));
}

function edgeOf(path) {
  if (startsWithAny(path, contracts)) return undefined;
  return edges.find((edge) => path.startsWith(`${edge}/`) || path.startsWith(`${edge}.`));
}

function startsWithAny(path, prefixes) {
  return prefixes.some((prefix) => path.startsWith(prefix));
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const src = join(dirname(fileURLToPath(import.meta.url)), '..', 'src');
  const files = readdirSync(src, { recursive: true }).filter((file) => file.endsWith('.ts'));
  const found = files.flatMap((file) => findViolations(file, readFileSync(join(src, file), 'utf8')));
  for (const line of found) process.stdout.write(`${line}\n`);
  process.exitCode = found.length === 0 ? 0 : 1;
}
