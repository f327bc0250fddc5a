import { canonicalName } from '../../canonical.js';
import { unescapeBytes } from '../../txt.js';

/** Numbers and names of DNS messages (RFC 1035 section 4), bounds-checked: what comes from a server is untrusted. */

export class MalformedMessage extends Error {}

const u16 = (value: number): Buffer => Buffer.from([value >> 8, value & 255]);
const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

/** A name without compression; `\DDD` and `\X` as in zone files. Throws RangeError for one that does not fit. */
export function encodeName(name: string): Buffer {
  const labels = name === '' || name === '.' ? [] : (name.match(/(?:[^.\\]|\\[\s\S])+/g) ?? []);
  const parts = labels.map((label) => {
    const bytes = Buffer.from(unescapeBytes(label));
    if (bytes.length === 0 || bytes.length > 63) throw new RangeError(`not a DNS label: ${label}`);
    return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  });
  const encoded = Buffer.concat([...parts, Buffer.from([0])]);
  if (encoded.length > 255) throw new RangeError('a DNS name has at most 255 bytes');
  return encoded;
}

export const write = { u16, u32, name: encodeName };

function showLabel(bytes: Buffer): string {
  return [...bytes]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      if (character === '.' || character === '\\') return `\\${character}`;
      return byte > 0x20 && byte < 0x7f ? character : `\\${String(byte).padStart(3, '0')}`;
    })
    .join('');
}

/** Reads a message from front to back. Every read throws MalformedMessage beyond the end. */
export class WireReader {
  readonly bytes: Buffer;
  at: number;

  constructor(bytes: Buffer, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  take(length: number): Buffer {
    const end = this.at + length;
    if (end > this.bytes.length) throw new MalformedMessage('the message ends too early');
    const piece = this.bytes.subarray(this.at, end);
    this.at = end;
    return piece;
  }

  u8 = (): number => this.take(1).readUInt8();
  u16 = (): number => this.take(2).readUInt16BE();
  u32 = (): number => this.take(4).readUInt32BE();
  u48 = (): number => this.take(6).readUIntBE(0, 6);

  /** A name, in the server's spelling (`raw`, uncompressed wire form) and in canonical form. */
  name(): { name: string; raw: Buffer } {
    const labels: string[] = [];
    const raw: Buffer[] = [];
    let size = 1;
    let resume: number | undefined;
    let lowest = this.at;
    for (;;) {
      const length = this.u8();
      if (length >= 0xc0) {
        const target = ((length & 0x3f) << 8) | this.u8();
        // Pointers only lead back, so that none can make a loop.
        if (target >= lowest) throw new MalformedMessage('a compression pointer does not lead back');
        resume ??= this.at;
        lowest = target;
        this.at = target;
        continue;
      }
      if (length > 63) throw new MalformedMessage('a label of an unknown kind');
      if (length === 0) break;
      const label = this.take(length);
      size += length + 1;
      if (size > 255) throw new MalformedMessage('a name of more than 255 bytes');
      raw.push(Buffer.from([length]), label);
      labels.push(showLabel(label));
    }
    if (resume !== undefined) this.at = resume;
    return { name: canonicalName(labels.join('.')), raw: Buffer.concat([...raw, Buffer.from([0])]) };
  }
}
