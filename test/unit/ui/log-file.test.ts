import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it, vi } from 'vitest';
import { createRedactor } from '../../../src/config/redact.js';
import { Secret } from '../../../src/config/secret.js';
import { openLogFile } from '../../../src/ui/log-file.js';

/** Names that are listed, and gone before anything is done with them. */
const gone = vi.hoisted((): string[] => []);
vi.mock(import('node:fs'), async (load) => {
  const fs = await load();
  const readdirSync = (path: string) => [...gone, ...fs.readdirSync(path)];
  return { ...fs, readdirSync: readdirSync as typeof fs.readdirSync };
});

const folder = mkdtempSync(join(tmpdir(), 'log-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('that can be kept nowhere is an error with a way out', () => {
  const open = () => openLogFile('/dev/null', 'apply', () => 0, createRedactor());
  expect(open).toThrow(expect.objectContaining({ code: 'E_STATE_UNWRITABLE', exit: 2 }));
});

it('is the user’s alone, stamped, without secrets and control characters, and only so many are kept', () => {
  const redactor = createRedactor();
  redactor.add(new Secret('marker-secret'));
  const names: string[] = [];
  for (let i = 0; i < 25; i += 1) {
    const log = openLogFile(
      folder,
      'apply',
      () => Date.UTC(2026, 0, 2, 3, 4, 5) + (i > 1 ? i * 1000 : 0),
      redactor,
    );
    log.write('first\nsecond marker-secret \u001b[31mred');
    log.close();
    names.push(log.path);
  }
  expect(names[0]).toBe(join(folder, 'logs', '20260102T030405Z-apply.log'));
  expect(names[1]).toBe(join(folder, 'logs', '20260102T030405Z-apply-2.log'));
  expect(readdirSync(join(folder, 'logs'))).toHaveLength(20);
  const last = names.at(-1) ?? '';
  expect(statSync(last).mode & 0o777).toBe(0o600);
  expect(statSync(join(folder, 'logs')).mode & 0o777).toBe(0o700);
  expect(readFileSync(last, 'utf8')).toBe(
    '2026-01-02T03:04:29.000Z first\n2026-01-02T03:04:29.000Z second [hidden] red\n',
  );
});

it('leaves it to another run to take away an old one', () => {
  const own = join(folder, 'own');
  const open = (second: number) =>
    openLogFile(own, 'apply', () => Date.UTC(2026, 1, 1, 0, 0, second), createRedactor()).close();
  for (let second = 0; second < 20; second += 1) open(second);
  gone.push('20250101T000000Z-apply.log');
  open(20);
  gone.length = 0;
  expect(readdirSync(join(own, 'logs'))).toHaveLength(20);
});
