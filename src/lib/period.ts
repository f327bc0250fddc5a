/** `90s`, `30m`, `12h`, `7d`, `2w` → seconds; undefined when the text is no such period. */
export function parsePeriod(text: string): number | undefined {
  const match = /^(\d{1,5})(s|m|h|d|w)$/.exec(text.trim());
  if (match === null) return undefined;
  const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };
  return Number(match[1]) * (units[match[2] ?? ''] ?? 1);
}
