import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeTar } from '../../../src/lib/tar.js';

describe('writeTar', () => {
  it('is read by tar: content of any bytes, modes, long names', () => {
    const long = `${'d'.repeat(90)}/${'e'.repeat(60)}/${'f'.repeat(95)}`;
    const binary = Buffer.from([0, 255, 10, 0]);
    const archive = writeTar([
      { path: 'a/', mode: 0o700 },
      { path: 'a/script', mode: 0o755, content: '#!/bin/sh\n' },
      { path: 'a/binary', mode: 0o600, content: binary },
      { path: 'a/empty', mode: 0o600, content: '' },
      { path: 'a/block', mode: 0o600, content: 'x'.repeat(512) },
      { path: long, mode: 0o640, content: 'ü' },
    ]);
    const folder = mkdtempSync(join(tmpdir(), 'smtp-setup-tar-'));
    try {
      const result = spawnSync('tar', ['-xpf', '-', '--no-same-owner', '-C', folder], { input: archive });
      expect(result.stderr.toString()).toBe('');
      expect(readFileSync(join(folder, 'a/binary'))).toEqual(binary);
      expect(readFileSync(join(folder, 'a/block'), 'utf8')).toBe('x'.repeat(512));
      expect(readFileSync(join(folder, long), 'utf8')).toBe('ü');
      expect(statSync(join(folder, 'a')).mode & 0o7777).toBe(0o700);
      expect(statSync(join(folder, 'a/script')).mode & 0o7777).toBe(0o755);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('gives the same bytes for the same input', () => {
    const entries = [{ path: 'a', mode: 0o600, content: 'x' }];
    expect(writeTar(entries)).toEqual(writeTar(entries));
  });

  it('refuses names that lead out of the archive or do not fit', () => {
    for (const path of [
      '',
      '/etc/passwd',
      '../x',
      'a/../x',
      'a\0b',
      'x'.repeat(101),
      `${'p'.repeat(156)}/x`,
    ]) {
      expect(() => writeTar([{ path, mode: 0o600, content: '' }]), path).toThrow();
    }
  });
});
