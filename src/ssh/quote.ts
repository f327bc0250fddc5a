/**
 * Quotes one word for a POSIX shell (XCU 2.2.2): the shell sees exactly `word`, whatever it holds.
 * Throws on NUL, which no argument can carry.
 */
export function shellQuote(word: string): string {
  if (word.includes('\0')) throw new TypeError('A shell word cannot contain a NUL byte');
  if (/^[A-Za-z0-9_/:.,@+-]+$/.test(word)) return word;
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/**
 * Encodes text for `printf %b "…"` inside single quotes. Only these characters mean the same between single
 * quotes to sh, csh (where ! and newline do not) and fish (where \\ and \' do not).
 */
export function encodeForPrintf(text: string): string {
  if (text.includes('\0')) throw new TypeError('A command cannot contain a NUL byte');
  return text.replace(/[^A-Za-z0-9_ ./:=,@+-]/gu, (char) =>
    [...Buffer.from(char, 'utf8')].map((byte) => `\\0${byte.toString(8).padStart(3, '0')}`).join(''),
  );
}
