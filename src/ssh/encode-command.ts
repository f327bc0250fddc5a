/**
 * Encodes text for `printf %b "…"` inside single quotes. Only these characters mean the same between single
 * quotes to sh, csh (where ! and newline do not) and fish (where \\ and \' do not). Throws on NUL.
 */
export function encodeForPrintf(text: string): string {
  if (text.includes('\0')) throw new TypeError('A command cannot contain a NUL byte');
  return text.replace(/[^A-Za-z0-9_ ./:=,@+-]/gu, (char) =>
    [...Buffer.from(char, 'utf8')].map((byte) => `\\0${byte.toString(8).padStart(3, '0')}`).join(''),
  );
}
