import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  cacheDirFrom,
  createLab,
  destroyLab,
  ensureImage,
  findRemains,
  listLabs,
  loadLab,
} from '../../src/sandbox/index.js';
import { readText } from '../../src/sandbox/lock.js';
import { groupPath, groupProcesses } from '../../src/sandbox/machine/cgroup.js';
import { mountsBelow } from '../../src/sandbox/machine/mounts.js';
import { namespacesOf } from '../../src/sandbox/net/network.js';
import { run } from '../../src/sandbox/run.js';

const cacheDir = cacheDirFrom(process.env);
const names = ['it-crash', 'it-one', 'it-one-b', 'it-abort'];

afterAll(async () => {
  for (const name of names) await destroyLab(name);
});

/** Links, addresses and routes of the root namespace: a lab must not change them. */
async function rootNetwork(): Promise<string> {
  const parts = await Promise.all(
    [['link'], ['address'], ['route']].map(async (what) => (await run('ip', ['-o', ...what, 'show'])).stdout),
  );
  // Address lifetimes count down and transmit queues vary.
  return parts.join('').replace(/\b\d+sec\b/g, '');
}

describe('a lab that was interrupted', () => {
  it('is cleaned up by the next start when its process was killed', async () => {
    for (const image of ['debian-12', 'services'] as const)
      await ensureImage(image, { cacheDir, log: () => undefined });
    const child = spawn(process.execPath, ['scripts/lab.mjs', 'up', 'it-crash'], { stdio: 'ignore' });
    await expect
      .poll(async () => (await namespacesOf('it-crash')).length, { timeout: 60_000, interval: 20 })
      .toBeGreaterThan(3);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect((await findRemains('it-crash')).length).toBeGreaterThan(0);
    await expect(loadLab('it-crash')).rejects.toMatchObject({ code: 'E_SANDBOX_BROKEN' });

    const lab = await createLab({ name: 'it-crash', cacheDir, services: [] });
    expect((await lab.vps.exec('true')).code).toBe(0);
    await lab.down();
    expect(await findRemains('it-crash')).toEqual([]);
  });

  it('leaves nothing behind when it is aborted', async () => {
    const abort = new AbortController();
    const log = (line: string) => {
      if (line.startsWith('Booting')) abort.abort();
    };
    const creating = createLab({ name: 'it-abort', cacheDir, log, signal: abort.signal });
    await expect(creating).rejects.toMatchObject({ name: 'AbortError' });
    expect(await findRemains('it-abort')).toEqual([]);
    expect(existsSync('/run/smtp-setup-sandbox/it-abort')).toBe(false);
  });

  it('refuses a second creator and a remover while it is being created', async () => {
    const first = createLab({ name: 'it-abort', cacheDir, services: [] });
    await expect
      .poll(() => readText('/run/smtp-setup-sandbox/it-abort.lock'), { timeout: 60_000, interval: 5 })
      .toBe(String(process.pid));
    await expect(createLab({ name: 'it-abort', cacheDir })).rejects.toMatchObject({
      code: 'E_SANDBOX_BUSY',
      exit: 6,
    });
    await expect(destroyLab('it-abort')).rejects.toMatchObject({ code: 'E_SANDBOX_BUSY' });
    await (await first).down();
  });
});

describe('an image', () => {
  it('that is aborted while it is built leaves no process, mount or file', async () => {
    const cache = await mkdtemp(join(tmpdir(), 'sandbox-cache-'));
    const abort = new AbortController();
    // By then the builder has mounted this machine's /dev, /proc and /sys below the unfinished image.
    const log = (line: string) => {
      if (line.includes('installing essential packages')) abort.abort();
    };
    const building = ensureImage('debian-12', { cacheDir: cache, log, signal: abort.signal });
    await expect(building).rejects.toMatchObject({ name: 'AbortError' });
    expect(await mountsBelow(cache)).toEqual([]);
    expect(await readdir(join(cache, 'images'))).toEqual([]);
    expect(await groupProcesses(await groupPath('.images'))).toEqual([]);
    expect((await stat('/dev/null')).isCharacterDevice()).toBe(true);
    await rm(cache, { recursive: true });
  });
});

describe('two labs side by side', () => {
  it('have the same addresses, different releases, and do not see each other', async () => {
    const before = await rootNetwork();
    // One name is the beginning of the other: taking one down must not touch the other.
    const [one, two] = await Promise.all([
      createLab({ name: 'it-one', cacheDir, services: [] }),
      createLab({ name: 'it-one-b', cacheDir, image: 'debian-13', hostname: 'mail.rehearsal.test' }),
    ]);
    expect(await rootNetwork()).toBe(before);
    expect(one.vps.ipv4).toBe(two.vps.ipv4);
    expect((await one.vps.exec('. /etc/os-release; echo $VERSION_ID; hostname')).stdout).toBe('12\nvps1\n');
    const look = '. /etc/os-release; echo $VERSION_ID; hostname; systemctl is-system-running --wait';
    expect((await two.vps.exec(look)).stdout).toBe('13\nmail.rehearsal.test\nrunning\n');
    const labs = (await listLabs()).filter(({ name }) => names.includes(name));
    expect(labs).toEqual(
      expect.arrayContaining([
        { name: 'it-one', ready: true },
        { name: 'it-one-b', ready: true },
      ]),
    );

    await one.down();
    expect(await findRemains('it-one')).toEqual([]);
    const install = await two.vps.exec(
      'apt-get update -qq && apt-get install -qq -y --no-install-recommends nftables && nft list ruleset',
    );
    expect(install.code).toBe(0);
    await two.down();
    await two.down();
    expect(await findRemains('it-one-b')).toEqual([]);
    expect(await rootNetwork()).toBe(before);
  });
});
