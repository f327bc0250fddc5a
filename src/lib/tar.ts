/** One member of an archive; directories end with `/` and have no content. */
export interface TarEntry {
  path: string;
  /** Permission bits, e.g. 0o600. */
  mode: number;
  content?: string | Uint8Array;
}

const block = 512;

/**
 * A ustar archive (POSIX.1-1988, "pax interchange", the format every tar reads), all members owned by root and dated
 * 1970: the same input gives the same bytes. Throws for names that ustar cannot hold or that lead out of the archive.
 */
export function writeTar(entries: readonly TarEntry[]): Buffer {
  const blocks: Buffer[] = [];
  for (const entry of entries) {
    const content = Buffer.from(entry.content ?? '');
    blocks.push(header(entry, content.length), content, tarPadding(content.length));
  }
  blocks.push(tarEnd());
  return Buffer.concat(blocks);
}

/** The head of a member whose content follows in pieces; a name too long for ustar goes before it, as GNU does it. */
export function renderTarHead(entry: Omit<TarEntry, 'content'>, size: number): Buffer {
  if (fitsUstar(entry.path)) return header(entry, size);
  const name = Buffer.from(`${entry.path}\0`);
  const long = header({ path: '././@LongLink', mode: 0o600 }, name.length, 'L');
  const short = header({ ...entry, path: `long-name${entry.path.endsWith('/') ? '/' : ''}` }, size);
  return Buffer.concat([long, name, tarPadding(name.length), short]);
}

/** What fills the last block of a member's content. */
export function tarPadding(size: number): Buffer {
  return Buffer.alloc((block - (size % block)) % block);
}

/** What ends an archive. */
export function tarEnd(): Buffer {
  return Buffer.alloc(2 * block);
}

function fitsUstar(path: string): boolean {
  try {
    splitName(path);
    return true;
  } catch (error) {
    if (Buffer.byteLength(path) > 100 && error instanceof Error && error.message.startsWith('too long'))
      return false;
    throw error;
  }
}

function header(entry: TarEntry, size: number, type?: 'L'): Buffer {
  const { name, prefix } = splitName(entry.path);
  const bytes = Buffer.alloc(block);
  const isDirectory = entry.path.endsWith('/');
  bytes.write(name, 0, 100, 'utf8');
  bytes.write(octal(entry.mode & 0o7777, 8), 100, 'latin1');
  bytes.write(octal(0, 8), 108, 'latin1');
  bytes.write(octal(0, 8), 116, 'latin1');
  bytes.write(octal(size, 12), 124, 'latin1');
  bytes.write(octal(0, 12), 136, 'latin1');
  // The checksum is computed with its own field full of blanks.
  bytes.write('        ', 148, 'latin1');
  bytes.write(type ?? (isDirectory ? '5' : '0'), 156, 'latin1');
  bytes.write('ustar\u000000', 257, 'latin1');
  bytes.write('root', 265, 'latin1');
  bytes.write('root', 297, 'latin1');
  bytes.write(prefix, 345, 155, 'utf8');
  let sum = 0;
  for (const byte of bytes) sum += byte;
  bytes.write(`${octal(sum, 7)} `, 148, 'latin1');
  return bytes;
}

/** `width` counts the NUL at the end. */
function octal(value: number, width: number): string {
  return `${value.toString(8).padStart(width - 1, '0')}\0`;
}

function splitName(path: string): { name: string; prefix: string } {
  if (path === '' || path.startsWith('/') || path.split('/').includes('..') || path.includes('\0')) {
    throw new Error(`not a name for an archive member: ${JSON.stringify(path)}`);
  }
  if (Buffer.byteLength(path) <= 100) return { name: path, prefix: '' };
  for (let at = path.indexOf('/'); at > 0; at = path.indexOf('/', at + 1)) {
    const prefix = path.slice(0, at);
    const name = path.slice(at + 1);
    if (name !== '' && Buffer.byteLength(prefix) <= 155 && Buffer.byteLength(name) <= 100)
      return { name, prefix };
  }
  throw new Error(`too long for an archive member: ${path}`);
}
