import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type HostApt, readHostApt, requireSources } from '../apt/host-apt.js';
import { renderSourceLine } from '../apt/sources.js';
import { isErrno, waitForLock } from '../lock.js';
import { destroyGroup, groupPath } from '../machine/cgroup.js';
import { unmountBelow } from '../machine/mounts.js';
import { runInGroup } from '../machine/run-in-group.js';
import { type ImageName, imageKey, RECIPES } from './recipes.js';

// No lab can have this name.
const BUILDERS = '.images';

export interface BuildOptions {
  cacheDir: string;
  log(line: string): void;
  signal?: AbortSignal;
}

/**
 * Returns the directory of a cached image and builds it when it is missing (two to four minutes, 200–700 MB).
 * Builders are serialised by a lock, and an image appears under its name only when it is complete.
 */
export async function ensureImage(name: ImageName, options: BuildOptions): Promise<string> {
  const recipe = RECIPES[name];
  const images = join(options.cacheDir, 'images');
  const target = join(images, imageKey(recipe));
  await mkdir(images, { recursive: true, mode: 0o755 });
  if (await exists(target)) return target;

  const release = await waitForLock(join(images, `${imageKey(recipe)}.lock`), {
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    onWait: (owner) => options.log(`Waiting for process ${owner.pid}, which is building the image ${name}`),
  });
  try {
    if (await exists(target)) return target;
    const draft = `${target}.building`;
    await removeUnfinished(imageKey(recipe), draft);
    options.log(`Building the image ${name} (once; it is cached in ${options.cacheDir})`);
    try {
      await debootstrap(name, draft, await readHostApt(), options);
      await rename(draft, target);
    } finally {
      await removeUnfinished(imageKey(recipe), draft);
    }
    return target;
  } finally {
    await release();
  }
}

async function debootstrap(
  name: ImageName,
  target: string,
  apt: HostApt,
  options: BuildOptions,
): Promise<void> {
  const recipe = RECIPES[name];
  const sources = requireSources(apt, recipe.release).map(renderSourceLine);
  const aptOptions = [...apt.settings, 'Acquire::Languages "none";'];
  if (apt.httpProxy !== undefined) aptOptions.push(`Acquire::http::Proxy "${apt.httpProxy}";`);
  // Unpacking without fsync: the image is thrown away unless the whole build succeeds.
  const unsafe = '/etc/dpkg/dpkg.cfg.d/99sandbox-build';
  const hook = [...recipe.finish, `rm -f ${unsafe}`, 'apt-get clean', 'rm -rf /var/lib/apt/lists/*'];
  await runInGroup(
    BUILDERS,
    imageKey(recipe),
    [
      'mmdebstrap',
      '--mode=root',
      '--variant=minbase',
      `--include=${recipe.packages.join(',')}`,
      ...aptOptions.map((line) => `--aptopt=${line}`),
      `--essential-hook=printf 'force-unsafe-io\\n' > "$1${unsafe}"`,
      `--customize-hook=chroot "$1" sh -ec '${hook.join('\n').replaceAll("'", `'"'"'`)}'`,
      recipe.release,
      target,
      ...sources,
    ],
    {
      signal: options.signal ?? new AbortController().signal,
      onLine: (line) => {
        if (line.startsWith('I: ')) options.log(`${name}: ${line.slice(3)}`);
      },
    },
  );
  await writeFile(join(target, 'etc/resolv.conf'), '');
  await writeFile(join(target, 'etc/hostname'), 'localhost\n');
}

/**
 * Removes what a builder left that was interrupted or killed. Its processes and mounts go first: a bind mount of the
 * machine's own /dev below a directory that is being removed would be fatal.
 */
async function removeUnfinished(key: string, draft: string): Promise<void> {
  await destroyGroup(await groupPath(BUILDERS, key));
  await unmountBelow(draft);
  await rm(draft, { recursive: true, force: true });
}

async function exists(directory: string): Promise<boolean> {
  try {
    await readdir(directory);
    return true;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false;
    throw error;
  }
}
