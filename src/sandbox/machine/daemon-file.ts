import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Exit, SetupError } from '../../errors.js';

/**
 * The JavaScript file of one of the sandbox's own daemons (`src/sandbox/daemons/NAME.ts`). A bundle ships them in a
 * `daemons` directory beside or above this module; from source (tests) they are bundled into `scratch`.
 */
export async function findDaemonFile(name: string, scratch: string): Promise<string> {
  const here = dirname(fileURLToPath(import.meta.url));
  for (const directory of [here, dirname(here)]) {
    const file = join(directory, 'daemons', `${name}.js`);
    if (existsSync(file)) return file;
  }
  const source = join(dirname(here), 'daemons', `${name}.ts`);
  if (existsSync(source)) return bundle(source, join(scratch, `${name}.mjs`));
  throw new SetupError({
    code: 'E_SANDBOX_DAEMON',
    exit: Exit.failed,
    what: `A part of the sandbox is missing from this installation: ${name}`,
    evidence: [`looked in ${here} and ${source}`],
    fix: ['Install smtp-setup again.'],
  });
}

async function bundle(source: string, outfile: string): Promise<string> {
  const { build } = await import('esbuild');
  await build({
    entryPoints: [source],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'silent',
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
  });
  return outfile;
}
