import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { destroyLab, findRemains } from '../../src/sandbox/index.js';
import type { CliResult } from '../helpers/world.js';

const bin = join(import.meta.dirname, '../../bin/smtp-setup.js');
const name = 'e2e-sandbox';

function sandbox(...args: readonly string[]): Promise<CliResult> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [bin, 'sandbox', ...args],
      { timeout: 15 * 60_000 },
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr });
      },
    );
  });
}
const exec = (...command: readonly string[]) => sandbox('exec', '--name', name, '--', ...command);

afterAll(() => destroyLab(name));

describe('the sandbox command', () => {
  it('boots a VPS and says how to go on', async () => {
    const up = await sandbox('up', '--yes', '--name', name);
    expect(up.code, up.stdout + up.stderr).toBe(0);
    expect(up.stdout).toContain(`smtp-setup sandbox run --name ${name}`);
    const twice = await sandbox('up', '--yes', '--name', name, '--json');
    expect(twice.code).toBe(2);
    expect(JSON.parse(twice.stdout)).toMatchObject({ error: { code: 'E_SANDBOX_EXISTS' } });
  });

  it('lists what is running', async () => {
    const status = await sandbox('status', '--json');
    expect(status.code).toBe(0);
    expect(JSON.parse(status.stdout).sandboxes).toContainEqual({ name, ready: true });
  });

  it('runs commands on the VPS and tells how they ended', async () => {
    const release = await exec('cat', '/etc/os-release');
    expect(release.code, release.stderr).toBe(0);
    expect(release.stdout).toContain('VERSION_ID="12"');
    expect((await exec('sh', '-c', 'exit 7')).code).toBe(1);
    const asked = await sandbox(
      'exec',
      '--name',
      name,
      '--json',
      '--',
      'sh',
      '-c',
      'echo out; echo err >&2; exit 3',
    );
    expect(asked.code).toBe(1);
    expect(JSON.parse(asked.stdout)).toMatchObject({ code: 3, stdout: 'out\n', stderr: 'err\n' });
    expect((await exec('printf', '%s|', 'two words', '$HOME', '--json')).stdout).toBe(
      'two words|$HOME|--json|',
    );
  });

  it('takes everything away, also twice', async () => {
    const before = await findRemains(name);
    expect(before.some((line) => line.startsWith('namespace'))).toBe(true);
    for (let round = 0; round < 2; round += 1) {
      const down = await sandbox('down', '--name', name, '--json');
      expect(JSON.parse(down.stdout)).toMatchObject({ ok: true, name });
      expect(down.code, down.stderr).toBe(0);
      expect(await findRemains(name)).toEqual([]);
    }
    const after = await exec('true');
    expect(after.code).toBe(2);
    expect(after.stderr).toContain('E_SANDBOX_UNKNOWN');
  });
});
