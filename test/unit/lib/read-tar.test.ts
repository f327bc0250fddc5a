import { describe, expect, it } from 'vitest';
import { readTar, TarError } from '../../../src/lib/read-tar.js';
import { renderTarHead, tarEnd, tarPadding, writeTar } from '../../../src/lib/tar.js';

async function* inPieces(bytes: Buffer, size = 700): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(bytes: Buffer, size?: number): Promise<Map<string, string | undefined>> {
  const found = new Map<string, string | undefined>();
  let last = '';
  for await (const piece of readTar(inPieces(bytes, size))) {
    if (piece.kind === 'member') {
      last = piece.path;
      found.set(last, piece.directory ? undefined : '');
    } else found.set(last, `${found.get(last)}${Buffer.from(piece.bytes).toString()}`);
  }
  return found;
}

/** Changes bytes of the first head and makes its checksum fit. */
function forge(archive: Buffer, change: (head: Buffer) => void): Buffer {
  const copy = Buffer.from(archive);
  const head = copy.subarray(0, 512);
  change(head);
  head.write('        ', 148, 'latin1');
  const sum = head.reduce((total, byte) => total + byte, 0);
  head.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return copy;
}

const small = writeTar([
  { path: 'a/', mode: 0o700 },
  { path: 'a/b', mode: 0o600, content: 'text' },
  { path: 'c', mode: 0o600, content: 'x'.repeat(1500) },
]);
const one = writeTar([{ path: 'name', mode: 0o600, content: 'text' }]);

describe('readTar', () => {
  it.each([1, 511, 512, 100_000])('reads what writeTar wrote, in pieces of %i bytes', async (size) => {
    expect([...(await read(small, size))]).toEqual([
      ['a', undefined],
      ['a/b', 'text'],
      ['c', 'x'.repeat(1500)],
    ]);
  });

  it('reads long names as they are written', async () => {
    const path = `mail/${'f'.repeat(140)}/cur/${'m'.repeat(180)}:2,S`;
    const content = Buffer.from('Subject: x\n');
    const bytes = Buffer.concat([
      renderTarHead({ path, mode: 0o600 }, content.length),
      content,
      tarPadding(content.length),
      tarEnd(),
    ]);
    expect([...(await read(bytes))]).toEqual([[path, 'Subject: x\n']]);
  });

  it.each([
    ['cut in a head', small.subarray(0, 700)],
    ['cut in content', small.subarray(0, 2600)],
    ['without its end', small.subarray(0, small.length - 1024)],
    ['empty', Buffer.alloc(0)],
    ['followed by something', Buffer.concat([small, Buffer.from('x')])],
    ['with a spoilt head', Buffer.concat([Buffer.from('b'), small.subarray(1)])],
    ['with a link', forge(one, (head) => head.write('2', 156))],
    ['with a hard link', forge(one, (head) => head.write('1', 156))],
    ['with a device', forge(one, (head) => head.write('3', 156))],
    ['with an absolute path', forge(one, (head) => head.write('/etc', 0))],
    ['with a way out', forge(one, (head) => head.write('a/../../b', 0))],
    ['with a way out by prefix', forge(one, (head) => head.write('..', 345))],
    ['with a control character', forge(one, (head) => head.write('a\u001bb', 0))],
    ['with an empty part', forge(one, (head) => head.write('a//b', 0))],
    ['with a name that is not UTF-8', forge(one, (head) => head.writeUInt8(0xff, 0))],
    ['of impossible size', forge(one, (head) => head.write('99999999999', 124))],
  ])('refuses an archive %s', async (_, bytes) => {
    await expect(read(bytes)).rejects.toBeInstanceOf(TarError);
  });
});
