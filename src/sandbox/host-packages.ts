import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { Exit, SetupError } from '../errors.js';
import { run, SANDBOX_ENV } from './run.js';

/** Package → the program of it that the sandbox runs. Nothing here starts a daemon or takes over the machine's resolver. */
const NEEDED: Readonly<Record<string, string>> = {
  mmdebstrap: 'mmdebstrap',
  'systemd-container': 'systemd-nspawn',
  iproute2: 'ip',
  nftables: 'nft',
  socat: 'socat',
};

/** The packages that are missing on this machine, in the form `apt-get install` takes. */
export async function findMissingHostPackages(): Promise<string[]> {
  const missing: string[] = [];
  for (const [name, program] of Object.entries(NEEDED)) if (!(await isInstalled(program))) missing.push(name);
  return missing;
}

/** Installs packages on this machine. To be called only with the user's consent. */
export async function installHostPackages(
  names: readonly string[],
  onLine?: (line: string) => void,
): Promise<void> {
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  const options = { env, ...(onLine === undefined ? {} : { onLine }) };
  await run('apt-get', ['update'], options);
  await run('apt-get', ['install', '--yes', '--no-install-recommends', ...names], options);
}

/** Throws `E_SANDBOX_ROOT` or `E_SANDBOX_PACKAGES` when this machine cannot run a sandbox. */
export async function requireHostPackages(): Promise<void> {
  if (process.getuid?.() !== 0) {
    throw new SetupError({
      code: 'E_SANDBOX_ROOT',
      exit: Exit.usage,
      what: 'The sandbox needs root: it creates network namespaces and boots a container.',
      fix: ['Run the same command with sudo.'],
    });
  }
  const missing = await findMissingHostPackages();
  if (missing.length === 0) return;
  throw new SetupError({
    code: 'E_SANDBOX_PACKAGES',
    exit: Exit.usage,
    what: 'The sandbox needs programs that are not installed on this machine.',
    evidence: missing.map((name) => `missing package: ${name}`),
    fix: [`Run: apt-get install ${missing.join(' ')}`, 'Or repeat the command with --yes.'],
  });
}

async function isInstalled(program: string): Promise<boolean> {
  for (const directory of SANDBOX_ENV.PATH.split(':')) {
    try {
      await access(join(directory, program), constants.X_OK);
      return true;
    } catch {
      // Not in this directory.
    }
  }
  return false;
}
