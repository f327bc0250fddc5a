import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isAlive, readProcessId, readText, tryLock, waitForLock } from '../../../src/sandbox/lock.js';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lock-test-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

describe('a lock', () => {
  it('is held by one, named to the others, and free after it is released', async () => {
    const file = join(directory, 'lock');
    const release = await tryLock(file);
    if (typeof release !== 'function') throw new Error('not taken');
    expect(await tryLock(file)).toMatchObject({ pid: process.pid });
    await release();
    const again = await tryLock(file);
    if (typeof again !== 'function') throw new Error('not free');
    await again();
    expect(await readdir(directory)).toEqual([]);
  });

  it('ends with its process, however it ends', async () => {
    const file = join(directory, 'lock');
    await writeFile(file, 'left by a crash');
    const holder = spawn('flock', ['-n', file, 'sh', '-c', 'echo; exec cat'], { detached: true });
    await once(holder.stdout, 'data');
    await writeFile(file, '4242');
    expect(await tryLock(file)).toEqual({ pid: 4242 });
    process.kill(-(holder.pid ?? 0), 'SIGKILL');
    await once(holder, 'close');
    const release = await tryLock(file);
    expect(typeof release).toBe('function');
    if (typeof release === 'function') await release();
  });

  it('goes to exactly one of many', async () => {
    const file = join(directory, 'lock');
    const results = await Promise.all(Array.from({ length: 12 }, () => tryLock(file)));
    const taken = results.filter((result) => typeof result === 'function');
    expect(taken).toHaveLength(1);
    await taken[0]?.();
  });

  it('is waited for, one after the other', async () => {
    const file = join(directory, 'lock');
    let inside = 0;
    let waited = 0;
    const work = async () => {
      const release = await waitForLock(file, { intervalMs: 1, onWait: () => waited++ });
      expect(++inside).toBe(1);
      await readText(file);
      inside--;
      await release();
    };
    await Promise.all([work(), work(), work(), work()]);
    expect(waited).toBeGreaterThan(0);
  });
});

describe('a process', () => {
  it('is known by number and start time', async () => {
    const self = await readProcessId(process.pid);
    expect(self).toMatchObject({ pid: process.pid, start: expect.stringMatching(/^\d+$/) });
    expect(await isAlive({ pid: process.pid, start: self?.start ?? '' })).toBe(true);
    expect(await isAlive({ pid: process.pid, start: '1' })).toBe(false);
    expect(await readProcessId(4194999)).toBeUndefined();
  });
});
