import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Metafile } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundle } from '../../scripts/build.mjs';

const maxUnpacked = 5 * 1024 * 1024;
const scratch = mkdtempSync(join(tmpdir(), 'bundle-'));
const prefix = join(scratch, 'prefix');
const program = join(prefix, 'bin', 'smtp-setup');
const installed = join(prefix, 'lib', 'node_modules', 'smtp-setup');
let metafile: Metafile;
let packed: { filename: string; unpackedSize: number; files: { path: string }[] };

// A home of its own, so that no user's npm settings or cache take part.
const env = { PATH: process.env.PATH, HOME: scratch, npm_config_update_notifier: 'false' };

function npm(...args: string[]): string {
  return execFileSync('npm', args, { encoding: 'utf8', env });
}

function run(args: readonly string[], more: Record<string, string> = {}) {
  return spawnSync(program, args, { encoding: 'utf8', env: { ...env, ...more }, input: '' });
}

beforeAll(async () => {
  metafile = await bundle();
  [packed] = JSON.parse(npm('pack', '--json', '--ignore-scripts', '--pack-destination', scratch));
  npm('install', '--global', '--offline', '--prefix', prefix, join(scratch, packed.filename));
});

/** Every script that Node says it ran, from the coverage it leaves behind. */
function readLoadedScripts(folder: string): string[] {
  return readdirSync(folder).flatMap((file) => {
    const { result } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as { result: { url: string }[] };
    return result.filter(({ url }) => url.startsWith('file:')).map(({ url }) => fileURLToPath(url));
  });
}

/** The sources that went into a file of dist/. */
function inputsOf(output: string): string[] {
  return Object.keys(metafile.outputs[output]?.inputs ?? {});
}

/** `node_modules/@a/b/lib/x.js` → `@a/b`. */
function packageOf(input: string): string | undefined {
  return input.match(/.*node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1];
}

afterAll(() => rmSync(scratch, { recursive: true }));

describe('the package', () => {
  it('is small and brings everything it needs', () => {
    expect(packed.unpackedSize).toBeLessThan(maxUnpacked);
    const paths = packed.files.map(({ path }) => path);
    for (const path of [
      'bin/smtp-setup.js',
      'dist/main.js',
      'dist/THIRD-PARTY-LICENSES.txt',
      'LICENSE',
      'README.md',
    ]) {
      expect(paths).toContain(path);
    }
    expect(paths.some((path) => path.startsWith('templates/postfix/'))).toBe(true);
    expect(paths.filter((path) => /^(src|test|scripts|node_modules)\//.test(path))).toEqual([]);
  });

  it('has no dependency tree', () => {
    const { dependencies, optionalDependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
    expect([dependencies, optionalDependencies]).toEqual([undefined, undefined]);
    expect(existsSync(join(installed, 'node_modules'))).toBe(false);
  });

  it('ships the licence of every package whose code it contains', () => {
    const text = readFileSync(join(installed, 'dist', 'THIRD-PARTY-LICENSES.txt'), 'utf8');
    const packages = new Set(
      Object.keys(metafile.inputs)
        .map(packageOf)
        .filter((name) => name !== undefined),
    );
    expect(packages).toContain('commander');
    for (const name of packages) expect(text).toContain(`\n${name} `);
  });
});

describe('the installed program', () => {
  it('prints version and help', () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
    expect(run(['--version'])).toMatchObject({ status: 0, stdout: `${version}\n`, stderr: '' });
    expect(run(['--help'])).toMatchObject({ status: 0, stderr: '' });
  });

  it.each([
    ['--version', 'no package', []],
    ['--help', 'nothing but commander', ['commander']],
  ])('loads for %s %s', (flag, _what, expected) => {
    const coverage = join(scratch, `coverage${flag}`);
    expect(run([flag], { NODE_V8_COVERAGE: coverage }).status).toBe(0);
    const loaded = readLoadedScripts(coverage).filter((path) => path.startsWith(join(installed, 'dist')));
    expect(loaded).toContain(join(installed, 'dist', 'main.js'));
    const inputs = loaded.flatMap((path) => inputsOf(path.slice(installed.length + 1)));
    const packages = inputs.map(packageOf).filter((name) => name !== undefined);
    expect([...new Set(packages)]).toEqual(expected);
  });

  it('maps usage errors to exit code 2, as text and as JSON', () => {
    const text = run(['--nonsense']);
    expect(text).toMatchObject({ status: 2, stdout: '' });
    expect(text.stderr).toContain('E_USAGE');
    const json = run(['--nonsense', '--json'], { CI: 'true', HTTPS_PROXY: 'http://127.0.0.1:1' });
    expect(json.status).toBe(2);
    expect(JSON.parse(json.stdout)).toMatchObject({ ok: false, exit: 2 });
  });

  it('can load every one of its chunks', () => {
    const chunks = join(installed, 'dist', 'chunks');
    const script = `for (const file of ${JSON.stringify(readdirSync(chunks))}) await import(${JSON.stringify(chunks)} + '/' + file);`;
    const result = spawnSync('node', ['--input-type=module', '-e', script], { encoding: 'utf8', env });
    expect(result).toMatchObject({ status: 0, stderr: '' });
  });

  it('says clearly what it needs on an old Node', () => {
    const source = readFileSync(join(installed, 'bin', 'smtp-setup.js'), 'utf8').replace(
      'process.versions.node',
      "'20.18.1'",
    );
    const result = spawnSync('node', ['--input-type=module', '-'], { encoding: 'utf8', env, input: source });
    expect(result.status).toBe(2);
    expect(result.stderr).toContain('smtp-setup needs Node.js 20.19 or newer');
  });
});
