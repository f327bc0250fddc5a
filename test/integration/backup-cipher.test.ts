import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type Filter,
  recogniseProtection,
  startDecryption,
  startEncryption,
} from '../../src/backup/cipher.js';
import { Secret } from '../../src/config/secret.js';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'cipher-'));
  mkdirSync(join(home, 'gpg'), { mode: 0o700 });
});
afterEach(() => rmSync(home, { recursive: true }));

const around = () => ({ env: { PATH: process.env.PATH ?? '', HOME: home }, gpgHome: join(home, 'gpg') });
const gpg = (passphrase: string) => ({ kind: 'gpg' as const, passphrase: new Secret(passphrase) });
const data = Buffer.from('Subject: kept\n'.repeat(20_000));

async function pass({ input, output, done }: Filter, bytes: Uint8Array): Promise<Buffer> {
  const all = buffer(output);
  input.end(bytes);
  await done;
  return all;
}

describe('a passphrase and the real gpg', () => {
  it('opens what it closed; another one, a cut and a changed byte do not', async () => {
    const closed = await pass(startEncryption(gpg('correct horse battery'), around()), data);
    expect(closed.includes('Subject')).toBe(false);
    writeFileSync(join(home, 'x'), closed);
    expect(await recogniseProtection(join(home, 'x'))).toBe('gpg');
    const open = (bytes: Uint8Array, passphrase = 'correct horse battery') =>
      pass(startDecryption(gpg(passphrase), around()), bytes);
    expect((await open(closed)).equals(data)).toBe(true);
    await expect(open(closed, 'another one altogether')).rejects.toMatchObject({
      code: 'E_BACKUP_KEY',
      exit: 2,
    });
    await expect(open(closed.subarray(0, closed.length - 50))).rejects.toMatchObject({
      code: 'E_BACKUP_CIPHER',
    });
    const changed = Buffer.from(closed);
    changed[closed.length - 40] = (changed[closed.length - 40] ?? 0) ^ 1;
    await expect(open(changed)).rejects.toMatchObject({ code: 'E_BACKUP_CIPHER' });
  });
});
