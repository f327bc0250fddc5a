/**
 * One POSIX shell word that stands for exactly this text. Everything is put between single quotes unless it is
 * plainly harmless, so that a reader sees at once that nothing is expanded. NUL cannot be passed and is an error.
 */
export function shellQuote(text: string): string {
  if (text.includes('\0')) throw new Error('a shell word cannot hold a NUL character');
  if (/^[A-Za-z0-9_][A-Za-z0-9_./:@%+=,-]*$/.test(text)) return text;
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
