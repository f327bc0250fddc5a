import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { enterArgs } from '../../../src/sandbox/machine/container.js';
import { findLayer, listLayers } from '../../../src/sandbox/machine/layers.js';
import { fingerprintOf } from '../../../src/sandbox/machine/ssh-keys.js';
import { waitUntil } from '../../../src/sandbox/machine/wait-until.js';
import { renderDrops, renderRejects } from '../../../src/sandbox/net/faults.js';
import { run, tryRun } from '../../../src/sandbox/run.js';

describe('a program of the sandbox', () => {
  it('is started without the caller’s environment', async () => {
    const { stdout } = await run('env', [], { env: { EXTRA: 'yes' } });
    const names = stdout
      .trim()
      .split('\n')
      .map((line) => line.split('=')[0]);
    expect(names.sort()).toEqual(['EXTRA', 'HOME', 'LANG', 'LC_ALL', 'PATH', 'TERM']);
  });

  it('that fails is an error with its last lines', async () => {
    await expect(run('sh', ['-c', 'echo out; echo err >&2; exit 3'])).rejects.toMatchObject({
      code: 'E_SANDBOX_COMMAND',
      exit: 1,
      evidence: ['out', '', 'err'],
    });
    expect(await tryRun('sh', ['-c', 'exit 3'])).toMatchObject({ code: 3 });
    expect(await tryRun('/nonexistent/program', [])).toMatchObject({
      code: -1,
      stderr: expect.stringContaining('ENOENT'),
    });
  });

  it('gets its input, and its lines are passed on as they come', async () => {
    const lines: string[] = [];
    const result = await run('cat', [], { input: 'one\ntwo\n', onLine: (line) => lines.push(line) });
    expect(lines).toEqual(['one', 'two']);
    expect(result.stdout).toBe('one\ntwo\n');
  });
});

describe('waiting', () => {
  it('ends with the answer, or at the deadline with evidence', async () => {
    let asked = 0;
    const options = { what: 'it', timeoutMs: 10_000, intervalMs: 1 };
    expect(await waitUntil(async () => (++asked === 3 ? 'here' : undefined), options)).toBe('here');
    const never = waitUntil(async () => false, {
      ...options,
      timeoutMs: 0,
      evidence: async () => ['last line'],
    });
    await expect(never).rejects.toMatchObject({ code: 'E_SANDBOX_TIMEOUT', evidence: ['last line'] });
  });

  it('ends when it is aborted', async () => {
    const signal = AbortSignal.abort();
    await expect(
      waitUntil(async () => false, { what: 'it', timeoutMs: 10_000, signal }),
    ).rejects.toMatchObject({
      name: 'AbortError',
    });
  });
});

describe('the way into a container', () => {
  it('takes all its namespaces and a clean environment', () => {
    const args = enterArgs(42, ['sh', '-c', 'id'], { TERM: 'xterm' });
    expect(args.slice(0, args.indexOf('--'))).toEqual(
      expect.arrayContaining(['--target=42', '--mount', '--net', '--pid', '--root', '--wd']),
    );
    expect(args.slice(args.indexOf('/usr/bin/env') + 1)).toEqual(
      expect.arrayContaining(['-i', 'TERM=xterm', 'HOME=/root', 'sh', '-c', 'id']),
    );
    expect(args).not.toContain('TERM=dumb');
  });
});

describe('blocked ports', () => {
  it('are dropped on the bridge, in the direction that was asked for', () => {
    const rules = renderDrops([
      { direction: 'out', port: 25, how: 'drop' },
      { direction: 'in', port: 80, how: 'drop' },
    ]);
    expect(rules).toContain('iifname "p-vps" tcp dport 25 drop');
    expect(rules).toContain('oifname "p-vps" tcp dport 80 drop');
  });

  it('are refused at the other hosts, for the VPS alone', () => {
    const rules = renderRejects([{ direction: 'out', port: 25, how: 'reject' }]);
    expect(rules).toContain('ip saddr 198.51.100.25 tcp dport 25 reject with tcp reset');
    expect(rules).toContain('ip6 saddr 2001:db8::25 tcp dport 25 reject with tcp reset');
    expect(rules.join('\n')).not.toContain('daddr');
  });
});

describe('a host key', () => {
  it('has the fingerprint that ssh-keygen prints', () => {
    const line =
      'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl github.com';
    expect(fingerprintOf(line)).toBe('SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU');
  });
});

describe('layers', () => {
  it('are found only for the image and on the layers they were made on', async () => {
    const cache = await mkdtemp(join(tmpdir(), 'layers-test-'));
    try {
      const image = join(cache, 'images/debian-12-aaaa');
      const layers = join(cache, 'layers/debian-12-aaaa');
      const write = async (name: string, meta: object) => {
        await run('mkdir', ['-p', join(layers, name, 'root')]);
        await writeFile(join(layers, name, 'meta.json'), JSON.stringify(meta));
      };
      await write('base', { image: 'debian-12-aaaa', id: '1', parents: [] });
      await write('top', { image: 'debian-12-aaaa', id: '2', parents: [{ name: 'base', id: '1' }] });
      await write('stale', { image: 'debian-12-aaaa', id: '3', parents: [{ name: 'base', id: '0' }] });
      await write('other', { image: 'debian-12-bbbb', id: '4', parents: [] });
      const chain = [join(layers, 'top/root'), join(layers, 'base/root'), image];
      expect(await findLayer(cache, image, 'top')).toEqual(chain);
      expect(await findLayer(cache, image, 'stale')).toBeUndefined();
      expect(await findLayer(cache, image, 'other')).toBeUndefined();
      expect(await findLayer(cache, image, 'missing')).toBeUndefined();
      await expect(findLayer(cache, image, '../top')).rejects.toMatchObject({ code: 'E_SANDBOX_LAYER_NAME' });
      expect(await listLayers(cache, image)).toEqual(['base', 'other', 'stale', 'top']);
    } finally {
      await rm(cache, { recursive: true });
    }
  });
});
