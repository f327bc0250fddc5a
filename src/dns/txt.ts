/**
 * TXT data: bytes on the wire, one string here. Bytes that are not UTF-8 become lone surrogates U+DC80–U+DCFF (the
 * "surrogateescape" scheme), so every value survives the way there and back.
 */

const encoder = new TextEncoder();

function sequenceLength(first: number): number {
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return 2;
  if (first >= 0xe0 && first <= 0xef) return 3;
  if (first >= 0xf0 && first <= 0xf4) return 4;
  return 0;
}

/** Bytes of one TXT record (its character-strings concatenated) as a string; see above for bytes that are not UTF-8. */
export function bytesToText(bytes: Uint8Array): string {
  const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let text = '';
  for (let i = 0; i < bytes.length; ) {
    const length = sequenceLength(bytes[i] ?? 0);
    const piece = bytes.subarray(i, i + length);
    if (length === 1) {
      text += String.fromCharCode(piece[0] ?? 0);
      i += 1;
      continue;
    }
    try {
      if (length === 0 || piece.length < length) throw new TypeError('not UTF-8');
      text += strict.decode(piece);
      i += length;
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      text += String.fromCharCode(0xdc00 + (bytes[i] ?? 0));
      i += 1;
    }
  }
  return text;
}

/** The bytes of a TXT value: UTF-8, and the raw bytes that `bytesToText` has kept. */
export function textToBytes(text: string): Uint8Array {
  if (!/[\udc80-\udcff]/.test(text)) return encoder.encode(text);
  const bytes: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (code >= 0xdc80 && code <= 0xdcff) bytes.push(code - 0xdc00);
    else bytes.push(...encoder.encode(character));
  }
  return Uint8Array.from(bytes);
}

/** Character-strings of at most 255 **bytes** (RFC 1035 section 3.3); an empty value is one empty string. */
export function splitTxt(text: string): Uint8Array[] {
  const bytes = textToBytes(text);
  const pieces: Uint8Array[] = [];
  for (let i = 0; i < bytes.length; i += 255) pieces.push(bytes.subarray(i, i + 255));
  return pieces.length > 0 ? pieces : [bytes];
}

/** One quoted character-string of a zone file; whatever is not printable ASCII becomes `\DDD` (RFC 1035 section 5.1). */
export function quoteBytes(bytes: Uint8Array): string {
  let out = '"';
  for (const byte of bytes) {
    if (byte === 0x22 || byte === 0x5c) out += `\\${String.fromCharCode(byte)}`;
    else if (byte >= 0x20 && byte <= 0x7e) out += String.fromCharCode(byte);
    else out += `\\${String(byte).padStart(3, '0')}`;
  }
  return `${out}"`;
}

/** Zone-file form of a TXT value: quoted strings of at most 255 bytes each, separated by blanks. */
export function quoteTxt(text: string): string {
  return splitTxt(text).map(quoteBytes).join(' ');
}

/** Undoes `\DDD` and `\X` in the inside of a character-string; malformed escapes stand for themselves. */
export function unescapeBytes(inside: string): number[] {
  const bytes: number[] = [];
  for (let i = 0; i < inside.length; ) {
    const digits = /^\\(\d{3})/.exec(inside.slice(i, i + 4))?.[1];
    if (digits !== undefined && Number(digits) <= 255) {
      bytes.push(Number(digits));
      i += 4;
      continue;
    }
    if (inside[i] === '\\' && i + 1 < inside.length) i += 1;
    const character = String.fromCodePoint(inside.codePointAt(i) ?? 0);
    bytes.push(...textToBytes(character));
    i += character.length;
  }
  return bytes;
}

/**
 * The value behind a presentation form: `"a" "b"` is `ab`; text without a leading quote is taken as it stands, because
 * APIs hand out unquoted values verbatim (spaces, semicolons and backslashes included). An unclosed quote is text too.
 */
export function parseTxt(presentation: string): string {
  const trimmed = presentation.trim();
  if (!/^(?:"(?:[^"\\]|\\[\s\S])*"\s*)+$/.test(trimmed)) return presentation;
  const bytes: number[] = [];
  for (const [, inside] of trimmed.matchAll(/"((?:[^"\\]|\\[\s\S])*)"/g))
    bytes.push(...unescapeBytes(inside ?? ''));
  return bytesToText(Uint8Array.from(bytes));
}
