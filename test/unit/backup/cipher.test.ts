import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Filter, startDecryption, startEncryption } from '../../../src/backup/cipher.js';
import { Secret } from '../../../src/config/secret.js';
import { chooseKey } from '../../../src/pipeline/backup-key.js';
import type { Session } from '../../../src/pipeline/session.js';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'cipher-'));
  mkdirSync(join(home, 'gpg'), { mode: 0o700 });
  mkdirSync(join(home, 'bin'));
});
afterEach(() => rmSync(home, { recursive: true }));

const around = (path = process.env.PATH ?? '') => ({
  env: { PATH: path, HOME: home },
  gpgHome: join(home, 'gpg'),
});

async function pass({ input, output, done }: Filter, data: Uint8Array): Promise<Buffer> {
  const all = buffer(output);
  input.end(data);
  await done;
  return all;
}

const data = Buffer.from('Subject: kept\n'.repeat(20_000));

describe('a passphrase', () => {
  const gpg = (passphrase: string) => ({ kind: 'gpg' as const, passphrase: new Secret(passphrase) });

  it('needs gpg on this machine, and says so', async () => {
    const work = pass(startEncryption(gpg('correct horse battery'), around(join(home, 'bin'))), data);
    await expect(work).rejects.toMatchObject({
      code: 'E_BACKUP_TOOL',
      exit: 2,
      message: /gpg is not installed/,
    });
  });
});

describe('a key of age', () => {
  /** A stand-in: writes down how it was called and turns each byte over. */
  function install(body = `cat | perl -0777 -pe 'tr/\\x00-\\xff/\\x80-\\xff\\x00-\\x7f/'`): void {
    writeFileSync(join(home, 'bin', 'age'), `#!/bin/sh\nprintf '%s\\n' "$*" >>"${home}/calls"\n${body}\n`);
    chmodSync(join(home, 'bin', 'age'), 0o755);
  }
  const path = () => `${join(home, 'bin')}:${process.env.PATH}`;
  const recipients = ['age1qqqqqqqqqqqq', 'ssh-ed25519 AAAA'];

  it('is handed to the program, each for itself', async () => {
    install();
    const closed = await pass(startEncryption({ kind: 'age', recipients }, around(path())), data);
    expect(closed.equals(data)).toBe(false);
    const open = startDecryption({ kind: 'age', identity: '/keys/mine' }, around(path()));
    expect((await pass(open, closed)).equals(data)).toBe(true);
    expect(readFileSync(join(home, 'calls'), 'utf8').trim().split('\n')).toEqual([
      '--encrypt --recipient age1qqqqqqqqqqqq --recipient ssh-ed25519 AAAA',
      '--decrypt --identity /keys/mine',
    ]);
  });

  it('that does not fit is no fault of the backup', async () => {
    // As age 1.1.1 says it.
    install(
      "cat >/dev/null; printf '%s\\n' 'age: error: no identity matched any of the recipients' 'age: report unexpected or unhelpful errors at https://filippo.io/age/report' >&2; exit 1",
    );
    const work = pass(startDecryption({ kind: 'age', identity: '/keys/mine' }, around(path())), data);
    await expect(work).rejects.toMatchObject({
      code: 'E_BACKUP_KEY',
      evidence: ['age: error: no identity matched any of the recipients', 'exit status 1'],
    });
  });

  it('that is not there, neither', async () => {
    const choice = chooseKey({} as Session, 'age', { ageIdentity: join(home, 'none') });
    await expect(choice).rejects.toMatchObject({ code: 'E_BACKUP_KEY', exit: 2 });
  });
});
