/** One directive of an ssh_config file; an Include carries what it brought in. */
export interface ConfigLine {
  keyword: string;
  args: string[];
  file: string;
  line: number;
  included?: ConfigLine[];
}

export interface ParsedConfig {
  lines: ConfigLine[];
  warnings: string[];
}

/** Splits an ssh_config file into directives (ssh_config(5)): keywords in lower case, quotes removed. Pure. */
export function parseConfigLines(text: string, file: string): ParsedConfig {
  const lines: ConfigLine[] = [];
  const warnings: string[] = [];
  for (const [index, raw] of text.split('\n').entries()) {
    const content = raw.trim();
    if (content === '' || content.startsWith('#')) continue;
    const match = /^([A-Za-z0-9]+)(?:\s*=\s*|\s+)(.*)$/s.exec(content);
    const args = match && splitArgs(match[2] ?? '');
    if (!match || !args || args.length === 0) {
      warnings.push(`${file}:${index + 1} is not a valid ssh_config line; it was skipped.`);
      continue;
    }
    lines.push({ keyword: (match[1] ?? '').toLowerCase(), args, file, line: index + 1 });
  }
  return { lines, warnings };
}

/** Words separated by blanks; "double" or 'single' quotes keep blanks; # at the start of a word ends the line. */
function splitArgs(text: string): string[] | undefined {
  const args: string[] = [];
  let at = 0;
  while (at < text.length) {
    if (/\s/.test(text[at] ?? '')) {
      at++;
      continue;
    }
    if (text[at] === '#') break;
    let word = '';
    let quote = '';
    for (; at < text.length; at++) {
      const char = text[at] ?? '';
      if (quote) {
        if (char === quote) quote = '';
        else word += char;
      } else if (char === '"' || char === "'") quote = char;
      else if (/\s/.test(char)) break;
      else word += char;
    }
    if (quote) return undefined;
    args.push(word);
  }
  return args;
}
