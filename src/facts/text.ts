/** Small readers that the probes' parsers share. All of them skip what is not in form: the server is untrusted. */

export function readLines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}

/** `NAME=value` lines, shell quotes taken off (os-release(5), `systemctl show`). */
export function readAssignments(text: string): Map<string, string> {
  const values = new Map<string, string>();
  for (const line of readLines(text)) {
    const match = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/.exec(line);
    if (!match?.[1]) continue;
    const raw = match[2] ?? '';
    const quoted = /^"(.*)"$/.exec(raw) ?? /^'(.*)'$/.exec(raw);
    values.set(match[1], quoted ? (quoted[1] ?? '').replace(/\\(["\\$`])/g, '$1') : raw);
  }
  return values;
}

/** Splits probe output at lines that are exactly `--`; missing parts are empty. */
export function readParts(text: string, count: number): string[] {
  const parts = `\n${text}\n`.split(/\n--(?=\n)/).map((part) => part.replace(/^\n/, ''));
  return Array.from({ length: count }, (_, index) => parts[index] ?? '');
}

/** A non-negative whole number, or undefined. */
export function readNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text.trim()) ? Number(text.trim()) : undefined;
}
