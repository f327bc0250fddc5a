const UNSAFE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** Makes a server's text safe for a terminal and short enough for an error: one line a fact, controls and bidi replaced. */
export function readableLines(text: string, maxLines = 6): string[] {
  const lines = text
    .slice(0, 16_384)
    .split('\n')
    .map((line) => line.replaceAll('\t', ' ').replace(/\r$/, '').replace(UNSAFE, '\ufffd').trimEnd())
    .filter((line) => line !== '');
  return lines.slice(-maxLines).map((line) => (line.length > 300 ? `${line.slice(0, 300)}…` : line));
}
