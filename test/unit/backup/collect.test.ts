import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { loadBackupScript } from '../../../src/backup/load-scripts.js';

let base: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'smtp-setup-collect-'));
  for (const path of ['run', 'etc/smtp-setup', 'var/lib/smtp-setup', 'var/vmail'])
    mkdirSync(join(base, path), { recursive: true });
  writeFileSync(join(base, 'etc/smtp-setup/users'), '');
});
afterEach(() => rmSync(base, { recursive: true }));

async function collect(name: string): Promise<number | null> {
  const script = await loadBackupScript('collect');
  const moved = script.replace(
    /\/(run|etc|var)\/(?=smtp-setup|lib\/|vmail|postsrsd|letsencrypt)/g,
    `${base}/$1/`,
  );
  return spawnSync('sh', ['-s', name], { input: moved }).status;
}
const marks = () => readdirSync(join(base, 'var/lib/smtp-setup')).sort();

it('leaves the mark of a backup that the client is still writing when the next one begins', async () => {
  expect(await collect('first')).toBe(0);
  expect(await collect('second')).toBe(0);
  expect(marks()).toEqual(['saved.begun.first', 'saved.begun.second']);
});

it('forgets one that was never finished', async () => {
  await collect('first');
  const before = Date.now() / 1000 - 3 * 86400;
  utimesSync(join(base, 'var/lib/smtp-setup/saved.begun.first'), before, before);
  await collect('second');
  expect(marks()).toEqual(['saved.begun.second']);
});
