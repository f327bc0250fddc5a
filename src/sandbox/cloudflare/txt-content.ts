import { apiErrors } from './api-error.js';

const inconsistent = () =>
  apiErrors.content(9005, 'Content for TXT record must be quoted strings or a string without quotes.');

/** Bytes of the character-strings in `content` (RFC 1035 section 5.1); unquoted content is one string. */
function readStrings(content: string): Buffer[] {
  const trimmed = content.trim();
  if (!trimmed.includes('"')) return [Buffer.from(trimmed, 'utf8')];
  const strings: Buffer[] = [];
  let rest = trimmed;
  while (rest !== '') {
    const match = /^"((?:[^"\\]|\\.)*)"\s*/su.exec(rest);
    if (!match) throw inconsistent();
    strings.push(readEscapes(match[1] ?? ''));
    rest = rest.slice(match[0].length);
  }
  return strings;
}

function readEscapes(text: string): Buffer {
  const parts: Buffer[] = [];
  for (const [piece] of text.matchAll(/\\\d{3}|\\.|[^\\]+/gsu)) {
    if (/^\\\d{3}$/.test(piece)) {
      const value = Number(piece.slice(1));
      if (value > 255) throw inconsistent();
      parts.push(Buffer.from([value]));
    } else {
      parts.push(Buffer.from(piece.startsWith('\\') ? piece.slice(1) : piece, 'utf8'));
    }
  }
  return Buffer.concat(parts);
}

function quote(bytes: Buffer): string {
  let text = '';
  for (const byte of bytes) {
    if (byte === 0x22 || byte === 0x5c) text += `\\${String.fromCharCode(byte)}`;
    else if (byte < 0x20 || byte > 0x7e) text += `\\${String(byte).padStart(3, '0')}`;
    else text += String.fromCharCode(byte);
  }
  return `"${text}"`;
}

/**
 * TXT content as the API stores and returns it: quoted character-strings of at most 255 bytes, longer ones split.
 * https://developers.cloudflare.com/dns/manage-dns-records/reference/dns-record-types/#txt
 */
export function normaliseTxtContent(content: string): string {
  if (content.length > 4 * 2048 + 64) {
    throw apiErrors.content(9005, 'Content for TXT record must be 2048 characters or less.');
  }
  const strings = readStrings(content);
  const pieces: string[] = [];
  let length = 0;
  for (const bytes of strings) {
    length += bytes.length;
    for (let at = 0; at === 0 || at < bytes.length; at += 255)
      pieces.push(quote(bytes.subarray(at, at + 255)));
  }
  if (length > 2048) throw apiErrors.content(9005, 'Content for TXT record must be 2048 characters or less.');
  if (length === 0) throw apiErrors.content(9005, 'Content for TXT record must not be empty.');
  return pieces.join(' ');
}
