/** What a streamed archive holds, in order: a member's head, then its content in pieces. */
export type TarPiece =
  | { kind: 'member'; path: string; directory: boolean; size: number }
  | { kind: 'content'; bytes: Uint8Array };

/** The archive is cut, spoilt, or holds something that no archive of ours holds (links, devices, ways out). */
export class TarError extends Error {}

const block = 512;
const longest = 4096;

/**
 * Reads an archive (ustar, and GNU's long names) as it comes in. Only regular files and directories, by paths that stay
 * below the archive's root; anything else, a wrong checksum or a missing end throws {@link TarError}.
 */
export async function* readTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<TarPiece> {
  const input = createInput(source);
  let longName: string | undefined;
  for (;;) {
    const head = await input.exactly(block);
    if (head.every((byte) => byte === 0)) break;
    const { name, size, type } = parseHead(head);
    if (type === 'L') {
      if (size > longest) throw new TarError('a name of more than 4096 bytes');
      longName = textOf(await input.exactly(size));
      await input.skip(padding(size));
      continue;
    }
    const directory = type === '5';
    if (!directory && type !== '0' && type !== '\0')
      throw new TarError(`${shown(name)} is neither a file nor a directory`);
    const path = requireInside(longName ?? name);
    longName = undefined;
    if (directory && size > 0) throw new TarError(`${shown(path)} is a directory with content`);
    yield { kind: 'member', path, directory, size };
    for (let left = size; left > 0; ) {
      const bytes = await input.atMost(left);
      left -= bytes.length;
      yield { kind: 'content', bytes };
    }
    await input.skip(padding(size));
  }
  await input.onlyZeros();
}

function padding(size: number): number {
  return (block - (size % block)) % block;
}

function parseHead(head: Buffer): { name: string; size: number; type: string } {
  let sum = 8 * 32;
  for (let at = 0; at < block; at += 1) if (at < 148 || at >= 156) sum += head[at] ?? 0;
  if (sum !== octal(head.subarray(148, 156))) throw new TarError('the checksum of a member is wrong');
  const name = textOf(head.subarray(0, 100));
  // GNU archives keep other things where ustar has the prefix.
  const ustar = head.subarray(257, 263).toString('latin1') === 'ustar\0';
  const prefix = ustar ? textOf(head.subarray(345, 500)) : '';
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    size: sizeOf(head.subarray(124, 136)),
    type: String.fromCharCode(head[156] ?? 0),
  };
}

/** Octal; GNU writes files of 8 GiB and more in base 256, marked by the first bit. */
function sizeOf(field: Buffer): number {
  if (((field[0] ?? 0) & 0x80) === 0) return octal(field);
  let size = 0;
  for (const byte of field.subarray(1)) size = size * 256 + byte;
  if (field[0] !== 0x80 || !Number.isSafeInteger(size)) throw new TarError('a member of impossible size');
  return size;
}

function octal(field: Buffer): number {
  const text = field
    .toString('latin1')
    .replace(/[\0 ]+$/, '')
    .trimStart();
  if (!/^[0-7]{1,12}$/.test(text)) throw new TarError('a number of a member cannot be read');
  return Number.parseInt(text, 8);
}

function textOf(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  const used = end < 0 ? bytes : bytes.subarray(0, end);
  const text = used.toString('utf8');
  if (!Buffer.from(text).equals(used)) throw new TarError('a name is not UTF-8');
  return text;
}

function requireInside(given: string): string {
  const path = given.replace(/^(\.\/)+/, '').replace(/\/$/, '');
  const parts = path.split('/');
  const control = /\p{Cc}/u.test(path);
  if (path.startsWith('/') || control || parts.some((part) => part === '' || part === '.' || part === '..'))
    throw new TarError(`${shown(given)} leads out of the archive`);
  return path;
}

function shown(name: string): string {
  return JSON.stringify(name.slice(0, 200));
}

function createInput(source: AsyncIterable<Uint8Array>) {
  const chunks = source[Symbol.asyncIterator]();
  let rest: Buffer = Buffer.alloc(0);
  const fill = async (): Promise<boolean> => {
    while (rest.length === 0) {
      const next = await chunks.next();
      if (next.done === true) return false;
      rest = Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength);
    }
    return true;
  };
  const atMost = async (count: number): Promise<Buffer> => {
    if (!(await fill())) throw new TarError('it ends too early');
    const bytes = rest.subarray(0, count);
    rest = rest.subarray(bytes.length);
    return bytes;
  };
  const exactly = async (count: number): Promise<Buffer> => {
    const parts: Buffer[] = [];
    for (let left = count; left > 0; ) {
      const bytes = await atMost(left);
      left -= bytes.length;
      parts.push(bytes);
    }
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
  };
  return {
    atMost,
    exactly,
    async skip(count: number): Promise<void> {
      if (count > 0) await exactly(count);
    },
    /** The end: whatever follows the first empty block is empty, too. Reading on also lets the source end. */
    async onlyZeros(): Promise<void> {
      if ((await exactly(block)).some((byte) => byte !== 0))
        throw new TarError('it does not end where it should');
      while (await fill()) {
        if (rest.some((byte) => byte !== 0)) throw new TarError('something follows its end');
        rest = Buffer.alloc(0);
      }
    },
  };
}
