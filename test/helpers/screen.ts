/** What a terminal shows after these bytes: the few controls that live lines use, and nothing else is accepted. */
export function renderScreen(bytes: string): string[] {
  const lines: string[] = [''];
  let row = 0;
  let column = 0;
  const tokens = bytes.matchAll(/\u001b\[(\??)([0-9;]*)([A-Za-z])|\n|\r|[^\u001b\n\r]/gu);
  let consumed = 0;
  for (const token of tokens) {
    consumed += token[0].length;
    const [text, isPrivate, argument = '', final] = token;
    const count = Number(argument || 1);
    if (text === '\n') {
      row += 1;
      column = 0;
      lines[row] ??= '';
    } else if (text === '\r') column = 0;
    else if (final === undefined) {
      const line = (lines[row] ?? '').padEnd(column);
      lines[row] = line.slice(0, column) + text + line.slice(column + text.length);
      column += text.length;
    } else if (isPrivate !== '' || final === 'm') continue;
    else if (final === 'G') column = count - 1;
    else if (final === 'A') row = Math.max(0, row - count);
    else if (final === 'K') lines[row] = (lines[row] ?? '').slice(0, column);
    else throw new Error(`the screen does not know ${JSON.stringify(text)}`);
  }
  if (consumed !== bytes.length) throw new Error('the screen met a stray escape');
  return lines.map((line) => line.trimEnd());
}
