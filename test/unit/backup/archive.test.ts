import { PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { isServerPath } from '../../../src/backup/layout.js';
import { readArchive } from '../../../src/backup/read-archive.js';
import { createArchiveWriter } from '../../../src/backup/write-archive.js';
import { readTar } from '../../../src/lib/read-tar.js';
import { type TarEntry, writeTar } from '../../../src/lib/tar.js';

const header = {
  format: 'smtp-setup-backup',
  version: 1,
  created: '2026-11-24T10:15:00.000Z',
  hostname: 'mail.example.org',
  os: 'Debian 12',
  domains: ['example.org'],
  mailboxes: ['ada@example.org'],
  dkim: [{ domain: 'example.org', selector: 's202611', publicKey: 'AAAA' }],
  certificate: { state: 'issued', names: ['mail.example.org'] },
};
const server: TarEntry[] = [
  { path: 'server/', mode: 0o700 },
  { path: 'server/lists/users', mode: 0o600, content: 'ada@example.org:{X}y::::::\n' },
  { path: 'server/mail/example.org/ada/Maildir/cur/1.M1P1.h:2,S', mode: 0o600, content: 'Subject: x\n' },
];

async function* pieces(...parts: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts;
}

async function make(entries: readonly TarEntry[] = server, head: unknown = header): Promise<Buffer> {
  const sink = new PassThrough();
  const archive = createArchiveWriter(sink);
  const all = buffer(sink);
  await archive.addText('backup.json', JSON.stringify(head));
  await archive.addText('client/smtp-setup.yaml', 'version: 1\n');
  await archive.addServer(pieces(writeTar(entries)));
  await archive.finish();
  return all;
}

describe('a backup', () => {
  it('reads back what was written, and hands on the server part as an archive of its own', async () => {
    const parts: Buffer[] = [];
    const found = await readArchive(
      pieces(await make()),
      async (bytes) => void parts.push(Buffer.from(bytes)),
    );
    expect(found).toMatchObject({ header, config: 'version: 1\n', files: 2, bytes: 38 });
    const names: string[] = [];
    for await (const piece of readTar(pieces(Buffer.concat(parts))))
      if (piece.kind === 'member') names.push(piece.path);
    expect(names).toEqual(server.map(({ path }) => path.replace(/\/$/, '')));
  });

  it('is refused when a byte of it changed, wherever', async () => {
    const whole = await make();
    for (let at = 0; at < whole.length - 1024; at += 97) {
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] ?? 0) ^ 1;
      const result = await readArchive(pieces(changed)).catch((error: Error) => error);
      // What nobody reads (padding, owner and date of a member) may differ; what is read never does.
      if (!(result instanceof Error)) expect(result).toEqual(await readArchive(pieces(whole)));
    }
  });

  it('is refused when it was cut, wherever', async () => {
    const whole = await make();
    for (let length = 0; length < whole.length - 512; length += 256)
      await expect(readArchive(pieces(whole.subarray(0, length)))).rejects.toThrow();
  });

  it.each([
    ['a path of somebody else', [{ path: 'etc/passwd', mode: 0o600, content: '' }], header, /not a part/],
    ['a folder of its own', [{ path: 'server/other/x', mode: 0o600 }], header, /not a part/],
    ['no header', server, { format: 'other' }, /does not say what it is/],
    ['a newer version', server, { ...header, version: 2 }, /newer smtp-setup/],
    ['a host name that is a path', server, { ...header, hostname: '../x' }, /does not say/],
  ])('is refused with %s', async (_, entries, head, reason) => {
    await expect(make(entries, head).then((bytes) => readArchive(pieces(bytes)))).rejects.toThrow(reason);
  });

  it.each([
    ['server/dkim/example.org.s1.key', true],
    ['server/certs/issued-0123456789ABCDEF/privkey.pem', true],
    ['server/letsencrypt/archive/mail.example.org/privkey1.pem', true],
    ['server/letsencrypt/renewal-hooks/deploy/evil', false],
    ['server/certs/next.pem', true],
    ['server/srs-secret', true],
    ['server/srs-secret/x', false],
    ['server/certs/issued-0123456789ABCDEF/other', false],
    ['server/local/../x', false],
    ['server/lists/USERS', false],
    ['client/smtp-setup.yaml', false],
  ])('%s: %s', (path, expected) => {
    expect(isServerPath(path)).toBe(expected);
  });
});
